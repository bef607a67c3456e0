import type { SyncTrigger } from "../model/sync.ts";

/** The applications of one cluster that one plan changed: they share a run, its connections and its discovery. */
export interface SyncBatch {
  readonly cluster: string;
  /** Commit id for the log and the session name; each application's own desired state decides what is applied. */
  readonly revision: string;
  readonly trigger: SyncTrigger;
  readonly correlationId: string;
  /** What to sync, and the generation of the desired state that was current when the run was started. */
  readonly applications: readonly { readonly name: string; readonly generation: number }[];
}

/** Starts a run; the same name and batch twice is one run. */
export interface SyncStarter {
  start(batch: SyncBatch, options: { readonly name: string; readonly signal?: AbortSignal }): Promise<void>;
}

/** The durable half of a run: a step is done once and its result remembered; a wait costs no compute. */
export interface DurableRun {
  /** Stable id of the run, the same after each resume. */
  readonly id: string;
  /** Runs `work` once; after a crash the stored result is returned. Results are JSON. Work must bear being repeated when it was cut off. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Sleeps without compute; whole seconds, at least 1. */
  wait(name: string, seconds: number): Promise<void>;
}
