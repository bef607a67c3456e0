import { setTimeout as delay } from "node:timers/promises";
import { mapConcurrently } from "../lib/cluster/concurrency.ts";
import { parseDuration } from "../lib/config/duration.ts";
import { isDriftlessError } from "../lib/errors.ts";
import type { Health } from "../lib/model/health.ts";
import type { SyncRecord } from "../lib/model/sync.ts";
import { systemClock } from "../lib/telemetry/clock.ts";
import { fetchApi } from "./api-client.ts";
import { type Invocation, textOption, UsageError } from "./command.ts";
import { shortRevision } from "./table.ts";

/** A sync that was asked for. */
export interface Asked {
  readonly application: string;
  readonly revision: string;
  readonly generation: number;
}

/** Where a sync stands; `Removed` when a removed application was gone with it. */
export interface Followed extends Asked {
  readonly phase: SyncRecord["phase"] | "Removed";
  readonly health: Health;
  readonly errors: readonly string[];
  readonly notes: readonly string[];
}

/** What the commands that start syncs have in common. */
export const followOptions = { "no-wait": { type: "boolean" }, timeout: { type: "string" } } as const;
export const followHelp = `  --no-wait       return at once, when it is started
  --timeout 30m   stop waiting after that time (default 30m); the sync goes on
`;

export function followSeconds(invocation: Invocation): number {
  const text = textOption(invocation, "timeout") ?? "30m";
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new UsageError(`--timeout is a duration such as 90s or 30m, not ${text}`);
  return seconds;
}

export function hasEnded({ phase }: Followed): boolean {
  return phase !== "Running" && phase !== "Waiting";
}

/** Waits for syncs to end, and says what changes meanwhile; what has not ended after `seconds` comes back as it stands. */
export async function follow(
  asked: readonly Asked[],
  invocation: Invocation,
  { seconds }: { readonly seconds: number },
): Promise<readonly Followed[]> {
  const deadline = systemClock.now().getTime() + seconds * 1000;
  const said = new Map<string, string>();
  let standing: readonly Followed[] = asked.map((one) => ({ ...one, ...notBegun }));
  for (let pauseMs = 200; ; pauseMs = Math.min(2000, pauseMs * 1.5)) {
    standing = await lookAll(standing, invocation);
    for (const one of standing) {
      const line = lineOf(one);
      if (said.get(one.application) !== line) invocation.say(line);
      said.set(one.application, line);
    }
    if (standing.every(hasEnded) || systemClock.now().getTime() >= deadline) return standing;
    await delay(pauseMs);
  }
}

const notBegun = {
  phase: "Running",
  health: { status: "Progressing", message: "it has not begun" },
  errors: [],
  notes: [],
} as const satisfies Omit<Followed, keyof Asked>;

const gone = {
  phase: "Removed",
  health: { status: "Healthy", message: "nothing of it is left" },
  errors: [],
  notes: [],
} as const satisfies Omit<Followed, keyof Asked>;

/** One request for all where there are many. */
async function lookAll(standing: readonly Followed[], invocation: Invocation): Promise<readonly Followed[]> {
  const open = standing.filter((one) => !hasEnded(one));
  const rows =
    open.length > 4
      ? (await fetchApi<{ readonly items: readonly Row[] }>("/applications", invocation)).items
      : await mapConcurrently(open, { limit: 4, work: ({ application }) => rowOf(application, invocation) });
  const byName = new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.name, row]])));
  return mapConcurrently(standing, {
    limit: 4,
    work: async (one) => (hasEnded(one) ? one : look(one, byName.get(one.application), invocation)),
  });
}

interface Row {
  readonly name: string;
  readonly lastSync?: SyncRecord;
}

/** Undefined for an application that is gone. */
async function rowOf(application: string, invocation: Invocation): Promise<Row | undefined> {
  try {
    return await fetchApi<Row>(`/applications/${encodeURIComponent(application)}`, invocation);
  } catch (error) {
    if (!isDriftlessError(error, "not-found")) throw error;
    return undefined;
  }
}

async function look(asked: Asked, row: Row | undefined, invocation: Invocation): Promise<Followed> {
  const { application, revision, generation } = asked;
  const told = { application, revision, generation };
  if (row === undefined) return { ...told, ...gone };
  const { lastSync } = row;
  if (lastSync === undefined || lastSync.generation < generation) return { ...told, ...notBegun };
  if (lastSync.generation === generation) return { ...told, ...ending(lastSync) };
  // A later one has begun: history knows how this one ended.
  const path = `/applications/${encodeURIComponent(application)}/syncs?limit=50`;
  const { items } = await fetchApi<{ readonly items: readonly SyncRecord[] }>(path, invocation);
  const own = items.find((sync) => sync.generation === generation);
  return { ...told, ...(own === undefined ? overtaken(lastSync) : ending(own)) };
}

function ending({ phase, finishedAt, health, errors, notes }: SyncRecord): Omit<Followed, keyof Asked> {
  return { phase: finishedAt === "" && phase !== "Waiting" ? "Running" : phase, health, errors, notes };
}

function overtaken({ revision, health }: SyncRecord): Omit<Followed, keyof Asked> {
  return { phase: "Superseded", health, errors: [`${shortRevision(revision)} took its place`], notes: [] };
}

function lineOf({ application, revision, phase, health: { status, message }, errors }: Followed): string {
  const why = errors[0] ?? message;
  return `${application} ${shortRevision(revision)}: ${phase}, ${status}${why === "" ? "" : `: ${why}`}`;
}
