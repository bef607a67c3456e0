import type { SweepReport } from "../model/drift.ts";
import type { Clock } from "../telemetry/clock.ts";
import { pack, unpack } from "./document.ts";
import type { Items } from "./items.ts";
import type { SweepStore } from "./store.ts";
import { retentionDays } from "./table.ts";
import { expiry, pageOf } from "./timeline.ts";

export function createSweeps({ items, clock }: { items: Items; clock: Clock }): SweepStore {
  return {
    async put(report, options) {
      const key = { pk: `sweep#${report.cluster}`, sk: `${report.startedAt}#${report.id}` };
      await items.put({ ...key, ...pack(report), expiresAt: expiry(report.startedAt, retentionDays.sweeps) }, options);
    },
    async list(cluster, request) {
      const timeline = { hashKey: "pk", sortKey: "sk", owner: `sweep#${cluster}`, days: retentionDays.sweeps, clock };
      const page = await pageOf(items, timeline, request);
      return { ...page, items: page.items.map((item) => unpack(item) as SweepReport) };
    },
  };
}
