import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import { silentEvents } from "../../events/events.ts";
import type { Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { SweepReport, SweepShard } from "../../model/drift.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { branchesOf } from "../../plan/affected.ts";
import { findProject } from "../../projects/find.ts";
import type { RevisionQueue, ShardStarter } from "../../queue/queue.ts";
import type { Sources } from "../../source/source.ts";
import type { StoredConfiguration, Stores } from "../../store/store.ts";
import { type ConfigurationSource, configurationBranches } from "../plan/configuration-files.ts";
import { allowedAsStated } from "../plan/project-rules.ts";
import { projectOf, projectsOf } from "../projects.ts";
import { type ClusterSweep, nothingFound, type SweepClusterDeps } from "./sweep-cluster.ts";
import { createReplayDeliveries } from "./sweep-deliveries.ts";
import { createFights } from "./sweep-fights.ts";
import { createSweepLate } from "./sweep-late.ts";
import { oldestUnsynced } from "./sweep-metrics.ts";
import { createReleasePending } from "./sweep-pending.ts";
import { createRestartLost } from "./sweep-restart.ts";
import { createSweepShard } from "./sweep-shard.ts";

export interface SweepDeps extends SweepClusterDeps {
  readonly stores: SweepClusterDeps["stores"] & Pick<Stores, "configuration" | "deliveries" | "heads" | "prevention">;
  readonly sources: Sources;
  readonly queue: RevisionQueue;
  readonly configuration: ConfigurationSource;
  /** Where each of several clusters is handed to; without it all are swept in place. */
  readonly shards?: ShardStarter;
  /** False: every cluster is handed on, also a single one, since whoever sweeps opens none. Default true. */
  readonly inPlace?: boolean;
  /** Seconds between sweeps, as the schedule has them. Default 300. */
  readonly sweepInterval?: number;
  readonly newId: () => string;
}

export interface SweepResult {
  readonly id: string;
  /** Of clusters that were swept in place, or could not be handed on. */
  readonly reports: readonly SweepReport[];
  /** Clusters that were handed to invocations of their own. */
  readonly shards: readonly string[];
  /** `repository#branch` whose head moved without a plan: a webhook was lost. */
  readonly movedHeads: readonly string[];
  /** Ids of deliveries that were given up, and whose branches were queued again. */
  readonly replayed: readonly string[];
  /** Applications whose newest state waited, and may be synced now. */
  readonly released: readonly string[];
  /** Applications whose run was lost, or failed for a reason that may have passed. */
  readonly restarted: readonly string[];
}

export interface SweepOptions extends CallOptions {
  /** What the function was invoked with: a shard, or anything else for everything. */
  readonly event?: Partial<SweepShard>;
}

/**
 * The net under everything: drift in every cluster, heads that moved without a webhook, what waited for a time that has come,
 * runs that were lost. Each of several clusters is handed to an invocation of its own. One part that fails is an error in its
 * row, and the others still go on; the next sweep looks at everything again.
 */
export function createSweep(deps: SweepDeps): (options?: SweepOptions) => Promise<SweepResult> {
  const { stores, sources, queue, clock, log } = deps;
  const sweepShard = createSweepShard({ ...deps, fights: deps.fights ?? createFights({ events: silentEvents, ...deps }) });
  const sweepLate = createSweepLate(deps);
  const replayDeliveries = createReplayDeliveries(deps);
  const releasePending = createReleasePending(deps);
  const restartLost = createRestartLost(deps);
  const opensNone = deps.inPlace === false && deps.shards !== undefined;

  return async ({ event = {}, ...options } = {}) => {
    const { sweep, cluster } = event;
    if (sweep === undefined || cluster === undefined) return sweepAll(deps.newId(), options);
    const report = await sweepShard({ id: sweep, cluster }, options);
    const nothing = { shards: [], movedHeads: [], replayed: [], released: [], restarted: [] };
    return { id: sweep, reports: report === undefined ? [] : [report], ...nothing };
  };

  async function sweepAll(id: string, options: CallOptions): Promise<SweepResult> {
    const [stored, states] = await Promise.all([stores.configuration.load(options), stores.applications.list(options)]);
    const byCluster = Map.groupBy(states, ({ definition }) => definition.cluster);
    const clusters = [...byCluster.keys()];
    for (const cluster of await quietClusters(stored?.configuration, options))
      if (!byCluster.has(cluster)) byCluster.set(cluster, []);
    const projects = projectsOf(stored?.configuration);
    const allowed = states.filter(({ definition }) => findProject({ projects }, projectOf(definition)) !== undefined);
    deps.metrics?.emit({ values: { OldestUnsynced: oldestUnsynced(allowed, clock.now()) } });
    // A heal of what is released or restarted meanwhile sees at its begin that it is not wanted any more.
    const [, , swept, moved] = await Promise.all([
      sweepLate({ id, clusters }, options),
      opensNone ? undefined : deps.prevention?.leaveOthers(clusters, options),
      sweepClusters(id, { byCluster, projects, healthCheckExprs: stored?.configuration.healthCheckExprs ?? [] }, options),
      startWaiting(id, { states: allowed, stored }, options),
    ]);
    const { movedHeads, replayed, released, restarted } = moved;
    const reports = swept.filter((each): each is SweepReport => typeof each === "object");
    const shards = swept.filter((each) => typeof each === "string");
    log.info("sweep.done", {
      sweep: id,
      clusters: reports.length,
      shards,
      drifted: reports.reduce((sum, { drifted }) => sum + drifted, 0),
      movedHeads,
      replayed,
      released,
      restarted,
    });
    return { id, reports, shards, movedHeads, replayed, released, restarted };
  }

  /** Those that only an invocation of their own can look at: nothing was planned for them yet, or nothing is left but what prevents. */
  async function quietClusters(configuration: Configuration | undefined, options: CallOptions): Promise<readonly string[]> {
    if (!opensNone || configuration === undefined) return [];
    const known = new Set(configuration.clusters.map(({ name }) => name));
    const prevented = (await stores.prevention.list(options)).map(({ cluster }) => cluster);
    return [...configuration.applications.map(({ cluster }) => cluster), ...prevented].filter((name) => known.has(name));
  }

  async function sweepClusters(
    id: string,
    {
      byCluster,
      ...stated
    }: { readonly byCluster: ReadonlyMap<string, readonly ApplicationState[]> } & Required<
      Pick<ClusterSweep, "healthCheckExprs" | "projects">
    >,
    options: CallOptions,
  ): Promise<readonly (string | SweepReport | undefined)[]> {
    return Promise.all(
      [...byCluster].map(async ([cluster, members]) => {
        if ((byCluster.size > 1 || opensNone) && deps.shards !== undefined)
          return handOn({ sweep: id, cluster }, deps.shards, options);
        return sweepShard({ id, cluster, states: members, ...stated }, options);
      }),
    );
  }

  /** What a lost webhook left behind, what waited for a time that has come, and runs that were lost. */
  async function startWaiting(
    id: string,
    { states, stored }: { readonly states: readonly ApplicationState[]; readonly stored: StoredConfiguration | undefined },
    options: CallOptions,
  ): Promise<Pick<SweepResult, "movedHeads" | "replayed" | "released" | "restarted">> {
    const movedHeads = await findMovedHeads(id, stored, options);
    const replayed = await replayDeliveries({ id, movedHeads }, options);
    // A configuration that is about to be read may close what is open.
    const stating = configurationBranches(deps.configuration, stored);
    const isRestated = movedHeads.some((key) => stating.has(key));
    const released = isRestated ? [] : await releasePending({ id, states, movedHeads }, options);
    const others = states.filter(({ application }) => !released.includes(application));
    return { movedHeads, replayed, released, restarted: await restartLost({ id, states: others }, options) };
  }

  /** The cluster's name, or its report where nobody takes it. */
  async function handOn(shard: SweepShard, shards: ShardStarter, options: CallOptions): Promise<string | SweepReport> {
    try {
      await shards.start(shard, options);
      return shard.cluster;
    } catch (error) {
      if (!isDriftlessError(error)) throw error;
      log.error("sweep.failed", { ...shard, error: messageOf(error) });
      const startedAt = clock.now().toISOString();
      const report = { ...nothingFound, id: shard.sweep, cluster: shard.cluster, startedAt, durationMs: 0 };
      const told = { ...report, errors: [messageOf(error)] };
      await stores.sweeps.put(told, options);
      return told;
    }
  }

  async function findMovedHeads(
    id: string,
    stored: StoredConfiguration | undefined,
    options: CallOptions,
  ): Promise<readonly string[]> {
    const branches = new Map([
      ...configurationBranches(deps.configuration, stored),
      ...branchesOf(stored === undefined ? [] : allowedAsStated(stored.configuration)),
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
