import { type LiveObjects, listLive } from "../../apply/live.ts";
import type { DesiredObject } from "../../apply/prepare.ts";
import { healthOfListed } from "../../apply/read-health.ts";
import type { ClusterWriter } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { Assessor } from "../../health/health.ts";
import type { Health } from "../../model/health.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { displayRef, type GroupVersionKind, gvkOf, resourceKey } from "../../model/resource.ts";
import type { Change, SyncBatch } from "../../model/sync.ts";
import { isSuspect } from "../../ownership/suspect.ts";
import { hookOfRun } from "../../plan/hooks.ts";
import { markEntries, mergeEntries, withPlaceholders } from "../../plan/inventory-marks.ts";
import { planSync } from "../../plan/plan-sync.ts";
import { timestamp } from "../../telemetry/clock.ts";
import type { LogFields } from "../../telemetry/log.ts";
import { createSharedObjects, type SharedLook } from "../shared-objects.ts";
import { createWaves, type Wave, type WaveOutcome, withStarted } from "./apply-wave.ts";
import { type Loaded, loadDesired, type StepObject, stepsOf, type Way } from "./desired-steps.ts";
import { driftProblems, readDriftRules } from "./drift-rules.ts";
import { openedFor } from "./opened-for.ts";
import { createPreflight } from "./preflight.ts";
import { concluded, failed, isCounted, moved, type Progress, type Work, withChanges, withError, withNotes } from "./progress.ts";
import { refusedMeanwhile } from "./refused-meanwhile.ts";
import type { RunStage } from "./sync-batch.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** What the applications of the stage share. */
interface Shared {
  readonly writer: ClusterWriter;
  readonly live: LiveObjects;
  readonly refusals: (look: SharedLook) => Promise<ReadonlyMap<string, string>>;
  readonly batch: SyncBatch;
  /** Given when nothing differs from what was last applied: then the list has whole objects, and tells their health too. */
  readonly assess: Assessor | undefined;
}

interface OnItsWay {
  readonly loaded: Loaded;
  readonly way: Way;
}

