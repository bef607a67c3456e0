import { attributionOf } from "../../audit/attribution.ts";
import type { Edit } from "../../audit/edit.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { driftEvents } from "../../events/drift-events.ts";
import type { EventBus } from "../../events/events.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftRow } from "../../model/drift.ts";
import { resourceKey } from "../../model/resource.ts";
import type { Stores } from "../../store/store.ts";
import type { Log } from "../../telemetry/log.ts";
import { type Metrics, silentMetrics } from "../../telemetry/metrics.ts";
import type { Edited, OwnedTarget } from "./owners.ts";

export interface RecordPreventedDeps {
  readonly stores: Pick<Stores, "drift">;
  readonly events: EventBus;
  readonly metrics?: Metrics;
  readonly log: Log;
}

/** Writes a row for each edit that our admission policy refused, and tells of them; returns how many. */
export function createRecordPrevented({ stores, events, metrics = silentMetrics, log }: RecordPreventedDeps) {
  return async ({ id, cluster, owned }: Edited, options: CallOptions = {}): Promise<number> => {
    const rows = owned.flatMap((object) => rowsOf(object, cluster));
    await mapConcurrently(rows, { limit: 16, work: (row) => stores.drift.record(row, options) });
    for (const { application, ref, manager, by } of rows) {
      log.info("audit.prevented", { application, ref: resourceKey(ref), manager, user: by?.user ?? "" });
    }
    if (rows.length > 0) metrics.emit({ cluster, values: { DriftPrevented: rows.length } });
    const told = [...Map.groupBy(rows, ({ application }) => application)].flatMap(([application, all]) => {
      const at = all[0]?.changedAt ?? "";
      return driftEvents("DriftPrevented", { application, cluster, correlationId: id, at, rows: all });
    });
    if (told.length > 0) await events.publish(told, options);
    return rows.length;
  };
}

/** One for each who tried, however often: a controller that never gives up would fill the table. */
function rowsOf({ application, ref, target }: OwnedTarget, cluster: string): readonly DriftRow[] {
  const refused = target.edits.filter(({ refusal }) => refusal !== "");
  const newest = new Map(refused.toReversed().map((edit) => [`${edit.user} ${edit.manager}`, edit]));
  return [...newest.values()].map((edit) => ({
    application,
    cluster,
    kind: "prevented",
    ref,
    field: "",
    manager: edit.manager,
    operation: operationOf(edit),
    changedAt: edit.at,
    firstSeen: edit.at,
    lastSeen: edit.at,
    by: attributionOf(edit),
    healedAt: edit.at,
    healedBy: "",
  }));
}

/** A patch without `force` may be an apply or not. */
function operationOf({ verb, isApply }: Edit): string {
  if (isApply) return "Apply";
  return verb === "update" || verb === "create" ? "Update" : "";
}
