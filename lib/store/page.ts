import type { CallOptions } from "../model/call.ts";

/** A page of rows, newest first, and where the next begins; `next` undefined at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface PageRequest extends CallOptions {
  /** At most so many rows. Default 50. */
  readonly limit?: number;
  readonly from?: string;
}
