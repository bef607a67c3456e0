import { type LiveObjects, listLive } from "../apply/live.ts";
import { prepareObjects } from "../apply/prepare.ts";
import type { ClusterReader, Clusters } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { type Detected, detectDrift, orphanRows } from "../drift/detect.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { DriftRow, SweepReport } from "../model/drift.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { applicationLabel, gvkOf, type Manifest, type ResourceRef, resourceKey } from "../model/resource.ts";
import type { ApplicationState } from "../model/sync.ts";
import type { SyncStarter } from "../queue/queue.ts";
import type { Stores } from "../store/store.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { changeState } from "./application-state.ts";
import { batchesOf, isDue, runName } from "./runs.ts";

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

interface Look {
  readonly sweep: ClusterSweep;
  readonly reader: ClusterReader;
  readonly live: LiveObjects;
  readonly now: string;
  /** By the application that their label names. */
  readonly orphans: ReadonlyMap<string, readonly DriftRow[]>;
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
    const orphans = Map.groupBy(orphansOf(entries, { live, cluster: sweep.cluster, now }), ({ application }) => application);
    const look: Look = { sweep, reader, live, now, orphans };
    const readable = owners.map(({ state, entries: all }) => ({
      state,
      entries: all.filter(({ ref }) => !forbidden.has(`${ref.group}/${ref.kind}`)),
    }));
    const watched = readable.filter(({ state }) => state.definition.drift !== "ignore" || openRows(state) > 0);
    const verdicts = await mapConcurrently(watched, { limit: 8, work: (owner) => judge(owner, look, options) });
    const known = new Set(owners.map(({ state }) => state.application));
    const healing = verdicts.filter(({ heal }) => heal).map(({ application }) => application);
    await startHealing(healing, look, options);
    await forgetLeftovers(readable, look, options);
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

  async function judge({ state, entries }: Owner, look: Look, options: CallOptions): Promise<Verdict> {
    const { application, definition } = state;
    const nothing: Detected = { rows: [], suspects: 0, takeBack: [], errors: [] };
    const detected = definition.drift === "ignore" ? nothing : await detect({ state, entries }, look, options);
    const quiet = detected.rows.length === 0 && detected.takeBack.length === 0;
    if (quiet && openRows(state) === 0) return { application, detected, skipped: false, heal: false };
    if (await isBusy(state, options)) return { application, detected: nothing, skipped: true, heal: false };
    await recordRows(state, detected.rows, look, options);
    const heals = detected.takeBack.length > 0 || detected.rows.some(({ kind }) => kind === "changed" || kind === "missing");
    return { application, detected, skipped: false, heal: heals && definition.drift === "heal" };
  }

  async function detect({ state, entries }: Owner, look: Look, options: CallOptions): Promise<Detected> {
    const { application, definition } = state;
    const desired = desiredOf(state, look, options);
    const detected = await detectDrift({ ...look, application, cluster: definition.cluster, entries, desired }, options);
    return { ...detected, rows: [...detected.rows, ...(look.orphans.get(application) ?? [])] };
  }

  /** A sync that runs now, or ran since the sweep began, makes what was seen worthless: the next sweep looks again. */
  async function isBusy({ application, version }: ApplicationState, options: CallOptions): Promise<boolean> {
    const [lease, state] = await Promise.all([
      stores.leases.get(application, options),
      stores.applications.get(application, options),
    ]);
    return (lease !== undefined && lease.expiresAt > clock.now().toISOString()) || state?.version !== version;
  }

  async function recordRows(
    state: ApplicationState,
    rows: readonly DriftRow[],
    { now, sweep }: Look,
    options: CallOptions,
  ): Promise<void> {
    const { application } = state;
    const open = openRows(state) > 0 ? await stores.drift.open(application, options) : [];
    const known = new Map(open.map((row) => [rowKey(row), row]));
    const found = new Set(rows.map(rowKey));
    const over = open.filter((row) => !found.has(rowKey(row)));
    await mapConcurrently(rows, {
      limit: 16,
      work: (row) => stores.drift.record(asSeenFirst(row, known.get(rowKey(row))), options),
    });
    if (over.length > 0) await stores.drift.heal(over, { at: now, by: "" }, options);
    for (const row of rows.filter((candidate) => !known.has(rowKey(candidate)))) {
      const { kind, ref, field, manager } = row;
      log.info("sweep.drift", { sweep: sweep.id, application, kind, ref: resourceKey(ref), field, manager });
    }
    const additions = rows.filter(({ kind }) => kind === "addition").length;
    const drifted = rows.length - additions;
    if (state.drifted === drifted && state.additions === additions) return;
    const change = (stored: ApplicationState | undefined) => stored && { ...stored, drifted, additions };
    await changeState(stores.applications, { application, change }, options);
  }

