import { setTimeout as delay } from "node:timers/promises";
import type { DurableRun } from "../../lib/sync/batch/run.ts";
import type { Clock } from "../../lib/telemetry/clock.ts";
import type { Worker } from "./worker.ts";

/** A clock that moves only when it is told to. */
export interface TestClock extends Clock {
  advance(seconds: number): void;
}

export function aClock(start = "2025-03-01T12:00:00.000Z"): TestClock {
  let now = Date.parse(start);
  return {
    now: () => new Date(now),
    advance: (seconds) => {
      now += seconds * 1000;
    },
  };
}

/** A durable execution: what its steps gave is kept as JSON, over the deaths of its workers. */
export interface Execution {
  readonly id: string;
  /** Steps and waits that are over, in order. */
  readonly done: () => readonly string[];
  /** The run as one worker has it: what is done is replayed, the rest is done and remembered. */
  on(worker: Worker): DurableRun;
}

export interface ExecutionOptions {
  readonly id: string;
  /** A wait moves it on by its whole length at once, unless `sleep` says how time goes by. */
  readonly clock: TestClock;
  readonly sleep?: (seconds: number) => Promise<void>;
  /** Real milliseconds of a wait, for what the cluster has to do meanwhile. Default 0. */
  readonly pause?: number;
  /** Before a step's work begins. */
  readonly beforeStep?: (name: string) => void | Promise<void>;
  /** Once a wait is over. */
  readonly afterWait?: (name: string) => void | Promise<void>;
}

/** Does the work of a step; nothing of it may go on once it is over, or it would land in whatever the worker does next. */
async function alone<T>(name: string, worker: Worker, work: () => Promise<T>): Promise<T> {
  const [outcome] = await Promise.allSettled([work()]);
  if (worker.inFlight > 0) throw new Error(`step ${name} was over with ${worker.inFlight} calls in the air`);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

export function createExecution(options: ExecutionOptions): Execution {
  const { id, clock, pause = 0, beforeStep, afterWait } = options;
  const sleep = options.sleep ?? ((seconds: number) => Promise.resolve(clock.advance(seconds)));
  const results = new Map<string, string>();
  return {
    id,
    done: () => [...results.keys()],
    on: (worker) => ({
      id,
      async step<T>(name: string, work: () => Promise<T>): Promise<T> {
        if (!results.has(name)) {
          await beforeStep?.(name);
          const result = JSON.stringify(await alone(name, worker, work));
          await worker.call({ to: "history", name: `checkpoint ${name}` }, () => Promise.resolve(results.set(name, result)));
        }
        return JSON.parse(results.get(name) ?? "") as T;
      },
      async wait(name, seconds) {
        if (results.has(name)) return;
        await worker.call({ to: "history", name: `wait ${name}` }, async () => {
          if (pause > 0) await delay(pause);
          await sleep(seconds);
          results.set(name, "null");
        });
        await afterWait?.(name);
      },
    }),
  };
}
