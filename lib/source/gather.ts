import { setImmediate as nextTurn } from "node:timers/promises";
import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";

type Fetched<T> = ReadonlyMap<string, T>;

/**
 * Joins what is asked for at the same time: ids that come while a fetch is under way go together into the next one.
 * A joined fetch outlives any one caller's signal; when it fails, each caller fetches its own, so that a bad id fails alone,
 * unless the host asked to wait.
 */
export function createGatherer<T>(
  fetch: (ids: readonly string[], options: CallOptions) => Promise<Fetched<T>>,
): (ids: readonly string[], options: CallOptions) => Promise<Fetched<T>> {
  let gathering: { readonly ids: Set<string>; callers: number; readonly fetched: Promise<Fetched<T>> } | undefined;
  let underWay: Promise<unknown> = Promise.resolve();

  const begin = (): NonNullable<typeof gathering> => {
    const ids = new Set<string>();
    const fetched = underWay
      .then(() => nextTurn())
      .then(() => {
        gathering = undefined;
        return fetch([...ids], {});
      });
    underWay = fetched.catch(() => undefined);
    return { ids, callers: 0, fetched };
  };

  return async (ids, options) => {
    gathering ??= begin();
    const joined = gathering;
    joined.callers += 1;
    for (const id of ids) joined.ids.add(id);
    try {
      return await unlessAborted(joined.fetched, options.signal);
    } catch (error) {
      if (joined.callers === 1 || options.signal?.aborted === true || asksToWait(error)) throw error;
      return fetch(ids, options);
    }
  };
}

function asksToWait(error: unknown): boolean {
  return isDriftlessError(error) && error.facts["retryAfterSeconds"] !== undefined;
}

/** Stops waiting when the signal aborts; the work itself goes on, for the others that share it. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
