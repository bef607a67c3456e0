import { type Applied, applyObjects } from "../../apply/apply-objects.ts";
import { waitEstablished } from "../../apply/establish.ts";
import { startHooks } from "../../apply/hooks.ts";
import type { LiveObjects } from "../../apply/live.ts";
import type { DesiredObject } from "../../apply/prepare.ts";
import type { ClusterWriter } from "../../cluster/cluster.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { displayRef, resourceKey } from "../../model/resource.ts";
import type { Change } from "../../model/sync.ts";
import { isFoundation } from "../../plan/foundation.ts";
import { hookOf, hookOfRun, isDeletedAfter } from "../../plan/hooks.ts";
import { placeholder } from "../../plan/inventory-marks.ts";
import { applyStages } from "../../plan/stages.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Way } from "./desired-steps.ts";
import type { DriftRules } from "./drift-rules.ts";
import { createHeldWriter } from "./held-writer.ts";
import type { StartedHook, Work } from "./progress.ts";
import { leaseSeconds, renewBelow, type SyncDeps } from "./sync-deps.ts";

/** Seconds for definitions to be established and namespaces to be active. */
const establishSeconds = 60;

/** One wave of one application. */
export interface Wave {
  readonly work: Work;
  readonly writer: ClusterWriter;
  readonly live: LiveObjects;
  /** By `resourceKey`: what the application did not have before. */
  readonly fresh: ReadonlySet<string>;
  /** True for a heal, which knows already that others own fields. */
  readonly heals: boolean;
  readonly rules: Pick<DriftRules, "ignored" | "strips">;
  readonly log: Log;
}

/** What came of a wave's objects and hooks. */
export interface WaveOutcome {
  readonly changes: readonly Change[];
  /** Objects and hooks as the inventory should now know them. */
  readonly entries: readonly InventoryEntry[];
  readonly notes: readonly string[];
  readonly hooks: readonly StartedHook[];
  /** True when a hook could not be started yet, since its predecessor is still being deleted. */
  readonly waits: boolean;
  readonly retryable: boolean;
}

/** Applies the objects of a wave and starts its hooks. */
export function createWaves({ stores, clock }: Pick<SyncDeps, "stores" | "clock">) {
  const held = ({ writer, work }: Wave) => {
    const { lease } = work;
    const expires = Date.parse(lease.expiresAt);
    const renew = () => stores.leases.renew(lease, { phase: "applying", seconds: leaseSeconds });
    if (!isAsTaken(work)) return createHeldWriter({ writer, renew, clock });
    // Nothing is to be said of a lease that is fresh: a look is enough, and many of them are one request.
    const ask = () => (expires - clock.now().getTime() > renewBelow * 1000 ? stores.leases.holds(lease) : renew());
    return createHeldWriter({ writer, renew: ask, clock, heldAt: expires - leaseSeconds * 1000 });
  };

  return {
    /** Definitions and namespaces first, and waited for; then the rest, kind after kind. */
    async apply(objects: readonly DesiredObject[], wave: Wave): Promise<WaveOutcome> {
      const { work, live, fresh, heals, rules, log } = wave;
      const { writer, stillMine } = held(wave);
      const force = work.target.sync.conflicts === "fail" ? "never" : heals ? "at-once" : "ask-first";
      const isNew = ({ ref }: DesiredObject) => fresh.has(resourceKey(ref));
      const applyAll = (part: readonly DesiredObject[]) =>
        applyObjects({ writer, live, stages: applyStages(part), force, isNew, ...rules, heals, stillMine, log });

      const foundation = objects.filter(({ manifest }) => isFoundation(manifest));
      const first = await applyAll(foundation);
      const refused = new Set(failuresOf(first).map(({ ref }) => resourceKey(ref)));
      const late = await waitEstablished({
        reader: writer,
        objects: foundation.filter(({ ref }) => !refused.has(resourceKey(ref))),
        timeoutSeconds: establishSeconds,
      });
      const rest = await applyAll(objects.filter(({ manifest }) => !isFoundation(manifest)));
      const applied = [...first, ...rest];
      for (const { change } of applied) log.debug(`sync.${change.action}`, { ref: displayRef(change.ref) });
      return {
        changes: [
          ...applied.map(({ change }) => change),
          ...late.map(({ ref, error }): Change => ({ action: "failed", ref, error })),
        ],
        entries: applied.flatMap(({ entry }) => (entry ? [entry] : [])),
        notes: applied.flatMap(({ notes }) => notes),
        hooks: [],
        waits: false,
        retryable: applied.some(({ retryable }) => retryable) || late.length > 0,
      };
    },

    /** Starts what was not started by this run yet. */
    async startHooks({ hooks, phase }: Way["here"], wave: Wave): Promise<WaveOutcome> {
      const { work, log } = wave;
      const { syncId: run, isFirst, target } = work;
      const wanted = hooks.flatMap((object) => {
        const hook = hookOf(object.manifest, { isFirst });
        return hook === undefined || hook === "skip" ? [] : [{ object, hook }];
      });
      if (wanted.length === 0) return nothing;
      const started = await startHooks({ ...held(wave), application: target.name, run, phase, hooks: wanted });
      for (const { ref, uid, error } of started) log.info("sync.hook", { ref: displayRef(ref), uid, error: error ?? "" });
      const byKey = new Map(wanted.map(({ object, hook }) => [resourceKey(hookOfRun(object, { run, phase }).ref), hook]));
      return {
        changes: started.flatMap(({ ref, error }): Change[] => (error === undefined ? [] : [{ action: "failed", ref, error }])),
        entries: started.flatMap(({ ref, uid }) => (uid === "" ? [] : [{ ...placeholder(ref), uid, hook: true as const }])),
        hooks: started.flatMap(({ ref, uid }): StartedHook[] => {
          const hook = byKey.get(resourceKey(ref));
          if (uid === "" || hook === undefined) return [];
          return [{ ref, uid, deleteOn: (["succeeded", "failed"] as const).filter((end) => isDeletedAfter(hook, end)) }];
        }),
        notes: started.flatMap(({ note }) => (note === undefined ? [] : [note])),
        waits: started.some(({ waiting }) => waiting === true),
        retryable: started.some(({ retryable }) => retryable === true),
      };
    },
  };
}

const nothing: WaveOutcome = { changes: [], entries: [], notes: [], hooks: [], waits: false, retryable: false };

/** Both outcomes of a wave as one. */
export function withStarted(applied: WaveOutcome, started: WaveOutcome): WaveOutcome {
  return {
    changes: [...applied.changes, ...started.changes],
    entries: [...applied.entries, ...started.entries],
    notes: [...applied.notes, ...started.notes],
    hooks: started.hooks,
    waits: started.waits,
    retryable: applied.retryable || started.retryable,
  };
}

function failuresOf(applied: readonly Applied[]): readonly Change[] {
  return applied.map(({ change }) => change).filter(({ action }) => action === "failed");
}

/** True while the table says of the lease what it said when it was taken: a wait since would have let others have it. */
function isAsTaken({ lease, path, step, waitsSince }: Work): boolean {
  return lease.phase === "applying" && path === "sync" && step === 0 && waitsSince === "";
}
