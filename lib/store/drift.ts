import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { DriftRow } from "../model/drift.ts";
import { resourceKey } from "../model/resource.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type Item, textOf } from "./attributes.ts";
import { concurrently } from "./concurrent.ts";
import { createAttribute } from "./drift-attribution.ts";
import { entriesOfApplication, entriesOfIndex, standingRows } from "./drift-entries.ts";
import {
  attributesOf,
  healedKeyOf,
  healedPlaceOf,
  isMarked,
  matcherOf,
  openKeyOf,
  openPlaceOf,
  ownerOf,
  placeOf,
  rowOf,
  wantedOf,
} from "./drift-items.ts";
import { driftPage, placeTime } from "./drift-pages.ts";
import type { Items } from "./items.ts";
import type { DriftQuery, DriftStore } from "./store.ts";
import { type DriftIndex, retentionDays } from "./table.ts";
import { defaultPage, expiry } from "./timeline.ts";

const dayMs = 86_400_000;
/** Those with few rows first. */
const narrowest: readonly DriftIndex[] = ["driftManager", "driftNamespace", "driftKind", "driftCluster"];

/**
 * An open row stands at a key made of what it is about, so that each sweep meets the same one; a healed row stands under
 * the time it was healed. Healing is three writes, each harmless to repeat, and the first one alone decides:
 *
 *     open#K                       healed#HEALEDAT#FIRSTSEEN#K
 *     firstSeen                                           1  mark the open row: it counts as healed from here on,
 *     firstSeen, healedAt                                    and is where healed rows are in every index
 *     firstSeen, healedAt          firstSeen, healedAt    2  copy it, unless it is copied (readers drop the twin)
 *                                  firstSeen, healedAt    3  delete the open row
 *
 * Who is cut off in between leaves a marked row; the next heal or record of the same drift finishes the move.
 */
