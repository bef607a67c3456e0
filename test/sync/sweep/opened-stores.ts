import { createTable } from "../../../cli/local/table.ts";
import type { EventBus } from "../../../lib/events/events.ts";
import { createDynamoStores } from "../../../lib/store/dynamodb.ts";
import type { Stores } from "../../../lib/store/store.ts";
import { jsonLog, type Log } from "../../../lib/telemetry/log.ts";
import type { Measured, Metrics } from "../../../lib/telemetry/metrics.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";
import { createMemoryTable } from "../../support/memory-table.ts";

/** Stores over a table in memory, a clock that is set by hand, and what a part of the sweep says. */
export interface Bench {
  readonly stores: Stores;
  readonly clock: { now: () => Date };
  readonly events: EventBus;
  readonly metrics: Metrics;
  readonly log: Log;
  /** `DETAIL-TYPE APPLICATION`, or the detail type alone. */
  readonly published: string[];
  readonly measured: Measured[];
  readonly lines: Readonly<Record<string, unknown>>[];
  set(time: string): void;
  /** Minutes. */
  advance(minutes: number): void;
}

export async function openBench(start = "2025-03-01T12:00:00.000Z"): Promise<Bench> {
  let now = new Date(start);
  const clock = { now: () => now };
  const client = createMemoryTable();
  await createTable({ client, table: "driftless" });
  const snapshotKey = new Secret(Buffer.alloc(32, 7).toString("base64"));
  const published: string[] = [];
  const measured: Measured[] = [];
  const lines: Readonly<Record<string, unknown>>[] = [];
  return {
    stores: createDynamoStores({ client, table: "driftless", clock, snapshotKey }),
    clock,
    events: {
      publish: async (events) => {
        for (const { detailType, detail } of events)
          published.push("application" in detail ? `${detailType} ${detail.application}` : detailType);
      },
    },
    metrics: { emit: (each) => void measured.push(each) },
    log: jsonLog({ clock, write: (line) => lines.push(JSON.parse(line) as Readonly<Record<string, unknown>>) }),
    published,
    measured,
    lines,
    set: (time) => {
      now = new Date(time);
    },
    advance: (minutes) => {
      now = new Date(now.getTime() + minutes * 60_000);
    },
  };
}
