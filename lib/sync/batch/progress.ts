import type { DriftlessError } from "../../errors.ts";
import type { Application } from "../../model/application.ts";
import type { Health } from "../../model/health.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import type { ResourceRef } from "../../model/resource.ts";
import type { ApplicationState, Change, Desired, SyncPhase, SyncRecord, SyncTrigger } from "../../model/sync.ts";
import type { Lease } from "../../store/store.ts";
import { projectNote } from "../projects.ts";

/** What a run does next for one application. */
export type Stage = "begin" | "apply" | "health" | "prune" | "record" | "done";

/** How far a run is with one application. It is a step's result, so it is JSON, small, and holds no manifest. */
export interface Progress {
  readonly application: string;
  readonly stage: Stage;
  readonly trigger: SyncTrigger;
  /** True when nothing can be done for it before a pause. */
  readonly waiting?: true;
  /** When it began to wait for what it depends on, RFC 3339; absent while it does not. */
  readonly heldSince?: string;
  /** Undefined until the lease is held. */
  readonly work?: Work;
}

/** What a run needs of an application's definition. */
export type Target = Pick<
  Application,
  "name" | "cluster" | "namespace" | "sync" | "rollback" | "drift" | "additions" | "ignoreDifferences"
>;

/** A hook that was started by this run. */
export interface StartedHook {
  readonly ref: ResourceRef;
  readonly uid: string;
  /** Undefined while it runs. */
  readonly outcome?: "succeeded" | "failed";
  readonly deleteOn: readonly ("succeeded" | "failed")[];
}

/** One application, once its lease is held. */
export interface Work {
  readonly syncId: string;
  readonly target: Target;
  readonly removed: boolean;
  readonly desired: Desired;
  /** True while no sync of the application has ever succeeded. */
  readonly isFirst: boolean;
  readonly attempt: number;
  readonly lease: Lease;
  readonly startedAt: string;
  /** The waves of the sync, or, once it failed, those of its SyncFail hooks. */
  readonly path: "sync" | "failure";
  /** Which of the steps of that path, from 0. */
  readonly step: number;
  /** How many steps each path has; 0 until the first is applied. */
  readonly steps: { readonly sync: number; readonly failure: number };
  /** When the step's objects were applied and its wait began, RFC 3339; "" before. */
  readonly waitsSince: string;
  /** Since when it has been Degraded without a break, RFC 3339; "" while it is not. */
  readonly degradedSince: string;
  readonly hooks: readonly StartedHook[];
  readonly phase: SyncPhase;
  readonly health: Health;
  /** The health of the wave, where the apply had nothing to write and saw it; absent when it has to be looked at. */
  readonly seen?: Health;
  readonly counts: SyncRecord["counts"];
  readonly errors: readonly string[];
  readonly notes: readonly string[];
  readonly retryable: boolean;
  /** True when it failed because what was applied did not become healthy: what an automatic rollback answers to. */
  readonly unhealthy: boolean;
  /** True when the cluster could not be reached: it is tried again for ever. */
  readonly unreachable: boolean;
  /** Objects of the inventory that the desired state has no more: what the prune has to look at. */
  readonly leaving: number;
  /** Digest of the deletes that somebody approved; "" when nobody did. */
  readonly approvedPrune: string;
  /** Applications for which the prune kept objects; absent when it kept none for others. */
  readonly keptFor?: readonly string[];
  /** Objects that others changed while the run waited for them, by `resourceKey`; absent while there is none. */
  readonly disturbed?: { readonly [key: string]: Disturbance };
  /** What is put right before the run goes on: these objects, by `resourceKey`, in the steps up to the one that it was at. */
  readonly again?: { readonly keys: readonly string[]; readonly through: number };
}

export interface Disturbance {
  /** How often the object was put right. */
  readonly times: number;
  /** What of it was looked at last and is no drift, or is to be left; "" when it was put right. */
  readonly seen: string;
}

export const noCounts: SyncRecord["counts"] = { created: 0, configured: 0, unchanged: 0, pruned: 0, failed: 0 };

