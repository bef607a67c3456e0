import type { Application } from "../model/application.ts";
import type { Health } from "../model/health.ts";
import type { ApplicationState, Change, Desired, SyncPhase, SyncRecord, SyncTrigger } from "../model/sync.ts";
import type { Lease } from "../store/store.ts";

/** What a run does next for one application. */
export type Stage = "begin" | "apply" | "health" | "prune" | "record" | "done";

/** How far a run is with one application. It is a step's result, so it is JSON, small, and holds no manifest. */
export interface Progress {
  readonly application: string;
  readonly stage: Stage;
  /** Undefined until the lease is held. */
  readonly work?: Work;
}

/** One application, once its lease is held. */
export interface Work {
  readonly syncId: string;
  readonly definition: Application;
  readonly removed: boolean;
  readonly desired: Desired;
  readonly lease: Lease;
  readonly startedAt: string;
  /** When waiting ends, RFC 3339. */
  readonly deadline: string;
  readonly phase: SyncPhase;
  readonly health: Health;
  readonly counts: SyncRecord["counts"];
  readonly errors: readonly string[];
  readonly retryable: boolean;
  /** Objects of the inventory that the desired state has no more: what the prune has to look at. */
  readonly leaving: number;
}

export const noCounts: SyncRecord["counts"] = { created: 0, configured: 0, unchanged: 0, pruned: 0, failed: 0 };

/** At most so many errors stand in a row; `counts.failed` has the whole number. */
const mostErrors = 20;
/** Characters of all errors of a row together; the first is kept whole up to this. */
const mostErrorText = 2000;

function cutErrors(errors: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let left = mostErrorText;
  for (const error of errors) {
    if (kept.length === mostErrors || left <= 0) break;
    kept.push(error.length > left ? `${error.slice(0, left)} ...` : error);
    left -= error.length;
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
  return { ...work, counts, errors: cutErrors(errors) };
}

/** Ends an application's part of the run; `record` writes it down. */
export function concluded(progress: Progress, work: Work, phase: SyncPhase, ...errors: readonly string[]): Progress {
  return { ...progress, stage: "record", work: { ...work, phase, errors: cutErrors([...work.errors, ...errors]) } };
}

/** The row of a run as it stands. */
export function syncRecord(
  work: Work,
  run: { readonly trigger: SyncTrigger; readonly correlationId: string; readonly finishedAt: string },
): SyncRecord {
  const { syncId: id, definition, desired, startedAt, phase, health, counts, errors, retryable } = work;
  return {
    id,
    application: definition.name,
    cluster: definition.cluster,
    revision: desired.revision,
    generation: desired.generation,
    snapshot: desired.snapshot,
    trigger: run.trigger,
    correlationId: run.correlationId,
    phase,
    startedAt,
    finishedAt: run.finishedAt,
    health,
    counts,
    errors,
    retryable,
  };
}

/** The state with this run as its last, unless a later generation has had its run already. */
export function withLastSync(state: ApplicationState, record: SyncRecord): ApplicationState | undefined {
  if ((state.lastSync?.generation ?? 0) > record.generation) return undefined;
  return { ...state, lastSync: record, health: record.health };
}
