import type { SyncRecord } from "../model/sync.ts";
import type { Clock } from "../telemetry/clock.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { SyncStore } from "./store.ts";
import { retentionDays } from "./table.ts";
import { expiry, pageOf } from "./timeline.ts";

export function createSyncs({ items, clock }: { items: Items; clock: Clock }): SyncStore {
  return {
    async put(record, options) {
      const key = { pk: `sync#${record.application}`, sk: `${record.startedAt}#${record.id}` };
      await items.put({ ...key, ...pack(record), expiresAt: expiry(record.startedAt, retentionDays.syncs) }, options);
    },
    async list(application, request) {
      const timeline = { hashKey: "pk", sortKey: "sk", owner: `sync#${application}`, days: retentionDays.syncs, clock };
      const page = await pageOf(items, timeline, request);
      return { ...page, items: page.items.map((item) => unpack(item) as SyncRecord) };
    },
  };
}
