import type { ApplicationSource } from "../../model/application-source.ts";
import type { SyncPreview } from "../../model/plan.ts";
import type { ApplicationState, SyncRecord } from "../../model/sync.ts";
import { inForce } from "../../plan/gate.ts";

/** What the last render read: while none of it changes, no push renders the application again. */
export function inputsView({ application, definition, inputs, desired, planError }: ApplicationState) {
  const { repositories, pinned, cluster } = inputs;
  return {
    application,
    cluster: definition.cluster,
    sources: definition.sources.map(sourceView),
    revision: desired?.revision ?? "",
    planError,
    repositories,
    pinned,
    readsCapabilities: cluster !== "",
  };
}

/** Its facts at a time, since a suspension ends by itself. */
export function applicationView(state: ApplicationState, now: Date) {
  const {
    application,
    definition,
    removed,
    desired,
    pending,
    rejected,
    approval,
    lastHealthy,
    suspended,
    lastSync,
    health,
    planError,
    plannedRevision,
    drifted,
    additions,
  } = state;
  const { cluster, namespace, drift, sync, rollback, dependsOn } = definition;
  const stopped = inForce(suspended, now) ?? inForce(definition.suspend, now);
  return {
    name: application,
    cluster,
    namespace,
    sources: definition.sources.map(sourceView),
    syncMode: sync.mode,
    driftPolicy: drift,
    rollbackPolicy: rollback,
    dependsOn,
    removed,
    health,
    sync: removed ? "Removed" : syncStatus(state),
    revision: desired?.revision ?? "",
    plannedRevision,
    planError,
    drifted,
    additions,
    ...(pending === undefined ? {} : { pending: view(pending, "revision", "plannedAt", "reason") }),
    ...(stopped === undefined ? {} : { suspended: view(stopped, "owner", "reason", "until") }),
    ...(rejected === undefined ? {} : { rejected: view(rejected, "revision", "reason", "by", "at") }),
    ...(approval === undefined ? {} : { approval: view(approval, "revision", "hash", "by", "at") }),
    ...(lastHealthy === undefined ? {} : { lastHealthy: lastHealthy.revision }),
    ...(lastSync === undefined ? {} : { lastSync: syncView(lastSync) }),
  };
}

/** One run, as history has it. */
export function syncView(sync: SyncRecord) {
  return view(
    sync,
    "id",
    "application",
    "cluster",
    "revision",
    "generation",
    "snapshot",
    "trigger",
    "correlationId",
    "phase",
    "startedAt",
    "finishedAt",
    "health",
    "counts",
    "errors",
    "notes",
    "attempt",
    "retryable",
  );
}

/** What a sync would change; the values of Secrets are masked in it. */
export function previewView(preview: SyncPreview) {
  const changes = preview.changes.map((change) => ({
    ...view(change, "action", "ref", "reason"),
    fields: change.fields.map((field) => view(field, "path", "from", "to", "manager")),
  }));
  return {
    ...view(preview, "application", "cluster", "revision", "snapshot", "hash", "prune", "unchanged", "blocked", "warnings"),
    needsApproval: preview.needsApproval === true,
    changes,
  };
}

/** These fields and no others, whatever else a row has. */
function view<T, K extends keyof T>(row: T, ...names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, row[name]])) as Pick<T, K>;
}

/** Where objects come from, without the options, which may hold values. */
function sourceView(source: ApplicationSource) {
  if (source.kind === "chart") return { chart: source.chart };
  const { repository, targetRevision, path, ref } = source;
  return { repository, targetRevision, ...(path === undefined ? {} : { path }), ...(ref === undefined ? {} : { ref }) };
}

/** Synced, OutOfSync or Unknown, as Argo CD has them: what waits or was rolled back is in Git and not in the cluster. */
function syncStatus({
  desired,
  pending,
  rejected,
  lastSync,
  planError,
}: Pick<ApplicationState, "desired" | "pending" | "rejected" | "lastSync" | "planError">): "Synced" | "OutOfSync" | "Unknown" {
  if (desired === undefined || lastSync === undefined) return "Unknown";
  const isSynced = lastSync.generation === desired.generation && lastSync.phase === "Succeeded" && planError === "";
  return isSynced && pending === undefined && rejected === undefined ? "Synced" : "OutOfSync";
}
