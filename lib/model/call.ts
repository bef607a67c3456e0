/** The last option of every port method: `signal` carries the deadline all the way down. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** A signal that ends with the caller's, or after so many milliseconds. */
export function signalWithin(milliseconds: number, { signal }: CallOptions): AbortSignal {
  const limit = AbortSignal.timeout(milliseconds);
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
}
