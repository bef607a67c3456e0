import { randomBytes, randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { EKSClient } from "@aws-sdk/client-eks";
import { createTable } from "../../cli/local/table.ts";
import type { Clusters } from "../../lib/cluster/cluster.ts";
import { createClusters } from "../../lib/cluster/clusters.ts";
import { assessHealth } from "../../lib/health/health.ts";
import type { SweepReport } from "../../lib/model/drift.ts";
import type { Project } from "../../lib/model/project.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import type { SyncBatch, SyncRecord } from "../../lib/model/sync.ts";
import { findProject } from "../../lib/projects/find.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import { createSyncBatch } from "../../lib/sync/batch/sync-batch.ts";
import { createSweepCluster } from "../../lib/sync/sweep/sweep-cluster.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { type ApiResponse, callApi } from "../control-plane/api.ts";
import { type ApplicationOptions, anEngineApplication, desire } from "../engine/desire.ts";
import { aClock, type TestClock } from "../engine/execution.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { createMemoryTable } from "../support/memory-table.ts";

/** A team with a namespace of its own. */
export interface Tenant {
  readonly project: Project;
  readonly namespace: string;
}

/**
 * An engine whose own identity may do nothing in the cluster but act for its tenants, and tenants that may do what RoleBindings in
 * their own namespaces say.
 */
export interface Tenancy {
  readonly a: Tenant;
  readonly b: Tenant;
  readonly stores: Stores;
  readonly clock: TestClock;
  readonly clusters: Clusters;
  /** The same cluster where nobody at Driftless looks at the limits of projects: all that is left is the API server's own no. */
  readonly unguarded: Clusters;
  /** Desires the objects of an application and syncs them; returns the row. */
  readonly sync: (of: TenantApplication, objects: readonly Manifest[], clusters?: Clusters) => Promise<SyncRecord | undefined>;
  /** `after` is told of each step that is done. */
  readonly run: (batch: SyncBatch, clusters?: Clusters, after?: (step: string) => Promise<void>) => Promise<void>;
  readonly sweep: () => Promise<{ readonly report: SweepReport; readonly started: readonly SyncBatch[] }>;
  /** One raw call as cluster-admin. */
  readonly admin: (method: string, path: string, body?: object) => Promise<ApiResponse>;
}

export interface TenantApplication extends ApplicationOptions {
  readonly name: string;
  readonly tenant: Tenant;
}

const all = [{ group: "*", kind: "*", name: "*" }];

export function aProject(name: string, namespaces: readonly string[], change: Partial<Project> = {}): Project {
  return {
    name,
    description: "",
    sourceRepos: ["*"],
    paths: ["**"],
    destinations: namespaces.map((namespace) => ({ cluster: "eu", namespace })),
    clusterResourceWhitelist: [],
    namespaceResourceWhitelist: all,
    namespaceResourceBlacklist: [],
    identity: "impersonate",
    roles: [],
    syncWindows: [],
    applicationFiles: [],
    ...change,
  };
}

/** Two tenants who may do everything with ConfigMaps in their namespaces, and nothing else. */
export async function openTenancy(t: TestContext, more: readonly Project[] = []): Promise<Tenancy> {
  const controlPlane = await sharedControlPlane();
  const access = { ...controlPlane, token: controlPlane.tokens.admin };
  const admin: Tenancy["admin"] = (method, path, body) =>
    callApi(access, path, { method, ...(body === undefined ? {} : { body }) });
  const suffix = randomBytes(3).toString("hex");
  const tenant = async (name: string): Promise<Tenant> => {
    const namespace = await testNamespace(name);
    return { namespace, project: aProject(`${name}-${suffix}`, [namespace]) };
  };
  const [a, b] = [await tenant("team-a"), await tenant("team-b")];
  const projects = [a.project, b.project, ...more];
  await grantImpersonation(t, { admin, suffix, projects });
  for (const { namespace, project } of [a, b]) await grantConfigMaps({ admin, namespace, project });

  const clock = aClock();
  const client = createMemoryTable();
  await createTable({ client, table: "t" });
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const stores = createDynamoStores({ client, table: "t", clock, snapshotKey });
  await stores.configuration.save({
    configuration: {
      projects,
      clusters: [{ name: "eu", kind: "kubeconfig", labels: {}, context: "limited" }],
      applications: [],
      healthCheckExprs: [],
      remoteBases: [],
      repositories: [],
    },
    revision: "6dcb09b",
    oid: "o1",
    number: 1,
  });
  const opened = (project: (name: string) => Project | undefined): Clusters => {
    const clusters = createClusters({
      find: () => Promise.resolve({ name: "eu", kind: "kubeconfig", labels: {}, context: "limited" }),
      project: (name) => Promise.resolve(project(name)),
      kubeconfigPath: controlPlane.kubeconfig,
      eksClient: () => new EKSClient({}),
      clock: systemClock,
      log: silentLog,
    });
    t.after(() => clusters.close());
    return clusters;
  };
  const clusters = opened((name) => findProject({ projects }, name));
  const unguarded = opened((name) => aProject(name, ["*"], { clusterResourceWhitelist: all }));

  const run: Tenancy["run"] = async (batch, over = clusters, after = () => Promise.resolve()) => {
    const deps = { stores, clusters: over, assessor: () => Promise.resolve(assessHealth), clock, log: silentLog };
    const wait = (_name: string, seconds: number) => Promise.resolve(clock.advance(seconds));
    await createSyncBatch(deps)(batch, {
      id: randomUUID(),
      async step(name, work) {
        const done = await work();
        await after(name);
        return done;
      },
      wait,
    });
  };
  return {
    a,
    b,
    stores,
    clock,
    clusters,
    unguarded,
    run,
    admin,
    async sync({ name, tenant: { namespace, project }, ...change }, objects, over) {
      const definition = anEngineApplication(name, namespace, { project: project.name, ...change });
      await run(await desire(stores, definition, objects), over);
      return (await stores.applications.get(name))?.lastSync;
    },
    async sweep() {
      clock.advance(60);
      const started: SyncBatch[] = [];
      const starter = { start: async (batch: SyncBatch) => void started.push(batch) };
      const sweepCluster = createSweepCluster({ stores, clusters, starter, clock, log: silentLog });
      const states = await stores.applications.list();
      return { report: await sweepCluster({ id: randomUUID(), cluster: "eu", states, projects }), started };
    },
  };
}

export function configMapPath(namespace: string, name = ""): string {
  return `/api/v1/namespaces/${namespace}/configmaps${name === "" ? "" : `/${name}`}`;
}

interface Granting {
  readonly admin: Tenancy["admin"];
}

const rbac = "/apis/rbac.authorization.k8s.io/v1";

/** All that Driftless' own identity needs where every project impersonates. */
async function grantImpersonation(
  t: TestContext,
  { admin, suffix, projects }: Granting & { readonly suffix: string; readonly projects: readonly Project[] },
): Promise<void> {
  const name = `driftless-impersonates-${suffix}`;
  const rule = (resources: string, names: readonly string[]) => {
    return { apiGroups: [""], resources: [resources], verbs: ["impersonate"], resourceNames: names };
  };
  const rules = [
    rule(
      "users",
      projects.map((project) => `driftless:${project.name}`),
    ),
    rule(
      "groups",
      projects.map((project) => `driftless:project:${project.name}`),
    ),
  ];
  await created(admin("POST", `${rbac}/clusterroles`, { metadata: { name }, rules }));
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "limited" }];
  await created(admin("POST", `${rbac}/clusterrolebindings`, { metadata: { name }, roleRef, subjects }));
  t.after(async () => {
    await admin("DELETE", `${rbac}/clusterrolebindings/${name}`);
    await admin("DELETE", `${rbac}/clusterroles/${name}`);
  });
}

async function grantConfigMaps({
  admin,
  namespace,
  project,
}: Granting & { readonly namespace: string; readonly project: Project }): Promise<void> {
  const metadata = { name: "tenant" };
  const verbs = ["get", "list", "create", "patch", "delete"];
  const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs }];
  await created(admin("POST", `${rbac}/namespaces/${namespace}/roles`, { metadata, rules }));
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "tenant" };
  const name = `driftless:project:${project.name}`;
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name }];
  await created(admin("POST", `${rbac}/namespaces/${namespace}/rolebindings`, { metadata, roleRef, subjects }));
}

async function created(answer: Promise<ApiResponse>): Promise<void> {
  const { status, text } = await answer;
  if (status !== 201) throw new Error(`not created (${status}): ${text}`);
}