/** Writes what differs of one wave, in order of kinds, and starts its hooks; the inventory names what may be created before it is. */
export function createApplyStage(deps: SyncDeps): RunStage {
  const { stores, clusters, assessor, clock, log } = deps;
  const waves = createWaves(deps);
  const preflight = createPreflight(deps);

  return async (here, { batch }) => {
    const loaded = await mapConcurrently(here, { limit: 32, work: load });
    const ready = loaded.filter((item): item is Loaded => "objects" in item);
    const ended = loaded.filter((item): item is Progress => !("objects" in item));
    if (ready.length === 0) return ended;
    try {
      const writer = await clusters.writer(batch.cluster, openedFor(batch));
      const under = { reader: writer, digest: stores.digest };
      const work = async (loaded: Loaded): Promise<OnItsWay> => ({ loaded, way: await stepsOf(loaded, under) });
      const ways = await mapConcurrently(ready, { limit: 16, work });
      const assess = ways.every(isAsApplied) ? await assessor() : undefined;
      const bodies = assess === undefined ? {} : { withBodies: assess.hasHealth };
      const { live } = await listLive({ reader: writer, kinds: kindsOf(ready), applications: listedNames(ready), ...bodies });
      const shared = { writer, live, batch, assess, refusals: createSharedObjects({ stores, reader: writer }) };
      return [...ended, ...(await mapConcurrently(ways, { limit: 16, work: (item) => applyOne(item, shared) }))];
    } catch (error) {
      return [...ended, ...ready.map(({ progress, work }) => cutOff(progress, work, error))];
    }
  };

  async function load(progress: Progress): Promise<Loaded | Progress> {
    const work = progress.work as Work;
    const refusal = isGoingOn(work) ? await refusedMeanwhile(stores, progress.application) : undefined;
    if (refusal !== undefined) return concluded(progress, work, "Failed", refusal);
    try {
      return await loadDesired(stores, { progress, work });
    } catch (error) {
      if (!isLost(error)) throw error;
      return concluded(progress, work, "Failed", messageOf(error));
    }
  }

  async function applyOne({ loaded, way }: OnItsWay, shared: Shared): Promise<Progress> {
    const { progress, work } = loaded;
    const { name: application } = work.target;
    const logger = log.with({ application, sync: work.syncId, correlationId: shared.batch.correlationId });
    try {
      const { objects, hooks, phase } = way.here;
      const entries = markEntries(loaded.entries, way.places);
      const sound = objects.filter(({ problem }) => problem === undefined);
      const plan = planSync({ objects: sound, inventory: entries, live: shared.live, isSuspect });
      const again = work.path === "sync" ? work.again : undefined;
      const heals = progress.trigger === "heal" || again !== undefined;
      const rules = await readDriftRules(stores, { target: work.target, heals });
      const toApply = rules.toApply(plan, shared.live).flatMap(({ object }) => (isMeant(object, again) ? [object] : []));
      const missing = await preflight.beforeWrites({ ...shared, work, all: way.all, entries, rules });
      if (missing.length > 0) return concluded(progress, { ...work, retryable: true }, "Failed", ...missing);
      const fresh = new Set(plan.apply.flatMap(({ object, reason }) => (reason === "new" ? [resourceKey(object.ref)] : [])));
      const refused = await shared.refusals({ application, objects: toApply, live: shared.live });
      const free = toApply.filter(({ ref }) => !refused.has(resourceKey(ref)));
      // Those of a step that is done again have been started.
      const due = again === undefined ? way.here : { ...way.here, hooks: [] };
      const started = due.hooks.map((hook) => hookOfRun(hook, { run: work.syncId, phase }));
      const refs = [...free, ...started].map(({ ref }) => ref);
      const superset = withPlaceholders(entries, { refs, places: way.places });
      if (superset !== entries || entries.some((entry, at) => entry !== loaded.entries[at])) await saveEntries(work, superset);

      const wave: Wave = {
        work,
        writer: shared.writer,
        live: shared.live,
        fresh,
        heals,
        rules,
        log: logger,
      };
      const applied = await waves.apply(free, wave);
      const broken = [...brokenObjects([...objects, ...hooks]), ...[...refused].map((each) => refusedChange(each, toApply))];
      const all = { ...applied, changes: [...broken, ...applied.changes] };
      const stops = all.changes.some(({ action }) => action === "failed");
      const outcome = stops ? all : withStarted(all, await waves.startHooks(due, wave));
      if (outcome.entries.length > 0) await saveEntries(work, mergeEntries(superset, outcome.entries));
      const leaving = superset.filter(({ leaving: leaves }) => leaves === true).length;
      const unready = objects.some(({ problem }) => problem?.retryable === true);
      const written = new Set(toApply.map(({ ref }) => resourceKey(ref)));
      const unchanged = plan.unchanged.filter(({ ref }) => !written.has(resourceKey(ref))).length;
      const seen = toApply.length === 0 ? healthSeen(superset, { work, shared }) : undefined;
      const settled = settle(progress, work, {
        way,
        outcome,
        unchanged: again === undefined ? unchanged : 0,
        leaving,
        unready,
        seen,
        problems: driftProblems(sound, work.target),
      });
      if (settled.stage === "health") logger.info("sync.applied", toldOf(settled.work as Work));
      return settled;
    } catch (error) {
      logger.warn("sync.apply-failed", { error: messageOf(error) });
      return cutOff(progress, work, error);
    }
  }

  /** Counts up what happened; whether the lease is still held is seen by the health stage, before anything else is done. */
  function settle(
    progress: Progress,
    work: Work,
    { way, outcome, unchanged, leaving, unready, seen, problems }: Settled,
  ): Progress {
    const counted = withChanges(work, outcome.changes, ({ ref, error }) => named(displayRef(ref), error));
    const known = new Set(outcome.hooks.map(({ uid }) => uid));
    const next: Work = {
      ...withNotes(counted, [...way.problems, ...problems, ...outcome.notes]),
      counts: { ...counted.counts, unchanged: counted.counts.unchanged + unchanged },
      steps: way.steps,
      hooks: [...work.hooks.filter(({ uid }) => !known.has(uid)), ...outcome.hooks],
      waitsSince: work.waitsSince === "" ? timestamp(clock) : work.waitsSince,
      retryable: work.retryable || outcome.retryable || unready,
      leaving,
      ...(seen === undefined ? {} : { seen }),
    };
    if (!outcome.waits) return moved(progress, "health", next);
    const late = Date.parse(next.waitsSince) + next.target.sync.hookTimeout * 1000 <= clock.now().getTime();
    return late
      ? failed(progress, next, "a hook of an earlier sync is still being deleted")
      : { ...progress, work: { ...next, counts: work.counts }, waiting: true };
  }

  async function saveEntries(work: Work, entries: readonly InventoryEntry[]): Promise<void> {
    const { name: application, cluster } = work.target;
    await stores.inventories.save({ application, cluster, entries }, { fence: work.lease.fence });
  }
}

