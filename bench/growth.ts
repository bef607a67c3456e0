import { randomBytes } from "node:crypto";
import { createTable, openTable, startTable } from "../cli/local/table.ts";
import { applyObjects } from "../lib/apply/apply-objects.ts";
import { prepareObjects } from "../lib/apply/prepare.ts";
import { mapConcurrently } from "../lib/cluster/concurrency.ts";
import { createClusterWriter } from "../lib/cluster/kubernetes.ts";
import { createTransport } from "../lib/cluster/transport.ts";
import { DriftlessError } from "../lib/errors.ts";
import type { Manifest } from "../lib/model/resource.ts";
import { applyStages } from "../lib/plan/stages.ts";
import { createDynamoStores } from "../lib/store/dynamodb.ts";
import type { Stores } from "../lib/store/store.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { silentLog } from "../lib/telemetry/log.ts";
import { Secret } from "../lib/telemetry/secret.ts";
import type { BenchCluster } from "./cluster.ts";

/** Where a process that sweeps finds everything. */
export interface GrowthAccess {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly tableEndpoint: string;
  readonly snapshotKey: string;
}

/** A table of its own, and applications in it that grow. */
export interface Growth {
  readonly access: GrowthAccess;
  /** Adds applications of a hundred objects until there are so many objects. */
  growTo(objects: number): Promise<void>;
  /** Edits so many ConfigMaps, each of another application where there are enough, as a person does. */
  edit(count: number, value: string): Promise<void>;
  close(): Promise<void>;
}

export const growthTable = "growth";
export const growthCluster = "bench";

/** Objects of one application: 40 ConfigMaps, 30 ServiceAccounts, 20 Secrets, 10 Deployments of no replicas. */
const each = 100;
const namespace = "growth";

export async function startGrowth(cluster: BenchCluster, progress: (line: string) => void): Promise<Growth> {
  const { server, ca, tokens } = cluster.controlPlane;
  const service = await startTable();
  const client = openTable(service.endpoint);
  await createTable({ client, table: growthTable });
  const snapshotKey = randomBytes(32).toString("base64");
  const stores = createDynamoStores({ client, table: growthTable, clock, snapshotKey: new Secret(snapshotKey) });
  const authorization = new Secret(`Bearer ${tokens.admin}`);
  const transport = createTransport({ connection: { server, ca, authorize: () => Promise.resolve(authorization) } });
  const writer = createClusterWriter({ transport });
  await cluster.createNamespaces([namespace]);
  let applications = 0;

  async function add(index: number): Promise<void> {
    const application = nameOf(index);
    const request = {
      application,
      namespace,
      objects: objectsOf(application),
      reader: writer,
      digest: (text: string) => stores.digest(text),
    };
    const { desired } = await prepareObjects(request);
    const context = {
      writer,
      live: new Map(),
      force: "at-once" as const,
      stillMine: () => Promise.resolve(true),
      log: silentLog,
    };
    const applied = await applyObjects({ ...context, stages: applyStages(desired) });
    const entries = applied.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
    if (entries.length !== each) throw new DriftlessError("apply", `${application}: only ${entries.length} objects were applied`);
    await stores.inventories.save({ application, cluster: growthCluster, entries }, { fence: 1 });
    await saveState(stores, application, request.objects);
  }

  return {
    access: { server, ca, token: tokens.admin, tableEndpoint: service.endpoint, snapshotKey },
    async growTo(objects) {
      const wanted = Math.ceil(objects / each);
      progress(`making ${(wanted - applications) * each} objects more`);
      const added = Array.from({ length: Math.max(0, wanted - applications) }, (_, at) => applications + at);
      await mapConcurrently(added, { limit: 2, work: add });
      applications = Math.max(applications, wanted);
    },
    async edit(count, value) {
      const edits = Array.from({ length: count }, (_, at) => ({
        name: nameOf(at % applications),
        at: Math.floor(at / applications),
      }));
      await mapConcurrently(edits, {
        limit: 8,
        work: ({ name, at }) =>
          cluster.api(`/api/v1/namespaces/${namespace}/configmaps/${name}-${at}?fieldManager=kubectl-edit`, {
            method: "PATCH",
            body: { data: { value } },
            contentType: "application/merge-patch+json",
          }),
      });
    },
    async close() {
      transport.close();
      client.close();
      await service.close();
    },
  };
}

function nameOf(index: number): string {
  return `growth-${String(index).padStart(3, "0")}`;
}

function objectsOf(application: string): readonly Manifest[] {
  return Array.from({ length: each }, (_, at): Manifest => {
    const labels = { "app.kubernetes.io/name": application, "app.kubernetes.io/part-of": "benchmark" };
    const metadata = { name: `${application}-${at}`, namespace, labels };
    if (at < 40) return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { value: "desired", level: "info" } };
    if (at < 70) return { apiVersion: "v1", kind: "ServiceAccount", metadata };
    if (at < 90) return { apiVersion: "v1", kind: "Secret", metadata, stringData: { password: application } };
    const matchLabels = { app: `${application}-${at}` };
    const template = {
      metadata: { labels: matchLabels },
      spec: { containers: [{ name: "web", image: "registry.example/web:1" }] },
    };
    return { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas: 0, selector: { matchLabels }, template } };
  });
}

/** As after a sync that succeeded; drift is reported, so that a sweep is all that happens. */
async function saveState(stores: Stores, application: string, objects: readonly Manifest[]): Promise<void> {
  const snapshot = await stores.snapshots.save(objects);
  const at = clock.now().toISOString();
  const health = { status: "Healthy", message: "" } as const;
  const desired = { generation: 1, revision: "growth", snapshot, plannedAt: at };
  await stores.applications.put({
    application,
    definition: {
      name: application,
      project: "default",
      sources: [],
      cluster: growthCluster,
      namespace,
      sync: {
        mode: "auto",
        prune: true,
        allowEmpty: false,
        conflicts: "force",
        createNamespace: false,
        timeout: 300,
        hookTimeout: 3600,
        retry: { limit: 5, backoff: { duration: 5, factor: 2, maxDuration: 180 } },
      },
      drift: "report",
      additions: "report",
      ignoreDifferences: [],
      dependsOn: [],
      rollback: "manual",
      syncWindows: [],
    },
    removed: false,
    definitionDigest: "",
    inputs: { repositories: [], pinned: [], cluster: "" },
    desired,
    planError: "",
    plannedRevision: "growth",
    lastSync: {
      id: application,
      application,
      cluster: growthCluster,
      revision: "growth",
      generation: 1,
      snapshot,
      trigger: "push",
      correlationId: "growth",
      phase: "Succeeded",
      startedAt: at,
      finishedAt: at,
      health,
      counts: { created: each, configured: 0, unchanged: 0, pruned: 0, failed: 0 },
      errors: [],
      notes: [],
      attempt: 1,
      retryable: false,
    },
    health,
    drifted: 0,
    additions: 0,
    version: 1,
  });
}
