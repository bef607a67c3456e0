import { mapConcurrently } from "../cluster/concurrency.ts";
import type { CallOptions } from "../model/call.ts";
import type { Stores } from "../store/store.ts";

/** Intervals after which the next sweep should have begun. */
const lateAfter = 2;

/** Seconds between sweeps where nothing is said. */
export const usualInterval = 300;

/** When each cluster was last swept. */
export interface LastSweep {
  readonly cluster: string;
  /** When that sweep began, RFC 3339; "" for a cluster that was never swept. */
  readonly at: string;
  /** Seconds since then; 0 for a cluster that was never swept. */
  readonly age: number;
  readonly late: boolean;
}

export interface SweepAgeRequest {
  readonly clusters: readonly string[];
  readonly now: Date;
  /** Seconds between sweeps. */
  readonly interval: number;
  /** Id of a sweep under way, which is not the last one yet. */
  readonly except?: string;
}

/** The newest sweep of each of these clusters; a cluster that was never swept is not late. */
export function lastSweeps(
  stores: Pick<Stores, "sweeps">,
  { clusters, now, interval, except }: SweepAgeRequest,
  options: CallOptions = {},
): Promise<readonly LastSweep[]> {
  return mapConcurrently(clusters, {
    limit: 16,
    work: async (cluster) => {
      const { items } = await stores.sweeps.list(cluster, { ...options, limit: except === undefined ? 1 : 2 });
      const report = items.find(({ id }) => id !== except);
      if (report === undefined) return { cluster, at: "", age: 0, late: false };
      const age = Math.max(0, (now.getTime() - Date.parse(report.startedAt)) / 1000);
      return { cluster, at: report.startedAt, age, late: age > lateAfter * interval };
    },
  });
}