export function createDrift({ items, clock }: { items: Items; clock: Clock }): DriftStore {
  const finishMove = (marked: Item, options?: CallOptions) => moveHealed(items, marked, options);

  return {
    async list(query = {}) {
      const source = sourceOf(query);
      const { limit = defaultPage, from, open = false } = query;
      const oldest = oldestKept();
      const since = query.since === undefined ? oldest : placeTime(query.since);
      const page = await driftPage(source.entries, {
        limit,
        ...(from !== undefined && { from }),
        since: since > oldest ? since : oldest,
        openOnly: open,
        ...(source.isWanted && { isWanted: source.isWanted }),
        clock,
      });
      return { ...page, items: page.items.map(rowOf) };
    },
    async open(application, options) {
      const standing = await standingRows(items, application, options);
      return newest(standing.filter((item) => !isMarked(item))).map(rowOf);
    },
    async healedSince(application, since, options) {
      const healed = await healedFrom(application, placeTime(since), options);
      return healed.map(rowOf).filter(({ healedBy }) => healedBy !== "");
    },
    record: (row, options) => (row.kind === "prevented" ? recordClosed(row, options) : recordOpen(row, options)),
    async heal(rows, healed, options) {
      await concurrently(rows, (row) => healOne(row, healed, options));
    },
    attribute: createAttribute({ items, clock, finishMove, healedFrom }),
  };

  /** The narrowest key of those that are asked for; the rest is told by the entries. */
  function sourceOf(query: DriftQuery) {
    const options = callOf(query);
    const { application } = query;
    const wanted = wantedOf(query);
    if (application !== undefined) {
      const isWanted = Object.keys(wanted).length > 0 ? matcherOf(wanted) : undefined;
      return { entries: entriesOfApplication(items, application, options), isWanted };
    }
    const name = narrowest.find((index) => wanted[index] !== undefined);
    if (name === undefined) return { entries: entriesOfIndex(items, { name: "driftShard" }, options), isWanted: undefined };
    const { [name]: value = "", ...others } = wanted;
    const isWanted = Object.keys(others).length > 0 ? matcherOf(wanted) : undefined;
    return { entries: entriesOfIndex(items, { name, value }, options), isWanted };
  }

  /** Healed rows of an application from that time on, newest first, each once. */
  async function healedFrom(application: string, since: string, options?: CallOptions): Promise<readonly Item[]> {
    const all: Item[] = [];
    const source = entriesOfApplication(items, application, options);
    for (let before = "~", more = true; more; ) {
      const read = await source.healed({ after: since, before, most: 500 });
      all.push(...read.entries);
      [before, more] = [placeOf(read.entries.at(-1) ?? {}) || before, read.more && read.entries.length > 0];
    }
    return all;
  }

  /** Rows healed before it have expired. */
  function oldestKept(): string {
    return new Date(clock.now().getTime() - retentionDays.healedDrift * dayMs).toISOString();
  }

  async function recordOpen(row: DriftRow, options?: CallOptions): Promise<void> {
    const key = openKeyOf(row);
    const { present, absent } = attributesOf(row);
    const isNot = "attribute_not_exists(#healedAt)";
    const sameManager = row.manager === "" ? "attribute_not_exists(#driftManager)" : "#driftManager = :driftManager";
    const sets = [
      ...Object.keys(present).map((name) => `#${name} = :${name}`),
      ...["firstSeen", "driftTime"].map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
    ];
    let keepsBy = row.by === undefined;
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const removed = row.by === undefined && !keepsBy ? [...absent, "by"] : absent;
      const { written } = await items.update(key, {
        ...options,
        change: `SET ${sets.join(", ")} REMOVE ${removed.map((name) => `#${name}`).join(", ")}`,
        when: keepsBy ? `${isNot} AND (attribute_not_exists(#by) OR ${sameManager})` : isNot,
        values: { ...present, firstSeen: row.firstSeen, driftTime: openPlaceOf(row, row.firstSeen) },
      });
      if (written) return;
      const stored = await items.get(key, options);
      if (stored && isMarked(stored)) await finishMove(stored, options);
      else keepsBy = false;
    }
    throw racing(row);
  }

  /** What was refused never drifted, and each refusal is a row of its own. */
  async function recordClosed(row: DriftRow, options?: CallOptions): Promise<void> {
    const at = row.healedAt || row.firstSeen;
    const item = {
      ...attributesOf(row).present,
      pk: ownerOf(row.application),
      driftTime: healedPlaceOf(row, { firstSeen: row.firstSeen, at }),
      firstSeen: row.firstSeen,
      healedAt: at,
      healedBy: "",
      expiresAt: expiry(at, retentionDays.healedDrift),
    };
    await items.put({ ...item, ...healedKeyOf(item) }, options);
  }

  async function healOne(row: DriftRow, { at, by }: { at: string; by: string }, options?: CallOptions): Promise<void> {
    const key = openKeyOf(row);
    let { firstSeen } = row;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const marked = await items.update(key, {
        ...options,
        change: "SET #healedAt = :at, #closedAt = :closedAt, #healedBy = :by, #expiresAt = :expiresAt, #driftTime = :place",
        when: "#firstSeen = :firstSeen AND attribute_not_exists(#healedAt)",
        values: {
          at,
          closedAt: clock.now().toISOString(),
          by,
          expiresAt: expiry(at, retentionDays.healedDrift),
          place: healedPlaceOf(row, { firstSeen, at }),
          firstSeen,
        },
      });
      const item = marked.written ? marked.after : await items.get(key, options);
      if (item === undefined) return;
      if (isMarked(item)) return finishMove(item, options);
      firstSeen = textOf(item, "firstSeen");
    }
    throw racing(row);
  }
}

/** The second and third write of a heal. The first copy stands: what was added to it since must not be lost. */
async function moveHealed(items: Items, marked: Item, options?: CallOptions): Promise<void> {
  await items.put({ ...marked, ...healedKeyOf(marked) }, { ...options, when: { text: "attribute_not_exists(#pk)" } });
  const when = {
    text: "#healedAt = :at AND #firstSeen = :first",
    values: { at: textOf(marked, "healedAt"), first: textOf(marked, "firstSeen") },
  };
  await items.remove({ pk: textOf(marked, "pk"), sk: textOf(marked, "sk") }, { ...options, when });
}

function callOf({ signal }: CallOptions): CallOptions {
  return signal ? { signal } : {};
}

function newest(all: readonly Item[]): Item[] {
  return all.toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
}

function racing({ ref }: DriftRow): DriftlessError {
  return new DriftlessError("store", `the drift row of ${resourceKey(ref)} is being healed again and again`, { retryable: true });
}
