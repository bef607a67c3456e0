import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import type { InvokeFunction } from "./invocation.ts";

/** Stands for an EventBridge schedule. */
export interface LocalSchedule {
  /** Starts no further run and waits for the one under way. */
  close(): Promise<void>;
}

export interface ScheduleOptions {
  readonly functionName: string;
  readonly everySeconds: number;
  readonly invoke: InvokeFunction;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Calls the function every so many seconds, the first time after one interval; a beat that finds the last run still busy is skipped. */
export function startSchedule({ functionName, everySeconds, invoke, log, clock = systemClock }: ScheduleOptions): LocalSchedule {
  let running: Promise<void> | undefined;
  const beat = async (): Promise<void> => {
    const result = await invoke(functionName, scheduledEvent(clock));
    if ("error" in result) log.warn("schedule.failed", { functionName, error: result.error.errorMessage });
  };
  const timer = setInterval(() => {
    running ??= beat()
      .catch((error: unknown) => log.warn("schedule.failed", { functionName, error }))
      .finally(() => {
        running = undefined;
      });
  }, everySeconds * 1000);
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

function scheduledEvent(clock: Clock): unknown {
  return {
    version: "0",
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: "000000000000",
    region: "us-east-1",
    time: clock.now().toISOString(),
    resources: [],
    detail: {},
  };
}
