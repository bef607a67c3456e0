import { LambdaClient } from "@aws-sdk/client-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createLambdaStarter } from "../lib/queue/lambda.ts";
import { type AuditResult, createAudit } from "../lib/sync/audit/audit.ts";
import type { LogEvent } from "../lib/sync/audit/unpack.ts";
import { createSweepCluster } from "../lib/sync/sweep/sweep-cluster.ts";
import { createFights } from "../lib/sync/sweep/sweep-fights.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { jsonMetrics } from "../lib/telemetry/metrics.ts";
import { openClusters, openStores } from "./adapters.ts";
import { openEvents } from "./events.ts";

const env = parseEnvironment(process.env);
const { region, identities } = env;
const log = jsonLog({ level: env.logLevel }, { function: "audit" });
const stores = await openStores(env);
const clusters = openClusters(env, { stores, log });
const events = openEvents(env, { log });
const starter = createLambdaStarter({ client: new LambdaClient({ region }), functionName: env.syncFunction });
const fights = createFights({ stores, events, clock, log });
const sweepObjects = createSweepCluster({ stores, clusters, starter, events, fights, clock, log });
const metrics = jsonMetrics({ clock, fields: { function: "audit" } });
const audit = createAudit({ stores, clusters, sweepObjects, events, metrics, identities, clock, log });

/** Called by CloudWatch Logs with the writes of a cluster's audit log: looks at what people edited, and says who it was. */
export const handler = (event: LogEvent): Promise<AuditResult> => audit(event);