interface Settled {
  readonly way: Way;
  readonly outcome: WaveOutcome;
  /** Objects of the wave that needed no write. */
  readonly unchanged: number;
  readonly leaving: number;
  /** True when an object has no place in the cluster yet. */
  readonly unready: boolean;
  readonly seen: Health | undefined;
  /** Annotations about drift that have no meaning. */
  readonly problems: readonly string[];
}

/** How far the waves are, and what was written so far. */
function toldOf({ step, steps, path, counts }: Work): LogFields {
  return { step, steps: steps[path], counts };
}

/** In a step that is done again only what somebody changed is written. */
function isMeant({ ref }: DesiredObject, again: Work["again"]): boolean {
  return again === undefined || again.keys.includes(resourceKey(ref));
}

/** True when nothing of the wave differs from what was last applied, as far as Git goes. */
function isAsApplied({ loaded, way }: OnItsWay): boolean {
  const { objects, hooks } = way.here;
  const applied = new Map(loaded.entries.flatMap(({ ref, uid, digest }) => (uid === "" ? [] : [[resourceKey(ref), digest]])));
  return hooks.length === 0 && objects.every(({ ref, digest }) => applied.get(resourceKey(ref)) === digest);
}

function healthSeen(
  entries: readonly InventoryEntry[],
  { work, shared: { live, assess } }: { readonly work: Work; readonly shared: Shared },
): Health | undefined {
  const counted = entries.filter((entry) => isCounted(entry, work)).map(({ ref }) => ref);
  return assess === undefined ? undefined : healthOfListed(counted, { live, assess });
}

/** The API server's message names the object already, most of the time. */
function named(object: string, error: string): string {
  return error.includes(object) ? error : `${object}: ${error}`;
}

function brokenObjects(objects: readonly StepObject[]): readonly Change[] {
  return objects.flatMap(({ ref, problem }): Change[] =>
    problem === undefined ? [] : [{ action: "failed", ref, error: problem.error }],
  );
}

function refusedChange([key, error]: readonly [string, string], objects: readonly DesiredObject[]): Change {
  const { ref } = objects.find((object) => resourceKey(object.ref) === key) as DesiredObject;
  return { action: "failed", ref, error };
}

/** True where time has passed since the run began. */
function isGoingOn({ path, step, again, waitsSince }: Work): boolean {
  return path === "failure" || step > 0 || again !== undefined || waitsSince !== "";
}

/** A snapshot or an inventory that is gone, or lacks a part: no other application of the batch is to suffer for it. */
function isLost(error: unknown): boolean {
  return isDriftlessError(error, "not-found") || (isDriftlessError(error, "store") && !error.retryable);
}

/** A lost lease means that a newer run took over; an API server that is away may come back; the rest stays as it is. */
function cutOff(progress: Progress, work: Work, error: unknown): Progress {
  if (isDriftlessError(error, "lease")) return concluded(progress, work, "Superseded");
  if (!isDriftlessError(error, "cluster", "apply", "refused", "not-found")) throw error;
  return concluded(progress, withError(work, error), "Failed", messageOf(error));
}

/** Where an object is new to its application it may be another's, so everybody's objects have to be listed. */
function listedNames(items: readonly Loaded[]): readonly string[] {
  return items.some(bringsNew) ? [] : items.map(({ work }) => work.target.name);
}

function bringsNew({ objects, entries }: Loaded): boolean {
  const known = new Set(entries.flatMap(({ ref, uid }) => (uid === "" ? [] : [`${ref.group}/${ref.kind}/${ref.name}`])));
  return objects.some((object) => !known.has(`${gvkOf(object).group}/${object.kind}/${object.metadata.name}`));
}

function kindsOf(items: readonly Loaded[]): readonly GroupVersionKind[] {
  return items.flatMap((item) => [...item.objects.map(gvkOf), ...item.entries.map(({ ref }) => ref)]);
}
