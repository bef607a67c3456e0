import type { Clusters } from "../../cluster/cluster.ts";
import type { EventBus } from "../../events/events.ts";
import type { Assessor } from "../../health/health.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";

/** What the sync of a batch calls. */
export interface SyncDeps {
  readonly stores: Pick<
    Stores,
    "applications" | "configuration" | "heads" | "snapshots" | "inventories" | "syncs" | "drift" | "leases" | "digest"
  >;
  readonly clusters: Clusters;
  /** How objects are judged, the configuration's own rules included. */
  readonly assessor: () => Promise<Assessor>;
  /** Told of drift that the sync put right; nobody when absent. */
  readonly events?: EventBus;
  readonly metrics?: Metrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** Seconds that a lease lasts unless renewed; every stage renews it, and no pause is nearly as long. */
export const leaseSeconds = 120;
/** Seconds of a lease below which whoever only looks at it extends it: the longest pause is half as long. */
export const renewBelow = leaseSeconds / 2;
