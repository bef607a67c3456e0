import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { createTable } from "../../cli/local/table.ts";
import { visitLive } from "../../lib/apply/live.ts";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import type { Application } from "../../lib/model/application.ts";
import type { PreventionSettings } from "../../lib/model/prevention.ts";
import { applicationLabel, type GroupVersionKind, type Manifest } from "../../lib/model/resource.ts";
import type { ApplicationState } from "../../lib/model/sync.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import { createSweepPrevention } from "../../lib/sync/sweep/sweep-prevention.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aName } from "../apply/open.ts";
import { anApplication, aState } from "../contracts/rows.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { createMemoryTable } from "../support/memory-table.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { callsOf } from "./impersonate.ts";
import { openCluster } from "./open.ts";

export const merge = "application/merge-patch+json";

/** Someone who may do everything, as far as RBAC goes. */
export const ada = callsOf({ user: "ada" });

/** One installation's prevention on the shared control plane; what it installs goes at the end of the test. */
export interface Preventing {
  readonly writer: ClusterWriter;
  readonly stores: Stores;
  readonly namespace: string;
  /** Applies as a sync of the application does. */
  readonly apply: (application: string, ...objects: readonly Manifest[]) => Promise<void>;
  /** What a sweep does of it; returns the errors for its row. */
  readonly sweep: (...states: readonly ApplicationState[]) => Promise<readonly string[]>;
}

export interface PreventingOptions {
  readonly writer?: ClusterWriter;
  readonly settings?: PreventionSettings;
  readonly roles?: readonly string[];
  /** What a sweep lists. Default ConfigMaps and Deployments. */
  readonly kinds?: readonly GroupVersionKind[];
}

const usualKinds: readonly GroupVersionKind[] = [
  { group: "", version: "v1", kind: "ConfigMap" },
  { group: "apps", version: "v1", kind: "Deployment" },
];

export async function openPrevention(t: TestContext, options: PreventingOptions = {}): Promise<Preventing> {
  const { settings, roles = [], kinds = usualKinds } = options;
  const admin = await openCluster(t);
  const writer = options.writer ?? admin;
  const client = createMemoryTable();
  await createTable({ client, table: "t" });
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const stores = createDynamoStores({ client, table: "t", clock: systemClock, snapshotKey });
  const prevent = settings === undefined ? {} : { prevent: settings };
  await stores.configuration.save({
    configuration: {
      projects: [],
      clusters: [{ name: "eu", kind: "kubeconfig", labels: {}, context: "admin", ...prevent }],
      applications: [],
      healthCheckExprs: [],
      remoteBases: [],
      repositories: [],
    },
    revision: "6dcb09b",
    oid: "o1",
    number: 1,
  });
  const clusters = { writer: () => Promise.resolve(writer) };
  const prevention = createSweepPrevention({ stores, clusters, roles, log: silentLog });
  t.after(async () => {
    await createSweepPrevention({ stores, clusters: { writer: () => Promise.resolve(admin) }, roles, log: silentLog })
      .look({ cluster: "eu", states: [] })
      .settle({});
  });
  return {
    writer,
    stores,
    namespace: await testNamespace("prevent"),
    async apply(application, ...objects) {
      for (const object of objects) await writer.apply(owned(object, application), { force: true });
    },
    async sweep(...states) {
      const look = prevention.look({ cluster: "eu", states });
      const visitorOf = look.along(() => ({ begin: () => undefined, page: () => undefined }));
      await visitLive({ reader: writer, kinds, visitorOf });
      return (await look.settle({})).errors;
    },
  };
}

export function owned(object: Manifest, application: string): Manifest {
  return { ...object, metadata: { ...object.metadata, labels: { [applicationLabel]: application } } };
}

export function stateOf(name: string, drift: Application["drift"]): ApplicationState {
  return aState({ application: name, definition: anApplication({ name, drift }) });
}

/** An application under `prevent` with a ConfigMap `settings` and a Deployment `web`, in force. */
export async function aPreventedApplication(
  t: TestContext,
  options: PreventingOptions = {},
): Promise<Preventing & { readonly name: string; readonly state: ApplicationState }> {
  const preventing = await openPrevention(t, options);
  const { namespace } = preventing;
  const name = aName("prevented");
  const state = stateOf(name, "prevent");
  await preventing.apply(name, aConfigMap(namespace, "settings", { a: "1" }), aConfigMap(namespace, "canary"));
  await preventing.apply(name, aDeployment(namespace, "web"), aDeployment(namespace, "scaled-canary", { replicas: 0 }));
  const errors = await preventing.sweep(state);
  if (errors.length > 0) throw new Error(errors.join("; "));
  await waitInForce(namespace);
  return { ...preventing, name, state };
}

/** It takes a moment until the API server has compiled a policy, and the one for scale comes by itself. */
export async function waitInForce(namespace: string): Promise<void> {
  await untilBothAnswer(namespace, { status: 403, what: "the policies to be in force" });
}

export async function waitLifted(namespace: string): Promise<void> {
  await untilBothAnswer(namespace, { status: 200, what: "the policies to be gone" });
}

async function untilBothAnswer(
  namespace: string,
  { status, what }: { readonly status: number; readonly what: string },
): Promise<void> {
  let tries = 0;
  const attempt = async (): Promise<boolean> => {
    tries++;
    const edit = { metadata: { annotations: { tries: String(tries) } } };
    const edited = await ada({ method: "PATCH", path: pathOf(namespace, "canary"), contentType: merge, body: edit });
    const path = `${deploymentPath(namespace, "scaled-canary")}/scale`;
    const scaled = await ada({ method: "PATCH", path, contentType: merge, body: { spec: { replicas: tries % 2 } } });
    return edited.status === status && scaled.status === status;
  };
  await until(attempt, { what, withinMs: 30_000 });
}

export function pathOf(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`;
}

export function deploymentPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}
