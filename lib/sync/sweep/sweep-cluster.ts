import type { Clusters } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import { silentEvents } from "../../events/events.ts";
import type { CallOptions } from "../../model/call.ts";
import type { SweepReport } from "../../model/drift.ts";
import type { HealthCheckExpr } from "../../model/health.ts";
import type { Project } from "../../model/project.ts";
import type { ResourceRef } from "../../model/resource.ts";
import type { ApplicationState, SyncBatch } from "../../model/sync.ts";
import { restartGateOf } from "../../plan/gate.ts";
import type { SyncStarter } from "../../queue/queue.ts";
import type { Stores } from "../../store/store.ts";
import type { StartMeter } from "../../telemetry/effort.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { isDue, startRuns } from "../runs.ts";
import { createLookAsEach } from "./sweep-as-each.ts";
import { createRefreshHealth, type Refreshed } from "./sweep-health.ts";
import { driftIn, isBusy, type JudgeDeps } from "./sweep-judge.ts";
import { measureDrift } from "./sweep-metrics.ts";
import type { Part } from "./sweep-part.ts";
import type { SweepPrevention } from "./sweep-prevention.ts";
import { sumCost } from "./sweep-readers.ts";
import type { Sighting, Tracking } from "./sweep-tracking.ts";

export interface SweepClusterDeps extends JudgeDeps {
  readonly stores: JudgeDeps["stores"] & Pick<Stores, "inventories" | "sweeps">;
  readonly clusters: Clusters;
  readonly starter: SyncStarter;
  /** Puts the guards of applications under `prevent` into the cluster, and takes them out; asked once a sweep. */
  readonly prevention?: SweepPrevention;
  readonly meter?: StartMeter;
  readonly metrics?: Metrics;
}

export interface ClusterSweep {
  readonly id: string;
  readonly cluster: string;
  readonly states: readonly ApplicationState[];
  /** By which health is judged; the built-in rules alone when absent. */
  readonly healthCheckExprs?: readonly HealthCheckExpr[];
  /** As the configuration states them; none when absent, and then nothing has limits. */
  readonly projects?: readonly Project[];
  /**
   * Looks at these objects alone, by application, each by one GET: nothing is listed, no health is looked at, and no report is
   * kept.
   */
  readonly only?: ReadonlyMap<string, readonly ResourceRef[]>;
}

type Findings = Omit<SweepReport, "id" | "cluster" | "startedAt" | "durationMs" | "cpuMs" | "peakMemoryMiB">;

/** The report of a sweep that did not get to look. */
export const nothingFound: Findings = {
  applications: 0,
  objects: 0,
  kinds: 0,
  requests: 0,
  pages: 0,
  dryRuns: 0,
  bytes: 0,
  suspects: 0,
  drifted: 0,
  healing: [],
  healthChanged: [],
  unknownOwners: [],
  skipped: [],
  errors: [],
};

const mostErrors = 20;
/**
 * Sweeps one cluster: one metadata LIST a kind and identity for all its applications, a dry run only for what that cannot clear, a row
 * for every field that drifted, and one healing run for those whose policy asks for it. It writes nothing to the cluster.
 * What stops it is said in its report, which is kept, unless only some objects were to be looked at.
 */
