import { DriftlessError } from "../errors.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Item } from "./attributes.ts";
import type { DriftEntries } from "./drift-entries.ts";
import { closingMs, formerPlaceOf, leftAt, openMark, placeOf } from "./drift-items.ts";
import type { Page } from "./store.ts";
import { noSuchPage } from "./timeline.ts";

/** Entries that one request looks at, at least, before it hands out a page that is not full. */
const mostExamined = 4000;
/** How long a listing may take, in milliseconds: what was healed meanwhile is looked at for each page. */
const longestListing = 3_600_000;
/** Entries read at once where not every one is wanted. */
const chunk = 400;

export interface DriftPageRequest {
  readonly limit: number;
  readonly from?: string;
  /** Place that healed rows have to be above. */
  readonly since: string;
  readonly openOnly: boolean;
  /** Undefined where every entry is wanted. */
  readonly isWanted?: (item: Item) => boolean;
  readonly clock: Clock;
}

type Section = "open" | "healed";

/** Where a listing stands: below this place of a section, as of the moment when its first page was read. */
interface Cursor {
  readonly section: Section;
  readonly view: string;
  readonly place?: string;
}

interface Listed {
  readonly section: Section;
  readonly view: string;
  /** In the section: a row that was healed since stands where it stood. */
  readonly place: string;
  readonly entry: Item;
}

/**
 * One page of a listing. The listing is one of the moment of its first page, the view: rows that were open then, wherever they are now, then
 * rows healed until then. So a row that is healed between two pages is neither passed over nor listed again.
 *
 *     open at the view:    open now, or healed after the view; at ~FIRSTSEEN#SUBJECT, which a healed row's place ends with
 *     healed at the view:  at HEALEDAT#FIRSTSEEN#SUBJECT
 */
export async function driftPage(source: DriftEntries, request: DriftPageRequest): Promise<Page<Item>> {
  const { limit, isWanted = () => true } = request;
  const rows: { readonly item: Item; readonly at: Listed }[] = [];
  const seen = new Set<string>();
  let examined = 0;
  for await (const listed of walk(source, request)) {
    let left = listed.filter((one) => isWanted(one.entry) && !seen.has(standingPlaceOf(one)));
    while (left.length > 0 && rows.length <= limit) {
      const some = left.slice(0, limit + 1 - rows.length);
      left = left.slice(some.length);
      const items = await source.rows(some.map(({ entry }) => entry));
      for (const [index, at] of some.entries()) {
        const item = items[index];
        if (item === undefined || !isWanted(item)) continue;
        seen.add(standingPlaceOf(at));
        rows.push({ item, at });
      }
    }
    const last = rows.length > limit ? rows[limit - 1]?.at : undefined;
    if (last) return { items: rows.slice(0, limit).map(({ item }) => item), next: cursorText(last) };
    examined += listed.length;
    const end = listed.at(-1);
    if (examined >= mostExamined && end) return { items: rows.map(({ item }) => item), next: cursorText(end) };
  }
  return { items: rows.map(({ item }) => item) };
}

/** The listing from the cursor on, some entries at a time. */
async function* walk(source: DriftEntries, request: DriftPageRequest): AsyncGenerator<readonly Listed[]> {
  const { limit, since, openOnly, isWanted, clock } = request;
  const cursor = parseCursor(request.from, clock);
  const { view } = cursor;
  const most = isWanted === undefined ? limit + 1 : Math.max(chunk, limit + 1);
  if (cursor.section === "open") {
    for (let before = cursor.place ?? `${openMark}${openMark}`, more = true; more; ) {
      const read = await source.open({ after: openMark, before, most });
      const last = read.entries.at(-1);
      const lowest = read.more && last ? placeOf(last) : openMark;
      // In this order: a row that is healed after it was read as open stands in one of the two.
      const moved = openOnly ? [] : await healedAfter(source, view);
      const back = moved.filter((entry) => formerPlaceOf(entry) >= lowest && formerPlaceOf(entry) < before);
      yield withMoved(read.entries, back, view);
      [before, more] = [lowest, read.more];
    }
  }
  if (openOnly) return;
  const first = cursor.section === "healed" ? cursor.place : undefined;
  for (let before = first ?? `${view}${openMark}`, more = true; more; ) {
    const read = await source.healed({ after: since, before, most });
    const healed = read.entries.filter((entry) => leftAt(entry) <= view);
    yield healed.map((entry) => ({ section: "healed", view, place: placeOf(entry), entry }));
    [before, more] = [placeOf(read.entries.at(-1) ?? {}) || before, read.more && read.entries.length > 0];
  }
}

/** Healed since the listing began, of those that were there. */
async function healedAfter(source: DriftEntries, view: string): Promise<readonly Item[]> {
  const all: Item[] = [];
  const after = new Date(Date.parse(view) - closingMs).toISOString();
  for (let before: string = openMark, more = true; more; ) {
    const read = await source.healed({ after, before, most: chunk });
    all.push(...read.entries);
    [before, more] = [placeOf(read.entries.at(-1) ?? {}) || before, read.more && read.entries.length > 0];
  }
  return all.filter((entry) => leftAt(entry) > view && formerPlaceOf(entry) <= `${openMark}${view}${openMark}`);
}

function withMoved(open: readonly Item[], moved: readonly Item[], view: string): readonly Listed[] {
  const places = new Map<string, Item>(open.map((entry) => [placeOf(entry), entry]));
  for (const entry of moved) places.set(formerPlaceOf(entry), entry);
  return [...places]
    .map(([place, entry]) => ({ section: "open" as const, view, place, entry }))
    .toSorted((a, b) => (a.place < b.place ? 1 : -1));
}

/** Where the row stood while it was open: what it is known by in one listing. */
function standingPlaceOf({ section, place, entry }: Listed): string {
  return section === "open" ? place : formerPlaceOf(entry);
}

function cursorText({ section, view, place }: Listed): string {
  return `${section}#${view}#${place.replace(openMark, "")}`;
}

function parseCursor(from: string | undefined, clock: Clock): Cursor {
  const now = clock.now();
  if (from === undefined) return { section: "open", view: now.toISOString() };
  const match = /^(open|healed)#(\d{4}-[^#]+)#((?:\d{4}-[^#]+#){1,2}[0-9a-f]{32})$/.exec(from);
  const [, section, view = "", place = ""] = match ?? [];
  if (!(now.getTime() - Date.parse(view) < longestListing)) throw noSuchPage(from);
  if (section === "open") return { section, view, place: `${openMark}${place}` };
  if (section === "healed") return { section, view, place };
  throw noSuchPage(from);
}

/** As places begin: UTC with milliseconds. */
export function placeTime(time: string): string {
  const at = Date.parse(time);
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new DriftlessError("not-found", `"${time}" is not an RFC 3339 time such as 2025-01-31T00:00:00Z`);
}
