/** The last option of every port method: `signal` carries the deadline all the way down. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}
