import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import type { SweepShard } from "../lib/model/drift.ts";
import { createSweep, type SweepResult } from "../lib/sync/sweep/sweep.ts";
import { createSweepPrevention } from "../lib/sync/sweep/sweep-prevention.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { processMeter } from "../lib/telemetry/effort.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { jsonMetrics } from "../lib/telemetry/metrics.ts";
import { openClusters, openStores } from "./adapters.ts";
import { openEvents } from "./events.ts";
import { openSources } from "./sources.ts";
import { openStarters } from "./starters.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "sweep" });
const stores = await openStores(env);
const clusters = openClusters(env, { stores, log });
const sweep = createSweep({
  stores,
  clusters,
  prevention: createSweepPrevention({ stores, clusters, roles: env.syncRole === undefined ? [] : [env.syncRole], log }),
  sources: openSources(env, { stores, log }),
  ...openStarters(env),
  configuration: { repository: env.configRepository, branch: env.configBranch, path: env.configPath },
  events: openEvents(env, { log }),
  metrics: jsonMetrics({ clock, fields: { function: "sweep" } }),
  sweepInterval: env.sweepInterval,
  inPlace: env.sweepInPlace,
  newId: randomUUID,
  meter: processMeter,
  clock,
  log,
});

/** Started by the schedule; hands clusters on, to itself or to the shard function, as the environment says; ends in time to say so. */
export const handler = (event: Partial<SweepShard>, context: Context): Promise<SweepResult> =>
  sweep({ event, signal: AbortSignal.timeout(context.getRemainingTimeInMillis() - 10_000) });
