import { type DurableContext, withDurableExecution } from "@aws/durable-execution-sdk-js";
import { parseEnvironment } from "../lib/config/environment.ts";
import type { SyncBatch } from "../lib/model/sync.ts";
import { createConfiguredAssessor } from "../lib/sync/batch/configured-assessor.ts";
import { createSyncBatch } from "../lib/sync/batch/sync-batch.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { jsonMetrics } from "../lib/telemetry/metrics.ts";
import { openClusters, openStores } from "./adapters.ts";
import { openEvents } from "./events.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "sync" });
const stores = await openStores(env);
const assessor = createConfiguredAssessor(stores.configuration);
const events = openEvents(env, { log });
const metrics = jsonMetrics({ clock, fields: { function: "sync" } });
const clusters = openClusters(env, { stores, log });
const sync = createSyncBatch({ stores, clusters, assessor, events, metrics, clock, log });

/** The sync of one batch as a durable execution: each step is a checkpoint, a wait costs nothing, a crash resumes. */
export const handler = withDurableExecution((batch: SyncBatch, context: DurableContext) =>
  sync(batch, {
    id: context.executionContext.durableExecutionArn,
    step: (name, work) => context.step(name, work),
    wait: (name, seconds) => context.wait(name, { seconds }),
  }),
);
