import { LambdaClient } from "@aws-sdk/client-lambda";
import type { Context } from "aws-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import type { SweepReport, SweepShard } from "../lib/model/drift.ts";
import { createLambdaStarter } from "../lib/queue/lambda.ts";
import { createSweepPrevention } from "../lib/sync/sweep/sweep-prevention.ts";
import { createTakeShard } from "../lib/sync/sweep/take-shard.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { processMeter } from "../lib/telemetry/effort.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { jsonMetrics } from "../lib/telemetry/metrics.ts";
import { openClusters, openStores } from "./adapters.ts";
import { openEvents } from "./events.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "shard" });
const stores = await openStores(env);
const clusters = openClusters(env, { stores, log });
const takeShard = createTakeShard({
  stores,
  clusters,
  prevention: createSweepPrevention({ stores, clusters, roles: env.syncRole === undefined ? [] : [env.syncRole], log }),
  starter: createLambdaStarter({ client: new LambdaClient({ region: env.region }), functionName: env.syncFunction }),
  events: openEvents(env, { log }),
  metrics: jsonMetrics({ clock, fields: { function: "shard" } }),
  sweepInterval: env.sweepInterval,
  meter: processMeter,
  clock,
  log,
});

/** Sweeps the one cluster that the sweep handed to it, where it can reach it; ends in time to say so. */
export const handler = (shard: SweepShard, context: Context): Promise<SweepReport | undefined> =>
  takeShard(shard, { signal: AbortSignal.timeout(context.getRemainingTimeInMillis() - 10_000) });
