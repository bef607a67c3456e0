import type { Clock } from "../telemetry/clock.ts";
import { timestamp } from "../telemetry/clock.ts";
import { largestItem, pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { RenderStore, StoredRender } from "./store.ts";
import { retentionDays } from "./table.ts";
import { expiry } from "./timeline.ts";

const most = 8;

export function createRenders({ items, clock }: { items: Items; clock: Clock }): RenderStore {
  return {
    async load(key, options) {
      const item = await items.get(keyOf(key), options);
      return item === undefined ? [] : (unpack(item) as { readonly renders: readonly StoredRender[] }).renders;
    },
    async save(key, renders, options) {
      const kept = thatFit(renders.slice(0, most));
      if (kept.length === 0) return;
      const expiresAt = expiry(timestamp(clock), retentionDays.renders);
      await items.put({ ...keyOf(key), ...pack({ renders: kept }), expiresAt }, options);
    },
  };
}

/** The newest of them whose texts together are no larger than a row, deflated or not. */
function thatFit(renders: readonly StoredRender[]): readonly StoredRender[] {
  let bytes = 0;
  const tooMany = renders.findIndex((render) => (bytes += Buffer.byteLength(JSON.stringify(render))) > largestItem);
  return tooMany < 0 ? renders : renders.slice(0, tooMany);
}

function keyOf(key: string) {
  return { pk: `render#${key}`, sk: "renders" };
}
