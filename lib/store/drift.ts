import { createHash } from "node:crypto";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { DriftRow } from "../model/drift.ts";
import { resourceKey } from "../model/resource.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type Item, textOf } from "./attributes.ts";
import { concurrently } from "./concurrent.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { DriftQuery, DriftStore, Page } from "./store.ts";
import { retentionDays } from "./table.ts";
import { cut, defaultPage, expiry, noSuchPage } from "./timeline.ts";

/**
 * An open row stands at a key made of what it is about, so that each sweep meets the same one; a healed row stands under
 * the time it was first seen. Healing is three writes, each harmless to repeat, and the first one alone decides:
 *
 *     open#K                       healed#FIRSTSEEN#K
 *     firstSeen                                           1  mark the open row: it counts as healed from here on
 *     firstSeen, healedAt
 *     firstSeen, healedAt          firstSeen, healedAt    2  copy it (readers drop the twin)
 *                                  firstSeen, healedAt    3  delete the open row
 *
 * Who is cut off in between leaves a marked row; the next heal or record of the same drift finishes the move.
 */
export function createDrift({ items, clock }: { items: Items; clock: Clock }): DriftStore {
  const standing = async (application: string, options?: CallOptions): Promise<Item[]> =>
    items.query({
      ...callOf(options),
      keys: { text: "#pk = :pk AND begins_with(#sk, :open)", values: { pk: ownerOf(application), open: "open#" } },
    });

  const finishMove = async (marked: Item, options?: CallOptions): Promise<void> => {
    const [pk, sk] = [textOf(marked, "pk"), textOf(marked, "sk")];
    await items.put({ ...marked, pk, sk: `healed#${placeOf(marked)}` }, options);
    const when = {
      text: "#healedAt = :at AND #firstSeen = :first",
      values: { at: textOf(marked, "healedAt"), first: textOf(marked, "firstSeen") },
    };
    await items.remove({ pk, sk }, { ...options, when });
  };

  const healed = async (application: string, query: DriftQuery, before: string | undefined): Promise<Item[]> =>
    items.query({
      ...callOf(query),
      keys: {
        text: "#pk = :pk AND #sk BETWEEN :first AND :last",
        values: { pk: ownerOf(application), first: "healed#", last: `healed#${before ?? "~"}` },
      },
      filter: {
        text: "#healedAt >= :since AND #expiresAt > :now",
        values: { since: normalTime(query.since), now: Math.floor(clock.now().getTime() / 1000) },
      },
      newestFirst: true,
      limit: (query.limit ?? defaultPage) + 2,
    });

  return {
    async list(application, query = {}) {
      const { limit = defaultPage } = query;
      const from = parsePlace(query.from);
      const all = await standing(application, query);
      const open = from.section === "healed" ? [] : newest(all.filter((item) => !isMarked(item))).filter(beyond(from.place));
      const before = from.section === "healed" ? from.place : undefined;
      const since = normalTime(query.since);
      const marked = all.filter((item) => isMarked(item) && textOf(item, "healedAt") >= since);
      const closed = open.length > limit ? [] : [...(await healed(application, query, before)), ...marked];
      const page = cut([...open, ...withoutTwins(newest(closed).filter(beyond(before)))], {
        limit,
        placeOf: (item) => `${isMarked(item) ? "healed" : "open"}#${placeOf(item)}`,
      });
      return { ...page, items: page.items.map(rowOf) } satisfies Page<DriftRow>;
    },
    async open(application, options) {
      return newest((await standing(application, options)).filter((item) => !isMarked(item))).map(rowOf);
    },
    async record(row, options) {
      const { firstSeen, healedAt: _at, healedBy: _by, ...rest } = row;
      const key = keyOf(row);
      const document = pack(rest);
      const [kept, dropped] = "body" in document ? (["body", "packed"] as const) : (["packed", "body"] as const);
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const { written } = await items.update(key, {
          ...options,
          change: `SET #${kept} = :document, #firstSeen = if_not_exists(#firstSeen, :firstSeen) REMOVE #${dropped}`,
          when: "attribute_not_exists(#healedAt)",
          values: { document: document[kept]!, firstSeen },
        });
        if (written) return;
        const marked = await items.get(key, options);
        if (marked && isMarked(marked)) await finishMove(marked, options);
      }
      throw new DriftlessError("store", `the drift row of ${resourceKey(row.ref)} is being healed again and again`, {
        retryable: true,
      });
    },
    async heal(rows, { at, by }, options) {
      await concurrently(rows, async (row) => {
        const key = keyOf(row);
        const marked = await items.update(key, {
          ...options,
          change: "SET #healedAt = :at, #healedBy = :by, #expiresAt = :expiresAt",
          when: "attribute_exists(#pk) AND attribute_not_exists(#healedAt)",
          values: { at, by, expiresAt: expiry(at, retentionDays.healedDrift) },
        });
        const item = marked.written ? marked.after : await items.get(key, options);
        if (item && isMarked(item)) await finishMove(item, options);
      });
    },
  };
}

function callOf(options: CallOptions | undefined): CallOptions {
  return options?.signal ? { signal: options.signal } : {};
}

function ownerOf(application: string): string {
  return `drift#${application}`;
}

function keyOf(row: DriftRow) {
  const subject = createHash("sha256")
    .update(`${row.kind}\n${resourceKey(row.ref)}\n${row.field}`)
    .digest("hex")
    .slice(0, 32);
  return { pk: ownerOf(row.application), sk: `open#${subject}` };
}

function isMarked(item: Item): boolean {
  return textOf(item, "healedAt") !== "";
}

/** `FIRSTSEEN#SUBJECT`: the same for an open row, its marked form and its healed twin. */
function placeOf(item: Item): string {
  return `${textOf(item, "firstSeen")}#${textOf(item, "sk").split("#").at(-1)}`;
}

function newest(all: readonly Item[]): Item[] {
  return all.toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
}

function beyond(place: string | undefined): (item: Item) => boolean {
  return (item) => place === undefined || placeOf(item) < place;
}

function withoutTwins(sorted: readonly Item[]): Item[] {
  return sorted.filter((item, index) => index === 0 || placeOf(item) !== placeOf(sorted[index - 1]!));
}

function parsePlace(from: string | undefined): { readonly section: "open" | "healed"; readonly place?: string } {
  if (from === undefined) return { section: "open" };
  const match = /^(open|healed)#(\d{4}-.+#[0-9a-f]{32})$/.exec(from);
  if (!match) throw noSuchPage(from);
  return { section: match[1] as "open" | "healed", place: match[2]! };
}

/** As rows have it: UTC with milliseconds. */
function normalTime(time: string | undefined): string {
  if (time === undefined) return "0000";
  const at = Date.parse(time);
  if (Number.isNaN(at)) throw new DriftlessError("not-found", `"${time}" is not an RFC 3339 time such as 2025-01-31T00:00:00Z`);
  return new Date(at).toISOString();
}

function rowOf(item: Item): DriftRow {
  return {
    ...(unpack(item) as Omit<DriftRow, "firstSeen" | "healedAt" | "healedBy">),
    firstSeen: textOf(item, "firstSeen"),
    healedAt: textOf(item, "healedAt"),
    healedBy: textOf(item, "healedBy"),
  };
}
