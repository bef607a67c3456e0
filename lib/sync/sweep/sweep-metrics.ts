import type { DriftRow } from "../../model/drift.ts";
import type { ApplicationState } from "../../model/sync.ts";
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
