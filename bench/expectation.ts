import { DriftlessError } from "../lib/errors.ts";

export interface ExpectationOptions {
  /** For the error. */
  readonly what: string;
  readonly withinMs?: number;
  readonly signal: AbortSignal;
  /** Asked when the time is up: what may be the reason. */
  readonly hint?: () => string;
}

/** Waits until each of some names has been seen. */
export interface Expectation {
  seen(name: string): void;
  fail(error: Error): void;
  readonly isOpen: boolean;
  /** Milliseconds of `performance.now()` at which the last name was seen; rejects when the time is up, naming what is missing. */
  readonly all: Promise<number>;
}

export function expectAll(names: readonly string[], options: ExpectationOptions): Expectation {
  const { what, withinMs = 120_000, signal, hint = () => "" } = options;
  const missing = new Set(names);
  const { promise: all, resolve, reject } = Promise.withResolvers<number>();
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  };
  const fail = (error: Error): void => {
    if (!isOpen) return;
    close();
    reject(error);
  };
  const abort = (): void => fail(signal.reason instanceof Error ? signal.reason : new Error("stopped"));
  const timer = setTimeout(() => {
    const examples = [...missing].slice(0, 3).join(", ");
    const reason = hint();
    const text = `waited ${withinMs / 1000} s for ${what}; ${missing.size} of ${names.length} are missing, such as ${examples}`;
    fail(new DriftlessError("not-found", reason === "" ? text : `${text}; ${reason}`));
  }, withinMs);
  const finish = (): void => {
    close();
    resolve(performance.now());
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  if (isOpen && missing.size === 0) finish();
  return {
    all,
    fail,
    get isOpen() {
      return isOpen;
    },
    seen(name) {
      if (isOpen && missing.delete(name) && missing.size === 0) finish();
    },
  };
}