export function createSweepCluster(deps: SweepClusterDeps): (sweep: ClusterSweep, options?: CallOptions) => Promise<SweepReport> {
  const { stores, starter, events = silentEvents, clock, log } = deps;
  const refreshHealth = createRefreshHealth(deps);
  const identities = createLookAsEach(deps);

  return async (sweep, options = {}) => {
    const started = clock.now();
    const spent = deps.meter?.();
    let found: Findings;
    let fault: unknown;
    try {
      found = await sweepCluster(sweep, started.toISOString(), options);
    } catch (error) {
      log.error("sweep.failed", { sweep: sweep.id, cluster: sweep.cluster, error: messageOf(error) });
      if (!isDriftlessError(error, "cluster", "apply", "not-found")) fault = error;
      found = { ...nothingFound, applications: sweep.states.length, errors: [messageOf(error)] };
    }
    const durationMs = clock.now().getTime() - started.getTime();
    const { id, cluster } = sweep;
    const report: SweepReport = { id, cluster, startedAt: started.toISOString(), durationMs, ...spent?.(), ...found };
    // Also when the time is up.
    if (sweep.only === undefined) {
      await stores.sweeps.put(report);
      deps.metrics?.emit({ cluster, values: { SweepDuration: durationMs, SweepRequests: report.requests } });
    }
    if (fault !== undefined) throw fault;
    return report;
  };

  async function sweepCluster(sweep: ClusterSweep, now: string, options: CallOptions): Promise<Findings> {
    const isWhole = sweep.only === undefined;
    const prevention = isWhole ? deps.prevention?.look(sweep) : undefined;
    const along = (visitorOf: Tracking["visitorOf"]) => prevention?.along(visitorOf) ?? visitorOf;
    const seen = await identities.look(sweep, { now, along }, options);
    const { parts } = seen;
    const verdicts = parts.flatMap((part) => part.verdicts);
    if (isWhole) {
      const swept = verdicts.map(({ state, detected: { rows }, fresh }) => ({ state, rows, fresh }));
      measureDrift(swept, { metrics: deps.metrics, cluster: sweep.cluster });
    }
    const healing = verdicts.filter(({ heal }) => heal).map(({ state }) => state);
    try {
      await startHealing(healing, sweep, options);
    } finally {
      const news = verdicts.flatMap((verdict) => verdict.news);
      if (news.length > 0) await events.publish(news, options);
    }
    const rest = isWhole ? await afterwards(sweep, parts, options) : noneRefreshed;
    const unlooked = isWhole ? await identities.tell(seen, sweep, options) : [];
    // What the lists of one identity did not bring is not known to be gone.
    const prevented = seen.isComplete ? await prevention?.settle(options) : undefined;
    const owned = parts.flatMap(({ sightings }) => sightings);
    return {
      applications: sweep.states.length,
      objects: sum(owned, ({ entries }) => entries.length),
      kinds: isWhole ? sum(parts, ({ kinds }) => kinds) : 0,
      ...sumCost(parts.map(({ readers }) => readers.cost())),
      suspects: sum(verdicts, ({ detected }) => detected.suspects),
      drifted: sum(verdicts, ({ detected }) => detected.rows.filter(driftIn(detected)).length),
      healing: healing.map(({ application }) => application),
      healthChanged: [...rest.changed, ...unlooked],
      unknownOwners: [...new Set(parts.flatMap(({ unknownOwners }) => unknownOwners))].slice(0, 20),
      skipped: verdicts.filter(({ skipped }) => skipped).map(({ state }) => state.application),
      errors: [
        ...seen.errors,
        ...verdicts.flatMap(({ detected }) => detected.errors),
        ...rest.errors,
        ...(prevented?.errors ?? []),
      ].slice(0, mostErrors),
    };
  }

  /** What nobody waits for. */
  async function afterwards(sweep: ClusterSweep, parts: readonly Part[], options: CallOptions): Promise<Refreshed> {
    await forgetLeftovers(
      parts.flatMap(({ sightings }) => sightings),
      sweep,
      options,
    );
    const { id, healthCheckExprs = [] } = sweep;
    const refreshed = await mapConcurrently(parts, {
      limit: 4,
      work: ({ readers, verdicts }) => {
        // Of what a run is at, or will be in a moment, the health is that run's to tell.
        const idle = verdicts.filter(({ heal, skipped }) => !heal && !skipped);
        return refreshHealth(idle, { id, reader: readers.main, healthCheckExprs }, options);
      },
    });
    return { changed: refreshed.flatMap(({ changed }) => changed), errors: refreshed.flatMap(({ errors }) => errors) };
  }

  async function startHealing(states: readonly ApplicationState[], sweep: ClusterSweep, options: CallOptions): Promise<void> {
    const begins = ({ cluster, applications }: SyncBatch) =>
      log.info("sweep.heal", { sweep: sweep.id, cluster, applications: applications.map(({ name }) => name) });
    await startRuns(starter, states, { trigger: "heal", correlationId: sweep.id, begins, ...options });
  }

  /** A run for removed applications of which something is gone that was kept: it leaves the inventory, and with the last the row goes. */
  async function forgetLeftovers(sightings: readonly Sighting[], sweep: ClusterSweep, options: CallOptions): Promise<void> {
    const now = clock.now();
    const shrunk = sightings.filter(({ state, hasGone }) => hasGone && isLetGo(state, now));
    const busy = await mapConcurrently(shrunk, { limit: 8, work: ({ state }) => isBusy(stores, { state, now }, options) });
    const states = shrunk.filter((_, index) => busy[index] === false).map(({ state }) => state);
    const begins = ({ applications }: SyncBatch) =>
      log.info("sweep.leftovers-gone", { sweep: sweep.id, applications: applications.map(({ name }) => name) });
    await startRuns(starter, states, { trigger: "removed", correlationId: sweep.id, begins, ...options });
  }
}

const noneRefreshed: Refreshed = { changed: [], errors: [] };

/** A removed application whose objects have had their run, and may have another. */
function isLetGo(state: ApplicationState, now: Date): boolean {
  return state.removed && state.desired?.snapshot === "" && !isDue(state) && restartGateOf({ ...state, now }).open;
}

const sum = <T>(items: readonly T[], count: (item: T) => number): number => items.reduce((total, item) => total + count(item), 0);
