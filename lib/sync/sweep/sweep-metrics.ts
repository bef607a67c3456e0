import type { DriftRow } from "../../model/drift.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { restartGateOf } from "../../plan/gate.ts";
import { type Metrics, silentMetrics } from "../../telemetry/metrics.ts";

/** What a sweep learned of one application. */
export interface SweptApplication {
  /** As it stands after the look. */
  readonly state: ApplicationState;
  readonly rows: readonly DriftRow[];
  /** Rows that no sweep had seen before, without additions that are no drift. */
  readonly fresh: number;
}

/** Counts of a cluster, and of each of its applications that has drift: a metric costs as long as it is measured. */
export function measureDrift(
  applications: readonly SweptApplication[],
  { metrics = silentMetrics, cluster }: { readonly metrics?: Metrics | undefined; readonly cluster: string },
): void {
  const each = applications.map(({ state, rows, fresh }) => ({
    application: state.application,
    values: {
      DriftOpen: state.drifted,
      DriftDetected: fresh,
      DriftFights: rows.filter(({ fight }) => fight !== undefined).length,
    },
  }));
  const total = (name: keyof (typeof each)[number]["values"]): number => each.reduce((sum, { values }) => sum + values[name], 0);
  const values = { DriftOpen: total("DriftOpen"), DriftDetected: total("DriftDetected"), DriftFights: total("DriftFights") };
  metrics.emit({ cluster, values });
  for (const { application, values: own } of each) {
    if (Object.values(own).some((count) => count > 0)) metrics.emit({ cluster, application, values: own });
  }
}

/**
 * Seconds since the oldest desired state was planned that no sync has brought to health; 0 when there is none. What is suspended,
 * or waits for leave, is not late: somebody wants it so.
 */
export function oldestUnsynced(states: readonly ApplicationState[], now: Date): number {
  const late = states.flatMap((state) => {
    const { desired, lastSync } = state;
    const isDone = lastSync?.phase === "Succeeded" && lastSync.generation === desired?.generation;
    if (desired === undefined || isDone || !restartGateOf({ ...state, now }).open) return [];
    return [now.getTime() - Date.parse(desired.plannedAt)];
  });
  return Math.max(0, ...late) / 1000;
}
