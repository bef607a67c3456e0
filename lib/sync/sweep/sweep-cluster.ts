import { listLive } from "../../apply/live.ts";
import type { Clusters } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { Detected } from "../../drift/detect.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftKind, SweepReport } from "../../model/drift.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { resourceKey } from "../../model/resource.ts";
import type { ApplicationState, SyncBatch } from "../../model/sync.ts";
import { restartGateOf } from "../../plan/gate.ts";
import { mayRetry } from "../../plan/retry.ts";
import type { SyncStarter } from "../../queue/queue.ts";
import { isHeld } from "../../store/lease.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { isDue, startRuns } from "../runs.ts";
import { createDetect, type Look, nothingDetected, orphansOf } from "./sweep-detect.ts";
import { createRecordRows, openRows } from "./sweep-rows.ts";

export interface SweepClusterDeps {
  readonly stores: Pick<Stores, "applications" | "snapshots" | "inventories" | "drift" | "leases" | "sweeps" | "digest">;
  readonly clusters: Clusters;
  readonly starter: SyncStarter;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ClusterSweep {
  readonly id: string;
  readonly cluster: string;
  readonly states: readonly ApplicationState[];
}

/** An application with what it owns, as it stood when the sweep began. */
interface Owner {
  readonly state: ApplicationState;
  readonly entries: readonly InventoryEntry[];
}

interface Looking {
  readonly look: Look;
  readonly sweep: ClusterSweep;
}

interface Verdict {
  readonly application: string;
  readonly detected: Detected;
  readonly skipped: boolean;
  readonly heal: boolean;
}

/**
 * Sweeps one cluster: one metadata LIST a kind for all its applications, a dry run only for what that cannot clear, a row
 * for every field that drifted, and one healing run for those whose policy asks for it. It writes nothing to the cluster.
 */
export function createSweepCluster(deps: SweepClusterDeps): (sweep: ClusterSweep, options?: CallOptions) => Promise<SweepReport> {
  const { stores, clusters, starter, clock, log } = deps;
  const detect = createDetect(deps);
  const recordRows = createRecordRows(deps);

  return async (sweep, options = {}) => {
    const started = clock.now();
    const empty = {
      applications: 0,
      objects: 0,
      requests: 0,
      suspects: 0,
      drifted: 0,
      healing: [],
      unknownOwners: [],
      skipped: [],
      errors: [],
    };
    let found: Omit<SweepReport, "id" | "cluster" | "startedAt" | "durationMs">;
    try {
      found = await sweepCluster(sweep, started.toISOString(), options);
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply", "not-found")) throw error;
      log.error("sweep.failed", { sweep: sweep.id, cluster: sweep.cluster, error: messageOf(error) });
      found = { ...empty, errors: [messageOf(error)] };
    }
    const durationMs = clock.now().getTime() - started.getTime();
    const report: SweepReport = { id: sweep.id, cluster: sweep.cluster, startedAt: started.toISOString(), durationMs, ...found };
    await stores.sweeps.put(report, options);
    return report;
  };

  async function sweepCluster(
    sweep: ClusterSweep,
    now: string,
    options: CallOptions,
  ): Promise<Omit<SweepReport, "id" | "cluster" | "startedAt" | "durationMs">> {
    const reader = await clusters.reader(sweep.cluster, options);
    const before = reader.requests;
    const owners = await mapConcurrently(sweep.states, { limit: 32, work: (state) => loadOwner(state, options) });
    const entries = owners.flatMap((owner) => owner.entries);
    const { live, forbidden } = await listLive({ reader, kinds: entries.map(({ ref }) => ref), applications: [] }, options);
    const orphans = orphansOf(entries, { live, cluster: sweep.cluster, now });
    const look: Look = { reader, live, now, orphans };
    const readable = owners.map(({ state, entries: all }) => ({
      state,
      entries: all.filter(({ ref }) => !forbidden.has(`${ref.group}/${ref.kind}`)),
    }));
    const watched = readable.filter(({ state }) => state.definition.drift !== "ignore" || openRows(state) > 0);
    const verdicts = await mapConcurrently(watched, { limit: 8, work: (owner) => judge(owner, { look, sweep }, options) });
    const known = new Set(owners.map(({ state }) => state.application));
    const healing = verdicts.filter(({ heal }) => heal).map(({ application }) => application);
    await startHealing(healing, sweep, options);
    await forgetLeftovers(readable, { look, sweep }, options);
    return {
      applications: owners.length,
      objects: entries.length,
      requests: reader.requests - before,
      suspects: sum(verdicts, ({ detected }) => detected.suspects),
      drifted: sum(verdicts, ({ detected }) => detected.rows.filter(({ kind }) => kind !== "addition").length),
      healing,
      unknownOwners: [...orphans.keys()].filter((name) => !known.has(name)).slice(0, 20),
      skipped: verdicts.filter(({ skipped }) => skipped).map(({ application }) => application),
      errors: [...forbidden.values(), ...verdicts.flatMap(({ detected }) => detected.errors)].slice(0, 20),
    };
  }

  async function loadOwner(state: ApplicationState, options: CallOptions): Promise<Owner> {
    return { state, entries: (await stores.inventories.load(state.application, options))?.entries ?? [] };
  }

  async function judge({ state, entries }: Owner, { look, sweep }: Looking, options: CallOptions): Promise<Verdict> {
    const { application, definition } = state;
    const detected = definition.drift === "ignore" ? nothingDetected : await detect({ state, entries }, look, options);
    const quiet = detected.rows.length === 0 && detected.takeBack.length === 0;
    if (quiet && openRows(state) === 0) return { application, detected, skipped: false, heal: false };
    if (await isBusy(state, options)) return { application, detected: nothingDetected, skipped: true, heal: false };
    const fresh = await recordRows({ state, rows: detected.rows, sweep: sweep.id, now: look.now }, options);
    const heals = detected.takeBack.length > 0 || detected.rows.some(isHealed);
    const heal = heals && definition.drift === "heal" && mayHeal(state, fresh.some(isHealed));
    return { application, detected, skipped: false, heal };
  }

  /** A heal that failed is tried again as its retry policy says, and at once where something else has drifted since. */
  function mayHeal(state: ApplicationState, isFresh: boolean): boolean {
    const now = clock.now();
    if (!restartGateOf({ ...state, now }).open) return false;
    const { lastSync, desired, definition } = state;
    if (isFresh || lastSync?.phase !== "Failed" || lastSync.generation !== desired?.generation) return true;
    return mayRetry(lastSync, { policy: definition.sync.retry, now });
  }

  /** A sync that runs now, or ran since the sweep began, makes what was seen worthless: the next sweep looks again. */
  async function isBusy({ application, version }: ApplicationState, options: CallOptions): Promise<boolean> {
    const [lease, state] = await Promise.all([
      stores.leases.get(application, options),
      stores.applications.get(application, options),
    ]);
    return isHeld(lease, clock.now()) || state?.version !== version;
  }

  async function startHealing(names: readonly string[], sweep: ClusterSweep, options: CallOptions): Promise<void> {
    const states = sweep.states.filter(({ application }) => names.includes(application));
    const begins = () => log.info("sweep.heal", { sweep: sweep.id, cluster: sweep.cluster, applications: names });
    await startRuns(starter, states, { trigger: "heal", correlationId: sweep.id, begins, ...options });
  }

  /** A run for removed applications of which something is gone that was kept: it leaves the inventory, and with the last the row goes. */
  async function forgetLeftovers(owners: readonly Owner[], { sweep, look }: Looking, options: CallOptions): Promise<void> {
    const shrunk = owners.filter(
      ({ state, entries }) => isLetGo(state, clock.now()) && entries.some(({ ref }) => !look.live.has(resourceKey(ref))),
    );
    const busy = await mapConcurrently(shrunk, { limit: 8, work: ({ state }) => isBusy(state, options) });
    const states = shrunk.filter((_, index) => busy[index] === false).map(({ state }) => state);
    const begins = ({ applications }: SyncBatch) =>
      log.info("sweep.leftovers-gone", { sweep: sweep.id, applications: applications.map(({ name }) => name) });
    await startRuns(starter, states, { trigger: "removed", correlationId: sweep.id, begins, ...options });
  }
}

/** A removed application whose objects have had their run, and may have another. */
function isLetGo(state: ApplicationState, now: Date): boolean {
  return state.removed && state.desired?.snapshot === "" && !isDue(state) && restartGateOf({ ...state, now }).open;
}

const isHealed = ({ kind }: { readonly kind: DriftKind }): boolean => kind === "changed" || kind === "missing";

const sum = <T>(items: readonly T[], count: (item: T) => number): number => items.reduce((total, item) => total + count(item), 0);
