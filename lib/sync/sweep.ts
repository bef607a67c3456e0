import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import type { Configuration } from "../model/application.ts";
import type { CallOptions } from "../model/call.ts";
import type { SweepReport } from "../model/drift.ts";
import type { ApplicationState } from "../model/sync.ts";
import { branchesOf, branchKey } from "../plan/affected.ts";
import type { RevisionQueue, SyncStarter } from "../queue/queue.ts";
import type { Sources } from "../source/source.ts";
import type { Stores } from "../store/store.ts";
import type { ConfigurationSource } from "./read-configuration.ts";
import { batchesOf, isDue, runName } from "./runs.ts";
import { createSweepCluster, type SweepClusterDeps } from "./sweep-cluster.ts";

export interface SweepDeps extends SweepClusterDeps {
  readonly stores: SweepClusterDeps["stores"] & Pick<Stores, "configuration" | "heads">;
  readonly sources: Sources;
  readonly queue: RevisionQueue;
  readonly starter: SyncStarter;
  readonly configuration: ConfigurationSource;
  readonly newId: () => string;
}

export interface SweepResult {
  readonly id: string;
  readonly reports: readonly SweepReport[];
  /** `repository#branch` whose head moved without a plan: a webhook was lost. */
  readonly movedHeads: readonly string[];
  /** Applications whose run was lost, or failed for a reason that may have passed. */
  readonly restarted: readonly string[];
}

/** Seconds that a plan has to get its run begun before the sweep starts it again. */
const beginSeconds = 30;

/**
 * The net under everything: drift in every cluster, heads that moved without a webhook, runs that were lost. One part that
 * fails is an error in its row, and the others still go on.
 */
export function createSweep(deps: SweepDeps): (options?: CallOptions) => Promise<SweepResult> {
  const { stores, sources, queue, starter, clock, log } = deps;
  const sweepCluster = createSweepCluster(deps);

  return async (options = {}) => {
    const id = deps.newId();
    const [stored, states] = await Promise.all([stores.configuration.load(options), stores.applications.list(options)]);
    const movedHeads = await findMovedHeads(id, stored?.configuration, options);
    const restarted = await restartLost(id, states, options);
    const byCluster = Map.groupBy(states, ({ definition }) => definition.cluster);
    const reports = await Promise.all(
      [...byCluster].map(([cluster, members]) => sweepCluster({ id, cluster, states: members }, options)),
    );
    log.info("sweep.done", {
      sweep: id,
      clusters: reports.length,
      drifted: reports.reduce((sum, { drifted }) => sum + drifted, 0),
      movedHeads,
      restarted,
    });
    return { id, reports, movedHeads, restarted };
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

  async function restartLost(id: string, states: readonly ApplicationState[], options: CallOptions): Promise<readonly string[]> {
    const lost = await mapConcurrently(states.filter(mayBeLost), {
      limit: 16,
      work: async (state) => ((await isHeld(state.application, options)) ? [] : [state]),
    });
    for (const batch of batchesOf(lost.flat(), { trigger: "sweep", correlationId: id })) {
      log.warn("sweep.restarted", {
        sweep: id,
        cluster: batch.cluster,
        applications: batch.applications.map(({ name }) => name),
      });
      await starter.start(batch, { name: runName(batch), ...options });
    }
    return lost.flat().map(({ application }) => application);
  }

  function mayBeLost(state: ApplicationState): boolean {
    if (isDue(state)) return clock.now().getTime() - Date.parse(state.desired?.plannedAt ?? "") > beginSeconds * 1000;
    const { phase = "Succeeded", retryable = false } = state.lastSync ?? {};
    return phase === "Running" || phase === "Waiting" || (phase === "Failed" && retryable);
  }

  async function isHeld(application: string, options: CallOptions): Promise<boolean> {
    const lease = await stores.leases.get(application, options);
    return lease !== undefined && lease.expiresAt > clock.now().toISOString();
  }
}
