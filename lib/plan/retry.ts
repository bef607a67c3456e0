import type { RetryPolicy } from "../model/application.ts";
import type { SyncRecord } from "../model/sync.ts";

/** When a sync that failed may be started again; undefined once its policy lets it have no more tries. */
export function retryTime(
  { attempt, finishedAt, unreachable }: Pick<SyncRecord, "attempt" | "finishedAt" | "unreachable">,
  { limit, backoff }: RetryPolicy,
): Date | undefined {
  if (attempt > limit && unreachable !== true) return undefined;
  const seconds = Math.min(backoff.maxDuration, backoff.duration * backoff.factor ** (attempt - 1));
  return new Date(Date.parse(finishedAt) + seconds * 1000);
}

/** True when it may be started again now. */
export function mayRetry(
  sync: Pick<SyncRecord, "attempt" | "finishedAt" | "unreachable">,
  { policy, now }: { readonly policy: RetryPolicy; readonly now: Date },
): boolean {
  const at = retryTime(sync, policy);
  return at !== undefined && at <= now;
}
