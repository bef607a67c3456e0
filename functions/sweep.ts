import { randomUUID } from "node:crypto";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createLambdaStarter } from "../lib/queue/lambda.ts";
import { createSqsQueue } from "../lib/queue/sqs.ts";
import { createSweep, type SweepResult } from "../lib/sync/sweep/sweep.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { openClusters, openStores } from "./adapters.ts";
import { openSources } from "./sources.ts";

const env = parseEnvironment(process.env);
const { region } = env;
const log = jsonLog({ level: env.logLevel }, { function: "sweep" });
const stores = await openStores(env);
const sweep = createSweep({
  stores,
  clusters: openClusters(env, { stores, log }),
  sources: openSources(env, { stores, log }),
  queue: createSqsQueue({ client: new SQSClient({ region }), queueUrl: env.queueUrl }),
  starter: createLambdaStarter({ client: new LambdaClient({ region }), functionName: env.syncFunction }),
  configuration: { repository: env.configRepository, branch: env.configBranch, path: env.configPath },
  newId: randomUUID,
  clock,
  log,
});

/** Started by the schedule: looks for drift, moved heads and lost runs in everything. */
export const handler = (): Promise<SweepResult> => sweep();
