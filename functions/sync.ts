import { type DurableContext, withDurableExecution } from "@aws/durable-execution-sdk-js";
import { parseEnvironment } from "../lib/config/environment.ts";
import type { SyncBatch } from "../lib/model/sync.ts";
import { createConfiguredAssessor } from "../lib/sync/batch/configured-assessor.ts";
import { createSyncBatch } from "../lib/sync/batch/sync-batch.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { openClusters, openStores } from "./adapters.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "sync" });
const stores = await openStores(env);
const assessor = createConfiguredAssessor(stores.configuration);
const sync = createSyncBatch({ stores, clusters: openClusters(env, { stores, log }), assessor, clock, log });

/** The sync of one batch as a durable execution: each step is a checkpoint, a wait costs nothing, a crash resumes. */
export const handler = withDurableExecution((batch: SyncBatch, context: DurableContext) =>
  sync(batch, {
    id: context.executionContext.durableExecutionArn,
    step: (name, work) => context.step(name, work),
    wait: (name, seconds) => context.wait(name, { seconds }),
  }),
);