/** At most so many errors, and as many notes, stand in a row; `counts.failed` has the whole number. */
const mostLines = 20;
/** Characters of all errors of a row together, and of all notes; the first is kept whole up to this. */
const mostText = 2000;

function cutLines(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let left = mostText;
  for (const line of lines) {
    if (kept.length === mostLines || left <= 0) break;
    kept.push(line.length > left ? `${line.slice(0, left)} ...` : line);
    left -= line.length;
  }
  return kept;
}

/** Adds changes to what is counted; the text of each failure comes with its object. */
export function withChanges(
  work: Work,
  changes: readonly Change[],
  describe: (change: Change & { action: "failed" }) => string,
): Work {
  const counts = { ...work.counts };
  const errors = [...work.errors];
  for (const change of changes) {
    if (change.action === "skipped") continue;
    counts[change.action] += 1;
    if (change.action === "failed") errors.push(describe(change));
  }
  return { ...work, counts, errors: cutLines(errors) };
}

/** Adds what people should know; what is said already is not said again. */
export function withNotes(work: Work, notes: readonly string[]): Work {
  return notes.length === 0 ? work : { ...work, notes: cutLines([...new Set([...work.notes, ...notes])]) };
}

/** Ends an application's part of the run; `record` writes it down. */
export function concluded(progress: Progress, work: Work, phase: SyncPhase, ...errors: readonly string[]): Progress {
  return moved(progress, "record", { ...work, phase, errors: cutLines([...work.errors, ...errors]) });
}

/** A sync that failed: its SyncFail hooks come first, where it has any and they have not been run. */
export function failed(progress: Progress, work: Work, ...errors: readonly string[]): Progress {
  if (work.path === "failure" || work.steps.failure === 0) return concluded(progress, work, "Failed", ...errors);
  const failing: Work = { ...work, path: "failure", step: 0, waitsSince: "", errors: cutLines([...work.errors, ...errors]) };
  return moved(progress, "apply", failing);
}

/** On to a stage, which can begin at once. */
export function moved({ application, trigger }: Progress, stage: Stage, work: Work): Progress {
  return { application, trigger, stage, work };
}

/** The row of a run as it stands. */
export function syncRecord(
  work: Work,
  run: Pick<SyncRecord, "trigger" | "correlationId" | "finishedAt"> & { readonly project: string },
): SyncRecord {
  const { syncId: id, target, desired, startedAt, phase, health, counts, errors, notes, attempt, retryable, unreachable } = work;
  const { keptFor = [] } = work;
  return {
    id,
    application: target.name,
    cluster: target.cluster,
    revision: desired.revision,
    generation: desired.generation,
    snapshot: desired.snapshot,
    trigger: run.trigger,
    ...projectNote(run),
    correlationId: run.correlationId,
    phase,
    startedAt,
    finishedAt: run.finishedAt,
    health,
    counts,
    errors,
    notes,
    attempt,
    retryable,
    ...(unreachable ? { unreachable } : {}),
    ...(keptFor.length === 0 ? {} : { keptFor }),
  };
}

/** The state with this run as its last, unless a later generation has had its run already. */
export function withLastSync(state: ApplicationState, record: SyncRecord): ApplicationState | undefined {
  if ((state.lastSync?.generation ?? 0) > record.generation) return undefined;
  return { ...state, lastSync: record, health: record.health };
}

/**
 * The work when an error ended it: what may pass is tried again, for ever where the API server cannot be reached, or where the
 * configuration does not name it any more: whoever puts it back has nothing else to do.
 */
export function withError(work: Work, error: DriftlessError): Work {
  const isUnnamed = error.facts["unknownCluster"] !== undefined;
  const retryable = error.retryable || isUnnamed;
  return { ...work, retryable, unreachable: isUnnamed || (retryable && error.code === "cluster") };
}

/** Whether an object counts for the health of a run: applied by its wave, or by one before; later ones may be as an earlier sync left them. */
export function isCounted({ uid, leaving, hook, step = 0 }: InventoryEntry, work: Work): boolean {
  if (work.path === "failure") return false;
  return uid !== "" && leaving !== true && hook !== true && step <= work.step;
}
