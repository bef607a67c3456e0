import { setTimeout as wait } from "node:timers/promises";
import { DriftlessError, messageOf } from "../../lib/errors.ts";

export interface UntilOptions {
  /** What is waited for, for the error. */
  readonly what: string;
  /** Default 60 seconds. */
  readonly withinMs?: number;
  /** Called before every try; ends the wait by throwing. */
  readonly guard?: () => void;
}

/** Tries every 50 ms until the answer is neither undefined nor false; a try that throws counts as not yet. */
export async function until<T>(attempt: () => T | Promise<T>, options: UntilOptions): Promise<Exclude<T, undefined | false>> {
  const { what, withinMs = 60_000, guard = () => {} } = options;
  const started = performance.now();
  let cause: unknown;
  while (performance.now() - started < withinMs) {
    guard();
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    } catch (error) {
      cause = error;
    }
    await wait(50);
  }
  const last = cause === undefined ? "" : `; last: ${messageOf(cause)}`;
  throw new DriftlessError("cluster", `waited ${withinMs / 1000} s for ${what}${last}`, { cause });
}
