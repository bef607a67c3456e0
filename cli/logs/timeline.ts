import { shortTime, textTable } from "../table.ts";
import { type LogLine, traceOf } from "./log-source.ts";
import { seconds, sentenceOf } from "./sentences.ts";

/** All that one delivery, sweep or action set off. */
export interface Story {
  readonly id: string;
  readonly began: "delivery" | "sweep" | "audit" | "action" | "unknown";
  /** Oldest first; never empty. */
  readonly lines: readonly LogLine[];
  /** How far each application came. */
  readonly ways: readonly Way[];
}

/** Milliseconds from the story's first line to what happened to one application; absent for what did not, or not yet. */
export interface Way {
  readonly application: string;
  readonly plannedMs?: number;
  readonly begunMs?: number;
  readonly appliedMs?: number;
  readonly endedMs?: number;
  /** How its last sync ended; "" while it has not, or there is none. */
  readonly phase: string;
  /** Why nothing was synced; "" otherwise. */
  readonly reason: string;
}

/** One story for each delivery, sweep and action, in the order in which they began. */
export function storiesOf(lines: readonly LogLine[]): readonly Story[] {
  const byTrace = Map.groupBy(
    lines.filter((line) => traceOf(line) !== ""),
    traceOf,
  );
  const stories = [...byTrace].map(([id, own]) => {
    const sorted = own.toSorted((a, b) => a.time.localeCompare(b.time));
    return { id, began: beginOf(id, sorted), lines: sorted, ways: waysOf(sorted) };
  });
  return stories.toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)));
}

const timeOf = ({ lines }: Story): string => lines[0]?.time ?? "";

function beginOf(id: string, lines: readonly LogLine[]): Story["began"] {
  const has = (family: string) => lines.some(({ event }) => event.startsWith(family));
  if (has("webhook.")) return "delivery";
  if (id.startsWith("audit-")) return "audit";
  if (has("sweep.")) return "sweep";
  return has("action.") ? "action" : "unknown";
}

const planned = ["plan.changed", "plan.same", "plan.held", "plan.rejected", "plan.released", "plan.removed", "plan.failed"];
const stopped = ["plan.held", "plan.rejected", "plan.failed", "sync.depends"];

function waysOf(lines: readonly LogLine[]): readonly Way[] {
  const start = millis(lines[0]);
  const own = Map.groupBy(lines, ({ fields }) => fields["application"]);
  return [...own].flatMap(([application, told]) => {
    if (typeof application !== "string") return [];
    const last = (...events: readonly string[]) => told.findLast(({ event }) => events.includes(event));
    const after = (line: LogLine | undefined) => (line === undefined ? undefined : millis(line) - start);
    const [end, stop, begun] = [last("sync.recorded"), last(...stopped), last("sync.begun")];
    const waits = end === undefined && begun === undefined ? stop : undefined;
    const way = {
      application,
      plannedMs: after(last(...planned)),
      begunMs: after(begun),
      appliedMs: after(last("sync.applied")),
      endedMs: after(end),
      phase: phaseOf(end),
      reason: waits === undefined ? "" : sentenceOf(waits),
    };
    return [Object.fromEntries(Object.entries(way).filter(([, value]) => value !== undefined)) as unknown as Way];
  });
}

function phaseOf(end: LogLine | undefined): string {
  const phase = end?.fields["phase"];
  return typeof phase === "string" ? phase : "";
}

function millis(line: LogLine | undefined): number {
  return line === undefined ? 0 : Date.parse(line.time);
}

const headings = ["TIME", "AFTER", "FUNCTION", "APPLICATION", "WHAT"] as const;

/** A story as a table, with a line for each application below that says how it went. */
export function storyText(story: Story): string {
  const rows = story.lines.flatMap((line, at) => {
    const what = sentenceOf(line);
    return what === "" ? [] : [rowOf(line, { what, before: story.lines[0] ?? line, isFirst: at === 0 })];
  });
  const ends = story.ways.filter(hasWay).map((way) => `${wayText(story, way)}\n`);
  return `${titleOf(story)}\n${textTable(headings, rows, { empty: "nothing but lines without a meaning of their own" })}${ends.join("")}`;
}

/** The cells of a line, as far as its story began before. */
export function rowOf(
  line: LogLine,
  { what, before, isFirst }: { readonly what: string; readonly before: LogLine; readonly isFirst: boolean },
): readonly string[] {
  const { function: name, application } = line.fields;
  return [
    shortTime(line.time),
    isFirst ? "" : `+${seconds(Math.max(0, millis(line) - millis(before)))}`,
    typeof name === "string" ? name : "",
    typeof application === "string" ? application : "",
    what,
  ];
}

function titleOf({ began, id }: Pick<Story, "began" | "id">): string {
  const words = { delivery: "Delivery", sweep: "Sweep", audit: "Audit log", action: "Action", unknown: "Correlation id" };
  return `${words[began]} ${id}`;
}

function hasWay({ phase, plannedMs, begunMs }: Way): boolean {
  return phase !== "" || plannedMs !== undefined || begunMs !== undefined;
}

/** `shop: delivered -> planned 0.41 s -> applied 1.2 s -> healthy 5.3 s`. */
export function wayText({ began }: Pick<Story, "began">, way: Way): string {
  const starts = { delivery: "delivered", sweep: "seen", audit: "seen", action: "asked", unknown: "began" };
  const { plannedMs, begunMs, appliedMs, endedMs, phase, reason } = way;
  const stage = (word: string, ms: number | undefined): readonly string[] => (ms === undefined ? [] : [`${word} ${seconds(ms)}`]);
  const stages = [
    starts[began],
    ...stage("planned", plannedMs),
    ...(appliedMs === undefined ? stage("begun", begunMs) : []),
    ...stage("applied", appliedMs),
    ...stage(phase === "Succeeded" ? "healthy" : phase, endedMs),
  ];
  const open = phase === "" && begunMs !== undefined ? ", not ended yet" : reason === "" ? "" : `: ${reason}`;
  return `${way.application}: ${stages.join(" -> ")}${open}`;
}