  /** The objects of an application as a sync would apply them, loaded when the first suspect asks. */
  function desiredOf(
    { application, definition, desired }: ApplicationState,
    { reader }: Look,
    options: CallOptions,
  ): (ref: ResourceRef) => Promise<Manifest | undefined> {
    let prepared: Promise<ReadonlyMap<string, Manifest>> | undefined;
    const load = async (): Promise<ReadonlyMap<string, Manifest>> => {
      if (desired === undefined || desired.snapshot === "") return new Map();
      const objects = await stores.snapshots.load(desired.snapshot, options);
      const request = { application, namespace: definition.namespace, objects, reader, digest: stores.digest };
      return new Map((await prepareObjects(request, options)).desired.map(({ ref, manifest }) => [resourceKey(ref), manifest]));
    };
    return async (ref) => {
      prepared ??= load();
      return (await prepared).get(resourceKey(ref));
    };
  }

  async function startHealing(names: readonly string[], { sweep }: Look, options: CallOptions): Promise<void> {
    const states = sweep.states.filter(({ application }) => names.includes(application));
    for (const batch of batchesOf(states, { trigger: "heal", correlationId: sweep.id })) {
      log.info("sweep.heal", { sweep: sweep.id, cluster: sweep.cluster, applications: names });
      await starter.start(batch, { name: runName(batch), ...options });
    }
  }

  /** A run for removed applications of which something is gone that was kept: it leaves the inventory, and with the last the row goes. */
  async function forgetLeftovers(owners: readonly Owner[], { sweep, live }: Look, options: CallOptions): Promise<void> {
    const shrunk = owners.filter(
      ({ state, entries }) => state.removed && entries.some(({ ref }) => !live.has(resourceKey(ref))) && !isDue(state),
    );
    const busy = await mapConcurrently(shrunk, { limit: 8, work: ({ state }) => isBusy(state, options) });
    const states = shrunk.filter((_, index) => busy[index] === false).map(({ state }) => state);
    for (const batch of batchesOf(states, { trigger: "removed", correlationId: sweep.id })) {
      log.info("sweep.leftovers-gone", { sweep: sweep.id, applications: batch.applications.map(({ name }) => name) });
      await starter.start(batch, { name: runName(batch), ...options });
    }
  }
}

function orphansOf(
  entries: readonly InventoryEntry[],
  { live, cluster, now }: { readonly live: LiveObjects; readonly cluster: string; readonly now: string },
): readonly DriftRow[] {
  return orphanRows({
    live,
    owned: new Set(entries.map(({ ref }) => resourceKey(ref))),
    cluster,
    now,
    applicationOf: ({ metadata }) => metadata.labels?.[applicationLabel] ?? "",
    refOf: (object) => ({ ...gvkOf(object), namespace: object.metadata.namespace ?? "", name: object.metadata.name }),
  });
}

const openRows = ({ drifted, additions }: ApplicationState): number => drifted + additions;

/** Where the server keeps no time of a change, it is when it was seen, and the first time counts. */
function asSeenFirst(row: DriftRow, known: DriftRow | undefined): DriftRow {
  const isGuess = row.changedAt === row.lastSeen;
  return known !== undefined && isGuess && known.manager === row.manager ? { ...row, changedAt: known.changedAt } : row;
}

const rowKey = ({ kind, ref, field }: DriftRow): string => `${kind} ${resourceKey(ref)} ${field}`;

const sum = <T>(items: readonly T[], count: (item: T) => number): number => items.reduce((total, item) => total + count(item), 0);
