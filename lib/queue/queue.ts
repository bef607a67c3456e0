import type { CallOptions } from "../model/call.ts";
import type { RevisionMessage } from "../model/delivery.ts";
import type { SweepShard } from "../model/drift.ts";
import type { SyncBatch } from "../model/sync.ts";

/** The FIFO queue of moved branches: one group a repository and branch, so that plans of one branch never overlap. */
export interface RevisionQueue {
  /**
   * Sends a hint. Two sends with one `deduplicationId` within five minutes are one message. Throws `queue`, retryable.
   * The id is the delivery's GUID (or the sweep's id), never the commit: A, B, A within a minute must end at A.
   */
  send(message: RevisionMessage, options: { readonly deduplicationId: string; readonly signal?: AbortSignal }): Promise<void>;
}

/** Starts a run; the same name and batch twice is one run. Throws `queue`. */
export interface SyncStarter {
  start(batch: SyncBatch, options: { readonly name: string; readonly signal?: AbortSignal }): Promise<void>;
}

/** Has one cluster swept by an invocation of its own, which nobody waits for. Twice is as good as once. Throws `queue`. */
export interface ShardStarter {
  start(shard: SweepShard, options?: CallOptions): Promise<void>;
}
