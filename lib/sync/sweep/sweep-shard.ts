import type { CallOptions } from "../../model/call.ts";
import type { SweepReport } from "../../model/drift.ts";
import type { Stores } from "../../store/store.ts";
import { projectsOf } from "../projects.ts";
import { usualInterval } from "../sweep-age.ts";
import { type ClusterSweep, createSweepCluster, type SweepClusterDeps } from "./sweep-cluster.ts";

export interface SweepShardDeps extends SweepClusterDeps {
  readonly stores: SweepClusterDeps["stores"] & Pick<Stores, "configuration">;
  /** Seconds between sweeps, as the schedule has them. Default 300. */
  readonly sweepInterval?: number;
}

/** A part of a sweep as its invocation is told of it; what it is about is read when it begins, unless it is at hand. */
export type ShardSweep = Pick<ClusterSweep, "id" | "cluster"> &
  Partial<Pick<ClusterSweep, "states" | "healthCheckExprs" | "projects">>;

/**
 * The part of the time between two sweeps for which one keeps others off its cluster, so that the next repeats one that died. A
 * sweep that takes longer may meet another, which costs requests and nothing else.
 */
const heldPart = 0.8;

/** Sweeps one cluster, unless another sweep is at it: undefined then. */
export function createSweepShard(
  deps: SweepShardDeps,
): (shard: ShardSweep, options?: CallOptions) => Promise<SweepReport | undefined> {
  const { stores, log, sweepInterval = usualInterval } = deps;
  const sweepCluster = createSweepCluster(deps);

  return async (shard, options = {}) => {
    const { id, cluster } = shard;
    // No application has a name with a colon.
    const request = { application: `sweep:${cluster}`, holder: id, generation: 0, seconds: heldPart * sweepInterval, ...options };
    const [taken, sweep] = await Promise.all([stores.leases.acquire(request), complete(shard, options)]);
    if (!taken.acquired) {
      log.info("sweep.held", { sweep: id, cluster, holder: taken.held.holder });
      return undefined;
    }
    try {
      return await sweepCluster(sweep, options);
    } finally {
      // Also when the time is up.
      await stores.leases.release(taken.lease);
    }
  };

  async function complete(shard: ShardSweep, options: CallOptions): Promise<ClusterSweep> {
    const { id, cluster, states, healthCheckExprs, projects } = shard;
    if (states !== undefined) return { ...shard, states };
    const [all, stored] = await Promise.all([
      stores.applications.list(options),
      healthCheckExprs === undefined || projects === undefined ? stores.configuration.load(options) : undefined,
    ]);
    return {
      id,
      cluster,
      states: all.filter(({ definition }) => definition.cluster === cluster),
      healthCheckExprs: healthCheckExprs ?? stored?.configuration.healthCheckExprs ?? [],
      projects: projects ?? projectsOf(stored?.configuration),
    };
  }
}
