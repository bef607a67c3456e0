import type { Application } from "../../lib/model/application.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import type { ApplicationState, SyncBatch } from "../../lib/model/sync.ts";
import type { Stores } from "../../lib/store/store.ts";
import { aSyncPolicy } from "../contracts/rows.ts";

export interface ApplicationOptions extends Partial<Omit<Application, "name" | "sync">> {
  readonly sync?: Partial<Application["sync"]>;
}

/** As `driftless.yaml` gives it with no more than a name, a folder and a namespace. */
export function anEngineApplication(name: string, namespace: string, { sync, ...change }: ApplicationOptions = {}): Application {
  return {
    name,
    project: "default",
    sources: [{ kind: "git", repository: "https://git.example/acme/fleet.git", targetRevision: "main", path: name }],
    cluster: "eu",
    namespace,
    sync: aSyncPolicy(sync),
    drift: "heal",
    additions: "report",
    ignoreDifferences: [],
    dependsOn: [],
    rollback: "manual",
    syncWindows: [],
    ...change,
  };
}

/** Desires these objects of an application from now on, as a plan does it; returns the batch that syncs them. */
export async function desire(
  stores: Stores,
  definition: Application,
  objects: readonly Manifest[],
  trigger: SyncBatch["trigger"] = "push",
): Promise<SyncBatch> {
  const { name: application } = definition;
  const snapshot = await stores.snapshots.save(objects);
  const known = await stores.applications.get(application);
  const generation = (known?.desired?.generation ?? 0) + 1;
  const revision = `revision-${generation}`;
  const { lastSync } = known ?? {};
  const state: ApplicationState = {
    application,
    definition,
    removed: false,
    definitionDigest: "",
    inputs: { repositories: [], pinned: [], cluster: "" },
    desired: { generation, revision, snapshot, plannedAt: "" },
    planError: "",
    plannedRevision: revision,
    health: known?.health ?? { status: "Unknown", message: "" },
    drifted: 0,
    additions: 0,
    version: (known?.version ?? 0) + 1,
    ...(known?.lastHealthy === undefined ? {} : { lastHealthy: known.lastHealthy }),
    ...(lastSync === undefined ? {} : { lastSync }),
  };
  if (!(await stores.applications.put(state))) throw new Error(`the state of ${application} was written in between`);
  return batchOf(state, trigger);
}

/** The run that syncs the desired state of one application. */
export function batchOf(
  { application, definition, desired }: ApplicationState,
  trigger: SyncBatch["trigger"] = "push",
): SyncBatch {
  const { generation = 0, revision = "" } = desired ?? {};
  return {
    cluster: definition.cluster,
    project: definition.project,
    revision,
    trigger,
    correlationId: `of-${revision}`,
    applications: [{ name: application, generation }],
  };
}
