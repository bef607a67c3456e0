import { healedEvents } from "../../events/drift-events.ts";
import { silentEvents } from "../../events/events.ts";
import type { DriftRow } from "../../model/drift.ts";
import { gvkOf, type Manifest, type ResourceRef } from "../../model/resource.ts";
import type { ApplicationState, SyncRecord } from "../../model/sync.ts";
import { driftOptionsOf, isHealing } from "../../plan/drift-options.ts";
import { silentMetrics } from "../../telemetry/metrics.ts";
import type { Work } from "./progress.ts";
import type { SyncDeps } from "./sync-deps.ts";

export interface HealedBy {
  readonly row: SyncRecord;
  readonly work: Work;
  /** The application as it was when the sync ended. */
  readonly known: ApplicationState | undefined;
}

/** Closes the drift that a sync which succeeded has put right, and tells of it; returns the rows. */
export function createHealedRows({
  stores,
  events = silentEvents,
  metrics = silentMetrics,
}: Pick<SyncDeps, "stores" | "events" | "metrics">): (healed: HealedBy) => Promise<readonly DriftRow[]> {
  return async ({ row, work, known }) => {
    const mayClose = row.trigger === "heal" || work.removed ? known?.additions : 0;
    if (known === undefined || known.drifted + (mayClose ?? 0) === 0) return [];
    const isPutRight = await rightOf({ row, work, known });
    const rows = (await stores.drift.open(row.application)).filter(isPutRight);
    if (rows.length === 0) return rows;
    const { application, cluster, correlationId, id: sync, finishedAt: at } = row;
    await stores.drift.heal(rows, { at, by: sync });
    if (work.removed) return rows;
    metrics.emit({ cluster, values: { DriftHealed: rows.length } });
    metrics.emit({ cluster, application, values: { DriftHealed: rows.length } });
    await events.publish(healedEvents({ application, cluster, correlationId, at, rows, sync }));
    return rows;
  };

  /** Of a removed application nothing is desired any more, so that nothing can differ. */
  async function rightOf({
    row,
    work,
    known,
  }: HealedBy & { readonly known: ApplicationState }): Promise<(open: DriftRow) => boolean> {
    if (work.removed) return () => true;
    if (row.trigger !== "heal") return ({ kind }) => kind === "changed" || kind === "missing";
    // A heal leaves alone what its policy does not heal, and what somebody reverts again and again.
    const objects = work.desired.snapshot === "" ? [] : await stores.snapshots.load(work.desired.snapshot);
    return ({ kind, ref, fight }) => {
      const options = driftOptionsOf(manifestOf(objects, ref), known.definition);
      if (fight !== undefined || !isHealing(options)) return false;
      return kind === "changed" || kind === "missing" || (kind === "addition" && options.additions === "drift");
    };
  }
}

/** An object of Git may leave its namespace to the application. */
function manifestOf(objects: readonly Manifest[], { group, kind, namespace, name }: ResourceRef): Manifest | undefined {
  return objects.find(({ metadata, ...object }) => {
    const given = metadata.namespace ?? namespace;
    return (
      object.kind === kind && gvkOf(object).group === group && metadata.name === name && (namespace === "" || given === namespace)
    );
  });
}
