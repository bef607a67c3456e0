import { isDriftlessError, messageOf } from "../../errors.ts";
import { silentEvents } from "../../events/events.ts";
import type { CallOptions } from "../../model/call.ts";
import type { SweepReport, SweepShard } from "../../model/drift.ts";
import { capabilitiesDigest } from "../../plan/affected.ts";
import type { Stores } from "../../store/store.ts";
import { createFights } from "./sweep-fights.ts";
import { createSweepShard, type SweepShardDeps } from "./sweep-shard.ts";

export interface TakeShardDeps extends SweepShardDeps {
  readonly stores: SweepShardDeps["stores"] & Pick<Stores, "capabilities">;
}

/**
 * Sweeps one cluster that a sweep handed on, and keeps what the cluster can do, for plans that do not reach it. Undefined where
 * another sweep is at the cluster.
 */
export function createTakeShard(
  deps: TakeShardDeps,
): (shard: SweepShard, options?: CallOptions) => Promise<SweepReport | undefined> {
  const { stores, clusters, log } = deps;
  const sweepShard = createSweepShard({ ...deps, fights: deps.fights ?? createFights({ events: silentEvents, ...deps }) });

  return async ({ sweep, cluster }, options = {}) => {
    const [report] = await Promise.all([sweepShard({ id: sweep, cluster }, options), keepCapabilities(cluster, options)]);
    return report;
  };

  async function keepCapabilities(cluster: string, options: CallOptions): Promise<void> {
    try {
      const [known, reader] = await Promise.all([stores.capabilities.load(cluster, options), clusters.reader(cluster, options)]);
      const now = await reader.capabilities(options);
      if (known !== undefined && capabilitiesDigest(known) === capabilitiesDigest(now)) return;
      await stores.capabilities.save(cluster, now, options);
      log.info("sweep.capabilities", { cluster, version: now.kubeVersion, kinds: now.apiVersions.length });
    } catch (error) {
      // The sweep's own report says what is wrong with the cluster.
      if (!isDriftlessError(error)) throw error;
      log.warn("sweep.capabilities-unknown", { cluster, error: messageOf(error) });
    }
  }
}
