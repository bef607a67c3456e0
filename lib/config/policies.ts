import { Cron } from "croner";
import type { Suspension, SyncPolicy, SyncWindow } from "../model/application.ts";
import { parseDuration } from "./duration.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import type { suspend, sync, syncWindowsOf } from "./policy-schema.ts";
import { nearestWord } from "./suggest.ts";
import { quote } from "./wording.ts";

type WrittenSync = ValueOf<typeof sync>;
type WrittenWindow = ValueOf<ReturnType<typeof syncWindowsOf>>[number];
type WrittenSuspension = ValueOf<typeof suspend>;

type Add = (path: string, message: string) => void;

/** How long something may be, in seconds and as people write it. */
interface Bounds {
  readonly least: readonly [seconds: number, text: string];
  readonly most: readonly [seconds: number, text: string];
}

/** A durable execution has a bound on its operations: at the longest pause this many hours of rounds fit well in. */
const waits: Bounds = { least: [1, "1s"], most: [8 * 3600, "8h"] };
const pauses: Bounds = { least: [1, "1s"], most: [24 * 3600, "24h"] };
const openings: Bounds = { least: [60, "1m"], most: [366 * 24 * 3600, "8784h"] };

/** What the schema cannot say about policies: durations out of bounds, schedules that never come, places without a clock. */
export function checkSync(written: Partially<WrittenSync> | undefined, path: string, add: Add): void {
  const { timeout, hookTimeout, retry } = written ?? {};
  const { duration, maxDuration } = retry?.backoff ?? {};
  checkDuration(timeout, waits, `${path}.timeout`, add);
  checkDuration(hookTimeout, waits, `${path}.hookTimeout`, add);
  const backoff = `${path}.retry.backoff`;
  const [first, longest] = [
    checkDuration(duration, pauses, `${backoff}.duration`, add),
    checkDuration(maxDuration, pauses, `${backoff}.maxDuration`, add),
  ];
  if (first !== undefined && longest !== undefined && first > longest)
    add(`${backoff}.duration`, `must be at most maxDuration, which is ${maxDuration}, and is ${quote(duration ?? "")}`);
}

/** `isEnough` says that there are more findings than will be shown: what costs time is looked at no more. */
export function checkWindows(
  windows: readonly (Partially<WrittenWindow> | undefined)[] | undefined,
  path: string,
  { add, isEnough }: { readonly add: Add; readonly isEnough: () => boolean },
): void {
  for (const [index, { schedule, duration, timeZone } = {}] of (windows ?? []).entries()) {
    const at = `${path}[${index}]`;
    checkDuration(duration, openings, `${at}.duration`, add);
    if (isEnough()) continue;
    const problem = schedule === undefined ? undefined : scheduleProblem(schedule);
    if (problem !== undefined) add(`${at}.schedule`, problem);
    if (timeZone !== undefined && !isTimeZone(timeZone)) add(`${at}.timeZone`, unknownZone(timeZone));
  }
}

export function checkSuspension(written: Partially<WrittenSuspension> | undefined, path: string, add: Add): void {
  const until = written?.until;
  if (until !== undefined && !isDay(until)) add(`${path}.until`, `is no time that comes: ${quote(until)}`);
}

/** The duration in seconds, where nothing is wrong with it. */
function checkDuration(text: string | undefined, { least, most }: Bounds, path: string, add: Add): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseDuration(text);
  if (seconds === undefined || !Number.isInteger(seconds)) add(path, `must be whole seconds, and is ${quote(text)}`);
  else if (seconds >= least[0] && seconds <= most[0]) return seconds;
  else add(path, `must be at least ${least[1]} and at most ${most[1]}, and is ${quote(text)}`);
  return undefined;
}

function scheduleProblem(schedule: string): string | undefined {
  try {
    const cron = new Cron(schedule, { mode: "5-part", paused: true });
    return cron.nextRun(new Date(0)) === null ? `never comes: ${quote(schedule)}` : undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^CronPattern: (?:Syntax error, )?/, "") : "";
    return `is not a schedule of cron: ${message}`;
  }
}

function isTimeZone(timeZone: string): boolean {
  if (timeZone === "UTC") return true;
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function unknownZone(timeZone: string): string {
  const near = nearestWord(timeZone, Intl.supportedValuesOf("timeZone"));
  const advice = near === undefined ? "write one such as Europe/Berlin" : `did you mean "${near}"?`;
  return `there is no time zone ${quote(timeZone)}: ${advice}`;
}

/** The 31st of February is read as a day in March. */
function isDay(time: string): boolean {
  const [date = ""] = time.split("T");
  return !Number.isNaN(Date.parse(time)) && new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

export function syncPolicyOf({ timeout, hookTimeout, retry, ...policy }: WrittenSync): SyncPolicy {
  const { duration, factor, maxDuration } = retry.backoff;
  const backoff = { duration: parseDuration(duration)!, factor, maxDuration: parseDuration(maxDuration)! };
  return {
    ...policy,
    timeout: parseDuration(timeout)!,
    hookTimeout: parseDuration(hookTimeout)!,
    retry: { limit: retry.limit, backoff },
  };
}

export function windowsOf(windows: readonly WrittenWindow[]): readonly SyncWindow[] {
  return windows.map((window) => ({ ...window, duration: parseDuration(window.duration)! }));
}

/** Times of all offsets become times of UTC. */
export function suspensionOf({ owner, reason, until }: WrittenSuspension): Suspension {
  return { owner, reason, until: until === undefined ? "" : new Date(until).toISOString() };
}
