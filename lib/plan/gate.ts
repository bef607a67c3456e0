import type { Application, Suspension, SyncMode, SyncWindow } from "../model/application.ts";
import { closedTime } from "./sync-windows.ts";

/** Whether a sync may start by itself, and if not, what it waits for. */
export type Gate = { readonly open: true } | Closed;

export interface Closed {
  readonly open: false;
  readonly kind: "refused" | "suspended" | "window" | "approve" | "manual";
  /** For people. */
  readonly reason: string;
}

export interface GateRequest {
  readonly definition: Application;
  /** As `driftless suspend` set it; the definition may have one of its own. */
  readonly suspended?: Suspension | undefined;
  /** Whether its project refused its last plan. */
  readonly refused?: true | undefined;
  readonly now: Date;
}

const open: Gate = { open: true };

/** The gate of a new desired state. */
export function gateOf(request: GateRequest): Gate {
  const gate = restartGateOf(request);
  if (!gate.open) return gate;
  const { name, sync } = request.definition;
  switch (sync.mode) {
    case "auto":
      return open;
    case "approve":
    case "manual":
      return closed(sync.mode, waitingText(sync.mode, name));
    default:
      return sync.mode satisfies never;
  }
}

/** The gate of what was let through before: healing, retries, lost runs. */
export function restartGateOf({ definition, suspended, refused, now }: GateRequest): Gate {
  if (refused === true) return closed("refused", `project ${definition.project} does not allow it`);
  const suspension = inForce(suspended, now) ?? inForce(definition.suspend, now);
  if (suspension !== undefined) return closed("suspended", suspensionText(suspension));
  const window = closedWindow(definition, now);
  return window === undefined ? open : closed("window", window);
}

/** What a state of the application waits for by its mode, and the commands that let it go on. */
export function waitingText(mode: Exclude<SyncMode, "auto">, name: string): string {
  return mode === "approve"
    ? `waits for approval: driftless plan ${name}, then driftless approve ${name} HASH`
    : `waits for somebody to sync it: driftless sync ${name}`;
}

function closed(kind: Closed["kind"], reason: string): Closed {
  return { open: false, kind, reason };
}

/** The suspension, unless it is over. */
export function inForce(suspension: Suspension | undefined, now: Date): Suspension | undefined {
  if (suspension === undefined) return undefined;
  return suspension.until === "" || Date.parse(suspension.until) > now.getTime() ? suspension : undefined;
}

/** As people read it: `suspended by OWNER until UNTIL: REASON`. */
export function suspensionText({ owner, reason, until }: Suspension): string {
  return `suspended by ${owner}${until === "" ? "" : ` until ${until}`}: ${reason}`;
}

/** Why no sync may start at this time, and when one may; undefined when one may. */
export function closedWindow({ syncWindows }: Pick<Application, "syncWindows">, now: Date): string | undefined {
  const closedNow = closedTime(syncWindows, now);
  if (closedNow === undefined) return undefined;
  const { window, opens } = closedNow;
  const next = opens === undefined ? "no opening is in sight" : `it opens at ${timeText(opens, window.timeZone)}`;
  return window.kind === "deny"
    ? `closed by its sync window ${windowText(window)}; ${next}`
    : `outside its sync windows; ${opens === undefined ? next : `${next} by ${windowText(window)}`}`;
}

function windowText({ kind, schedule, duration, timeZone }: SyncWindow): string {
  return `${kind} "${schedule}" for ${durationText(duration)} (${timeZone})`;
}

function durationText(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  return parts.flatMap(([amount, unit]) => (amount === 0 ? [] : [`${amount}${unit}`])).join("");
}

/** `2025-03-03T06:00+01:00`: the time of day there, and which of two it is when clocks go back. */
function timeText(at: Date, timeZone: string): string {
  const digits = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    year: "numeric",
    ...digits,
    hourCycle: "h23",
    timeZoneName: "longOffset",
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, timeZoneName = "" } = parts;
  const offset = timeZoneName.replace("GMT", "");
  return `${year}-${month}-${day}T${hour}:${minute}${offset === "" || offset === "+00:00" ? "Z" : offset}`;
}
