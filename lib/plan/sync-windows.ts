import { Cron } from "croner";
import type { SyncWindow } from "../model/application.ts";

/** A time at which no sync may start. */
export interface ClosedTime {
  /** The window that closes it, or, where none of those that allow is open, the one that opens first. */
  readonly window: SyncWindow;
  /** When it opens; undefined when that is not in sight. */
  readonly opens: Date | undefined;
}

/** Undefined when a sync may start: no `deny` is open, and, where there is an `allow`, one of those is. */
export function closedTime(windows: readonly SyncWindow[], now: Date): ClosedTime | undefined {
  const closed = closedAt(windows, now);
  return closed && { window: closed.window, opens: nextOpening(windows, now) };
}

/** Until when something is closed, as far as its windows of one kind say. */
interface Closure {
  readonly window: SyncWindow;
  readonly until: Date | undefined;
}

function closedAt(windows: readonly SyncWindow[], at: Date): Closure | undefined {
  const denied = windows.flatMap((window) => {
    const until = window.kind === "deny" ? openUntil(window, at) : undefined;
    return until === undefined ? [] : [{ window, until }];
  });
  if (denied.length > 0) return denied.reduce((last, closure) => (closure.until > last.until ? closure : last));
  const allowing = windows.filter(({ kind }) => kind === "allow");
  const [first] = allowing;
  if (first === undefined || allowing.some((window) => openUntil(window, at) !== undefined)) return undefined;
  const coming = allowing.flatMap((window) => {
    const until = cronOf(window).nextRun(at);
    return until === null ? [] : [{ window, until }];
  });
  if (coming.length === 0) return { window: first, until: undefined };
  return coming.reduce((next, closure) => (closure.until < next.until ? closure : next));
}

/** Windows that follow one another without a gap may never open: after so many the search ends. */
const mostRounds = 50;

function nextOpening(windows: readonly SyncWindow[], now: Date): Date | undefined {
  let at = now;
  for (let round = 0; round < mostRounds; round++) {
    const closed = closedAt(windows, at);
    if (closed === undefined) return at;
    if (closed.until === undefined) return undefined;
    at = closed.until;
  }
  return undefined;
}

/** When the opening ends that a time is in; undefined when it is in none. Its first moment is in it, its end is not. */
function openUntil(window: SyncWindow, at: Date): Date | undefined {
  // Of openings that overlap the last one ends last; openings begin at whole seconds.
  const [began] = cronOf(window).previousRuns(1, new Date(at.getTime() + 1));
  if (began === undefined) return undefined;
  const until = new Date(began.getTime() + window.duration * 1000);
  return until > at ? until : undefined;
}

/** A schedule that was read takes some 80 KB. */
const mostKept = 64;
const kept = new Map<string, Cron>();

function cronOf({ schedule, timeZone }: SyncWindow): Cron {
  const key = `${timeZone} ${schedule}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size >= mostKept) kept.clear();
  const cron = new Cron(schedule, { mode: "5-part", paused: true, timezone: timeZone });
  kept.set(key, cron);
  return cron;
}
