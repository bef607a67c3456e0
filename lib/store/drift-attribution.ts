import type { CallOptions } from "../model/call.ts";
import type { Attribution } from "../model/drift.ts";
import { resourceKey } from "../model/resource.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type Item, textOf } from "./attributes.ts";
import { standingRows } from "./drift-entries.ts";
import { healedKeyOf, isMarked, placeOf, rowOf, textOfAttribution } from "./drift-items.ts";
import type { Items } from "./items.ts";
import type { DriftStore } from "./store.ts";

/** The audit log tells of a change this late at most; until then the row may be healed. */
const lateMs = 15 * 60_000;

export interface AttributeDeps {
  readonly items: Items;
  readonly clock: Clock;
  readonly finishMove: (marked: Item, options?: CallOptions) => Promise<void>;
  readonly healedFrom: (application: string, since: string, options?: CallOptions) => Promise<readonly Item[]>;
}

/** Rows that are healed meanwhile are looked up again, where they are by then. */
export function createAttribute({ items, clock, finishMove, healedFrom }: AttributeDeps): DriftStore["attribute"] {
  return async (application, ref, by, matches, options) => {
    const isWanted = (item: Item): boolean => {
      if (textOf(item, "by") !== "") return false;
      const row = rowOf(item);
      return resourceKey(row.ref) === resourceKey(ref) && matches(row);
    };
    let count = 0;
    for (let round = 0; round < 3; round += 1) {
      const wanted = (await candidates(application, options)).filter(isWanted);
      const told = await Promise.all(wanted.map((item) => tell(item, by, options)));
      count += told.filter(Boolean).length;
      if (told.every(Boolean)) break;
    }
    return count;
  };

  /** Each row once; a marked one stands for a healed one unless that is there already. */
  async function candidates(application: string, options?: CallOptions): Promise<readonly Item[]> {
    const since = new Date(clock.now().getTime() - lateMs).toISOString();
    const standing = await standingRows(items, application, options);
    const healed = await healedFrom(application, since, options);
    const places = new Map(healed.map((item) => [placeOf(item), item]));
    const open = standing.filter((item) => !isMarked(item) && !places.has(placeOf(item)));
    return [...open, ...places.values()];
  }

  /** False when the row is no more where it was, or was told meanwhile. */
  async function tell(item: Item, by: Attribution, options?: CallOptions): Promise<boolean> {
    if (isMarked(item) && textOf(item, "sk").startsWith("open#")) await finishMove(item, options);
    const key = isMarked(item) ? healedKeyOf(item) : { pk: textOf(item, "pk"), sk: textOf(item, "sk") };
    const stands = "attribute_exists(#pk) AND attribute_not_exists(#by) AND #driftTime = :place";
    const { written } = await items.update(key, {
      ...options,
      change: "SET #by = :by",
      when: stands,
      values: { by: textOfAttribution(by), place: placeOf(item) },
    });
    return written;
  }
}
