import { attributionOf, isMadeBy } from "../../audit/attribution.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Stores } from "../../store/store.ts";
import type { OwnedTarget } from "./owners.ts";

export interface AttributeDeps {
  readonly stores: Pick<Stores, "drift">;
}

/** Writes into the rows of edited objects who made the change, open or healed minutes ago; returns into how many. */
export function createAttribute({ stores }: AttributeDeps) {
  return async (owned: readonly OwnedTarget[], options: CallOptions = {}): Promise<number> => {
    const counts = await mapConcurrently(owned, {
      limit: 8,
      work: async ({ application, ref, target }) => {
        let count = 0;
        // The newest first: whoever wrote last is the one whose value stands, and a row keeps the first who is named.
        for (const edit of target.edits.filter(({ refusal }) => refusal === "")) {
          const by = attributionOf(edit);
          count += await stores.drift.attribute(application, ref, by, (row) => isMadeBy(edit, row), options);
        }
        return count;
      },
    });
    return counts.reduce((sum, count) => sum + count, 0);
  };
}
