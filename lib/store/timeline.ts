import { DriftlessError } from "../errors.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type Item, textOf } from "./attributes.ts";
import type { Items } from "./items.ts";
import type { Page, PageRequest } from "./store.ts";

const dayMs = 86_400_000;
export const defaultPage = 50;
const time = /^\d{4}-\d\d-\d\dT/;

/** Epoch seconds, so many days after an RFC 3339 time: for the expiry attribute. */
export function expiry(from: string, days: number): number {
  return Math.floor((Date.parse(from) + days * dayMs) / 1000);
}

export interface Timeline {
  readonly index?: string;
  readonly hashKey: string;
  /** Its values start with an RFC 3339 time and are unique below the hash key. */
  readonly sortKey: string;
  readonly owner: string;
  /** Older rows are left out. */
  readonly days: number;
  readonly clock: Clock;
}

/** One page of the rows of an owner, newest first; the sort key of its last row is where the next begins. */
export async function pageOf(items: Items, timeline: Timeline, request: PageRequest = {}): Promise<Page<Item>> {
  const { limit = defaultPage, from, signal } = request;
  const { hashKey, sortKey, owner, days, clock } = timeline;
  if (from !== undefined && !time.test(from)) throw noSuchPage(from);
  const oldest = new Date(clock.now().getTime() - days * dayMs).toISOString();
  if (from !== undefined && from <= oldest) return { items: [] };
  const found = await items.query({
    ...(timeline.index !== undefined && { index: timeline.index }),
    ...(signal && { signal }),
    keys:
      from === undefined
        ? { text: `#${hashKey} = :owner AND #${sortKey} > :oldest`, values: { owner, oldest } }
        : { text: `#${hashKey} = :owner AND #${sortKey} BETWEEN :oldest AND :from`, values: { owner, oldest, from } },
    newestFirst: true,
    // The row at `from` was on the page before, and one more tells whether there is a next page.
    limit: limit + 2,
  });
  return cut(
    found.filter((item) => textOf(item, sortKey) !== from),
    { limit, placeOf: (item) => textOf(item, sortKey) },
  );
}

/** The first of the rows as a page; the place of its last row leads to the next. */
function cut<T>(rows: readonly T[], options: { limit: number; placeOf: (row: T) => string }): Page<T> {
  const items = rows.slice(0, options.limit);
  const last = items.at(-1);
  return rows.length > items.length && last !== undefined ? { items, next: options.placeOf(last) } : { items };
}

export function noSuchPage(from: string): DriftlessError {
  return new DriftlessError("not-found", `there is no page "${from}": begin again without it, and take "next" as it was given`);
}
