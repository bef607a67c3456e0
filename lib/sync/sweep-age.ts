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

/** The newest sweep of each of these clusters; a cluster that was never swept is not late. */
export function lastSweeps(
  stores: Pick<Stores, "sweeps">,
  { clusters, now, interval }: { readonly clusters: readonly string[]; readonly now: Date; readonly interval: number },
  options: CallOptions = {},
): Promise<readonly LastSweep[]> {
  return mapConcurrently(clusters, {
    limit: 16,
    work: async (cluster) => {
      const [report] = (await stores.sweeps.list(cluster, { ...options, limit: 1 })).items;
      if (report === undefined) return { cluster, at: "", age: 0, late: false };
      const age = Math.max(0, (now.getTime() - Date.parse(report.startedAt)) / 1000);
      return { cluster, at: report.startedAt, age, late: age > lateAfter * interval };
    },
  });
}
