import { DriftlessError, messageOf } from "../errors.ts";

/** Stops waiting when the signal aborts; the work itself goes on, for the others that share it. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const stopped = () =>
    new DriftlessError("cluster", `The call was stopped: ${messageOf(signal.reason)}`, { cause: signal.reason, retryable: true });
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(stopped());
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
