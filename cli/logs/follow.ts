import { oneLine } from "../table.ts";
import { type LogLine, type LogSource, traceOf } from "./log-source.ts";
import { type Asked, ownLines } from "./look-up.ts";
import { sentenceOf } from "./sentences.ts";
import { rowOf, storiesOf, wayText } from "./timeline.ts";

/** Stories that are kept in mind; the oldest is forgotten first. */
const mostStories = 200;
const mostKept = 500;

/** What happens from now on: a line of text, or of JSON, for each thing, and how it went when a sync has ended. */
export async function* followStories(
  source: LogSource,
  asked: Asked,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const stories = new Map<string, LogLine[]>();
  const told = new Set<string>();
  // Of the columns before the last: what comes later is not known, so they grow.
  const widths = [19, 7, 7, 0];

  for await (const line of source.follow({ signal })) {
    const id = traceOf(line);
    if (id === "" || ownLines([line], { ...asked }).length === 0) continue;
    const own = stories.get(id) ?? [];
    if (own.length < mostKept) own.push(line);
    stories.set(id, own);
    forgetOldest();
    // Until an application that was asked for appears in it, a story may be somebody else's.
    const isNew = !told.has(id);
    if (isNew && !own.some((each) => concerns(each, asked))) continue;
    told.add(id);
    for (const each of isNew ? own : [line]) yield* textsOf(each, { own, json, widths });
  }

  function forgetOldest(): void {
    const [oldest] = stories.keys();
    if (stories.size <= mostStories || oldest === undefined) return;
    stories.delete(oldest);
    told.delete(oldest);
  }
}

function concerns(line: LogLine, { application, delivery, sync }: Asked): boolean {
  const { fields } = line;
  if (delivery !== undefined && traceOf(line) !== delivery) return false;
  if (sync !== undefined && fields["sync"] !== sync) return false;
  if (application === undefined) return true;
  const among = fields["applications"];
  return fields["application"] === application || (Array.isArray(among) && among.includes(application));
}

interface Told {
  readonly own: readonly LogLine[];
  readonly json: boolean;
  readonly widths: number[];
}

function textsOf(line: LogLine, { own, json, widths }: Told): readonly string[] {
  const { time, level, event, fields } = line;
  if (json) return [JSON.stringify({ time, level, event, ...fields })];
  const what = sentenceOf(line);
  const [first = line] = own;
  const cells = rowOf(line, { what, before: first, isFirst: line === first });
  const texts = what === "" ? [] : [aligned(cells.map(oneLine), widths)];
  if (event !== "sync.recorded") return texts;
  const ways = storiesOf(own).flatMap((story) => story.ways.map((way) => [story, way] as const));
  return [...texts, ...ways.flatMap(([story, way]) => (way.application === fields["application"] ? [wayText(story, way)] : []))];
}

function aligned(cells: readonly string[], widths: number[]): string {
  const padded = cells.map((cell, column) => {
    const width = widths[column];
    if (width === undefined) return cell;
    widths[column] = Math.max(width, cell.length);
    return cell.padEnd(widths[column]);
  });
  return padded.join("  ").trimEnd();
}
