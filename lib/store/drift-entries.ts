import type { CallOptions } from "../model/call.ts";
import { type Item, textOf } from "./attributes.ts";
import { driftShards, healedKeyOf, isMarked, openMark, ownerOf, placeOf } from "./drift-items.ts";
import type { Items } from "./items.ts";
import type { DriftIndex } from "./table.ts";

/** Places between two others, both left out; the newest first, at most so many. */
export interface Range {
  readonly after: string;
  readonly before: string;
  readonly most: number;
}

export interface Entries {
  /** Newest first, each place once. */
  readonly entries: readonly Item[];
  /** Whether there may be further ones in the range, below the last. */
  readonly more: boolean;
}

/** Where rows are listed: what an entry says of its row is enough to tell rows apart, and may be a moment old. */
export interface DriftEntries {
  open(range: Range): Promise<Entries>;
  healed(range: Range): Promise<Entries>;
  /** The rows as they stand now; undefined for one that is at another place by now. */
  rows(entries: readonly Item[]): Promise<readonly (Item | undefined)[]>;
}

/** Rows of one application, by the table's own keys: strongly consistent, marked rows in the place that they are on their way to. */
export function entriesOfApplication(items: Items, application: string, options: CallOptions = {}): DriftEntries {
  const pk = ownerOf(application);
  let standing: Promise<Item[]> | undefined;
  const stand = () => (standing ??= standingRows(items, application, options));
  return {
    async open(range) {
      const open = (await stand()).filter((item) => !isMarked(item));
      return merged([{ found: open, cut: false }], range);
    },
    async healed(range) {
      const marked = (await stand()).filter((item) => isMarked(item));
      const { text, values, limit } = between(range);
      const found = await items.query({
        ...options,
        keys: {
          text: `#pk = :pk AND #sk BETWEEN ${text}`,
          values: { pk, first: `healed#${values.first}`, last: `healed#${values.last}` },
        },
        newestFirst: true,
        limit,
      });
      return merged(
        [
          { found, cut: found.length >= limit },
          { found: marked, cut: false },
        ],
        range,
      );
    },
    rows: async (entries) => entries,
  };
}

/** Open rows of an application, marked ones among them. */
export function standingRows(items: Items, application: string, options: CallOptions = {}): Promise<Item[]> {
  const values = { pk: ownerOf(application), open: "open#" };
  return items.query({ ...options, keys: { text: "#pk = :pk AND begins_with(#sk, :open)", values } });
}

/** Rows of all applications by an index, which may lag behind: the rows themselves are read from the table. */
export function entriesOfIndex(
  items: Items,
  index: { readonly name: DriftIndex; readonly value?: string },
  options: CallOptions = {},
): DriftEntries {
  const hashes = index.value === undefined ? driftShards : [index.value];
  const read = async (range: Range): Promise<Entries> => {
    const { text, values, limit } = between(range);
    const query = (hash: string) =>
      items.query({
        ...options,
        index: index.name,
        keys: { text: `#${index.name} = :hash AND #driftTime BETWEEN ${text}`, values: { ...values, hash } },
        newestFirst: true,
        limit,
      });
    const all = await Promise.all(hashes.map(query));
    return merged(
      all.map((found) => ({ found, cut: found.length >= limit })),
      range,
    );
  };
  return { open: read, healed: read, rows: (entries) => Promise.all(entries.map(rowAt)) };

  async function rowAt(entry: Item): Promise<Item | undefined> {
    const item = await items.get({ pk: textOf(entry, "pk"), sk: textOf(entry, "sk") }, options);
    if (item && placeOf(item) === placeOf(entry)) return item;
    return placeOf(entry).startsWith(openMark) ? undefined : items.get(healedKeyOf(entry), options);
  }
}

/** A condition holds its ends as well: a place may stand twice while its row moves, and one more tells of further ones. */
function between({ after, before, most }: Range) {
  return { text: ":first AND :last", values: { first: after, last: before }, limit: most + 3 };
}

interface Read {
  readonly found: readonly Item[];
  /** Whether it ended before the range did. */
  readonly cut: boolean;
}

/** Below the last entry of one that was cut, further ones of it may belong between those of others. */
function merged(reads: readonly Read[], { after, before, most }: Range): Entries {
  const floor = reads.reduce((lowest, { found, cut }) => {
    const last = cut ? found.at(-1) : undefined;
    return last !== undefined && placeOf(last) > lowest ? placeOf(last) : lowest;
  }, "");
  const places = new Map<string, Item>();
  for (const item of reads.flatMap(({ found }) => found)) {
    const place = placeOf(item);
    if (place > after && place < before && place >= floor && !places.has(place)) places.set(place, item);
  }
  const all = [...places.values()].toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
  return { entries: all.slice(0, most), more: floor !== "" || all.length > most };
}
