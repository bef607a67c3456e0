import { detailVersion, type EventBus, type SweepLateDetail, silentEvents } from "../../events/events.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { type Metrics, silentMetrics } from "../../telemetry/metrics.ts";
import { lastSweeps, usualInterval } from "../sweep-age.ts";

export interface SweepLateDeps {
  readonly stores: Pick<Stores, "sweeps">;
  readonly events?: EventBus;
  readonly metrics?: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Seconds between sweeps, as the schedule has them. Default 300. */
  readonly sweepInterval?: number;
}

export interface BegunSweep {
  readonly id: string;
  readonly clusters: readonly string[];
}

/**
 * Tells how long ago each cluster was swept before, and alarms when that is more than two intervals: drift and lost webhooks
 * waited for so long, and nothing else finds them.
 */
export function createSweepLate({
  stores,
  events = silentEvents,
  metrics = silentMetrics,
  clock,
  log,
  sweepInterval: interval = usualInterval,
}: SweepLateDeps): (sweep: BegunSweep, options: CallOptions) => Promise<void> {
  return async ({ id, clusters }, options) => {
    const now = clock.now();
    const before = await lastSweeps(stores, { clusters, now, interval, except: id }, options);
    // An installation without clusters is swept as well: its alarm is not to sound.
    if (before.length === 0) metrics.emit({ values: { SweepAge: 0 } });
    for (const { cluster, age } of before) metrics.emit({ cluster, values: { SweepAge: age } });
    const late = before.filter((last) => last.late).sort((a, b) => b.age - a.age);
    const [worst] = late;
    if (worst === undefined) return;
    const detail: SweepLateDetail = {
      version: detailVersion,
      correlationId: id,
      at: now.toISOString(),
      lastSweepAt: worst.at,
      ageSeconds: Math.round(worst.age),
      intervalSeconds: interval,
      clusters: late.map(({ cluster }) => cluster),
    };
    const { lastSweepAt, ageSeconds, intervalSeconds } = detail;
    log.warn("sweep.late", { sweep: id, clusters: detail.clusters, lastSweepAt, ageSeconds, intervalSeconds });
    await events.publish([{ detailType: "SweepLate", detail }], options);
  };
}
