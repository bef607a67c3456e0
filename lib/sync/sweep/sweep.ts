import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { SweepReport } from "../../model/drift.ts";
import { branchesOf, branchKey } from "../../plan/affected.ts";
import type { RevisionQueue } from "../../queue/queue.ts";
import type { Sources } from "../../source/source.ts";
import type { Stores } from "../../store/store.ts";
import type { ConfigurationSource } from "../plan/read-configuration.ts";
import { createSweepCluster, type SweepClusterDeps } from "./sweep-cluster.ts";
import { createReleasePending } from "./sweep-pending.ts";
import { createRestartLost } from "./sweep-restart.ts";

export interface SweepDeps extends SweepClusterDeps {
  readonly stores: SweepClusterDeps["stores"] & Pick<Stores, "configuration" | "heads">;
  readonly sources: Sources;
  readonly queue: RevisionQueue;
  readonly configuration: ConfigurationSource;
  readonly newId: () => string;
}

export interface SweepResult {
  readonly id: string;
  readonly reports: readonly SweepReport[];
  /** `repository#branch` whose head moved without a plan: a webhook was lost. */
  readonly movedHeads: readonly string[];
  /** Applications whose newest state waited, and may be synced now. */
  readonly released: readonly string[];
  /** Applications whose run was lost, or failed for a reason that may have passed. */
  readonly restarted: readonly string[];
}

/**
 * The net under everything: drift in every cluster, heads that moved without a webhook, what waited for a time that has come,
 * runs that were lost. One part that fails is an error in its row, and the others still go on.
 */
export function createSweep(deps: SweepDeps): (options?: CallOptions) => Promise<SweepResult> {
  const { stores, sources, queue, log } = deps;
  const sweepCluster = createSweepCluster(deps);
  const releasePending = createReleasePending(deps);
  const restartLost = createRestartLost(deps);

  return async (options = {}) => {
    const id = deps.newId();
    const [stored, states] = await Promise.all([stores.configuration.load(options), stores.applications.list(options)]);
    const movedHeads = await findMovedHeads(id, stored?.configuration, options);
    const { repository, branch } = deps.configuration;
    // A configuration that is about to be read may close what is open.
    const isRestated = movedHeads.includes(branchKey(repository, branch));
    const released = isRestated ? [] : await releasePending({ id, states, movedHeads }, options);
    const others = states.filter(({ application }) => !released.includes(application));
    const restarted = await restartLost({ id, states: others }, options);
    // What was released is another state now, which the look at drift sees by its version.
    const byCluster = Map.groupBy(states, ({ definition }) => definition.cluster);
    const reports = await Promise.all(
      [...byCluster].map(([cluster, members]) => sweepCluster({ id, cluster, states: members }, options)),
    );
    log.info("sweep.done", {
      sweep: id,
      clusters: reports.length,
      drifted: reports.reduce((sum, { drifted }) => sum + drifted, 0),
      movedHeads,
      released,
      restarted,
    });
    return { id, reports, movedHeads, released, restarted };
  };

  async function findMovedHeads(
    id: string,
    configuration: Configuration | undefined,
    options: CallOptions,
  ): Promise<readonly string[]> {
    const { repository, branch } = deps.configuration;
    const branches = new Map([
      [branchKey(repository, branch), { repository, branch }],
      ...branchesOf(configuration?.applications ?? []),
    ]);
    const moved = await mapConcurrently([...branches], {
      limit: 8,
      work: async ([key, at]) => ((await enqueueIfMoved(id, { key, ...at }, options)) ? [key] : []),
    });
    return moved.flat();
  }

  async function enqueueIfMoved(
    id: string,
    { key, repository, branch }: { readonly key: string; readonly repository: string; readonly branch: string },
    options: CallOptions,
  ): Promise<boolean> {
    try {
      const [head, planned] = await Promise.all([
        sources.source(repository).head(branch, options),
        stores.heads.get(repository, branch, options),
      ]);
      if ((head ?? "") === (planned ?? "")) return false;
      log.warn("sweep.head-moved", { sweep: id, repository, branch, head: head ?? "", planned: planned ?? "" });
      await queue.send(
        { repository, branch, correlationId: id, after: head ?? "" },
        { ...options, deduplicationId: `${id}/${key}` },
      );
      return true;
    } catch (error) {
      if (!isDriftlessError(error)) throw error;
      log.error("sweep.head-unknown", { sweep: id, repository, branch, error: messageOf(error) });
      return false;
    }
  }
}
