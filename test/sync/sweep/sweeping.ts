import { randomUUID } from "node:crypto";
import type { Answer } from "../../../lib/cluster/classify.ts";
import type { HttpRequest } from "../../../lib/cluster/exchange.ts";
import { createClusterReader } from "../../../lib/cluster/kubernetes.ts";
import type { PageSizes } from "../../../lib/cluster/lists.ts";
import { DriftlessError } from "../../../lib/errors.ts";
import type { SweepReport } from "../../../lib/model/drift.ts";
import type { Manifest, ResourceRef } from "../../../lib/model/resource.ts";
import type { SyncBatch } from "../../../lib/model/sync.ts";
import { type ClusterSweep, createSweepCluster, type SweepClusterDeps } from "../../../lib/sync/sweep/sweep-cluster.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { callApi } from "../../control-plane/api.ts";
import { type ApplicationOptions, anEngineApplication, desire } from "../../engine/desire.ts";
import { aClock } from "../../engine/execution.ts";
import { type Api, type Installation, openInstallation } from "../../engine/installation.ts";
import { sharedControlPlane } from "../../support/cluster.ts";

/** An engine on the real API server, and sweeps of it that are looked at from all sides. */
export interface Sweeping {
  readonly installation: Installation;
  /** Brings an application to these objects, as a push does. */
  readonly deliver: (name: string, objects: readonly Manifest[], options?: ApplicationOptions) => Promise<void>;
  /** Sweeps what is in the table. */
  readonly sweep: (options?: Partial<ClusterSweep>) => Promise<SweepReport>;
  /** Runs that sweeps have started since the last look. */
  readonly started: () => readonly SyncBatch[];
  /** Requests of the last sweep, as `GET deployments?...`. */
  readonly requests: () => readonly HttpRequest[];
  /** From now on asked before each request of a sweep; answers, or fails, in the API server's stead. */
  readonly onRequest: (fault: (request: HttpRequest) => Answer | undefined | Promise<Answer | undefined>) => void;
  readonly deps: SweepClusterDeps;
}

export async function openSweeping(
  api: Api,
  { pageSizes = {}, ...more }: Partial<SweepClusterDeps> & { readonly pageSizes?: Partial<PageSizes> } = {},
): Promise<Sweeping> {
  const installation = await openInstallation({ api, clock: aClock(), sharesDiscovery: true });
  const { stores, clock } = installation;
  const batches: SyncBatch[] = [];
  const requests: HttpRequest[] = [];
  let fault: (request: HttpRequest) => Answer | undefined | Promise<Answer | undefined> = () => undefined;
  const transport: typeof api.transport = {
    ...api.transport,
    async request(request, options) {
      requests.push(request);
      options?.onRequest?.();
      return (await fault(request)) ?? api.transport.request(request, { ...options, onRequest: () => undefined });
    },
  };
  const deps: SweepClusterDeps = {
    stores,
    clusters: {
      reader: () => Promise.resolve(createClusterReader({ transport, discovery: api.discovery, pageSizes })),
      writer: () => Promise.reject(new DriftlessError("cluster", "a sweep writes nothing")),
    },
    starter: {
      start: (batch) => {
        batches.push(batch);
        return Promise.resolve();
      },
    },
    clock,
    log: silentLog,
    ...more,
  };
  const sweepCluster = createSweepCluster(deps);
  return {
    installation,
    deps,
    async deliver(name, objects, options) {
      const batch = await desire(stores, anEngineApplication(name, "", options), objects);
      await installation.sync(batch, `deliver-${randomUUID()}`);
    },
    async sweep(options = {}) {
      clock.advance(60);
      requests.length = 0;
      const states = await stores.applications.list();
      return sweepCluster({ id: `sweep-${randomUUID()}`, cluster: "eu", states, ...options });
    },
    started: () => batches.splice(0),
    requests: () => requests,
    onRequest(next) {
      fault = next;
    },
  };
}

/** Changes an object of the core group as a person with kubectl does. */
export async function edit(ref: ResourceRef, patch: object, { manager = "kubectl-edit" } = {}): Promise<void> {
  const { server, ca, tokens } = await sharedControlPlane();
  const path = `/api/${ref.version}/namespaces/${ref.namespace}/${ref.kind.toLowerCase()}s/${ref.name}?fieldManager=${manager}`;
  const call = { method: "PATCH", body: patch, contentType: "application/merge-patch+json" };
  const { status, text } = await callApi({ server, ca, token: tokens.admin }, path, call);
  if (status !== 200) throw new Error(`PATCH ${path} was answered with ${status}: ${text}`);
}
