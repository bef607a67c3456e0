import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { SQSHandler } from "aws-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createConsumer } from "../lib/queue/consume.ts";
import { createLambdaStarter } from "../lib/queue/lambda.ts";
import { parseRevisionMessage } from "../lib/queue/message.ts";
import { createSqsRetry } from "../lib/queue/sqs.ts";
import type { AskCapabilities } from "../lib/sync/plan/capabilities.ts";
import { createPlanRevision } from "../lib/sync/plan/plan-revision.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { jsonMetrics } from "../lib/telemetry/metrics.ts";
import { openClusters, openStores } from "./adapters.ts";
import { openRenderer } from "./renderer.ts";
import { openSources } from "./sources.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "plan" });
const metrics = jsonMetrics({ clock, fields: { function: "plan" } });
const stores = await openStores(env);
const sources = openSources(env, { stores, log });
const clusters = openClusters(env, { stores, log });
const asked: AskCapabilities = async (cluster, options) => (await clusters.reader(cluster, options)).capabilities(options);
const plan = createPlanRevision({
  stores,
  capabilities: env.planAsksClusters ? asked : undefined,
  sources,
  renderer: openRenderer(env, { sources, log }),
  starter: createLambdaStarter({ client: new LambdaClient({ region: env.region }), functionName: env.syncFunction }),
  configuration: { repository: env.configRepository, branch: env.configBranch, path: env.configPath },
  metrics,
  clock,
  log,
});
const retry = createSqsRetry({ client: new SQSClient({ region: env.region }), queueUrl: env.queueUrl });
const work = (body: string): Promise<void> => plan(parseRevisionMessage(body));

/** Plans each moved branch; a message that failed for a passing reason goes back to the queue, alone. */
export const handler: SQSHandler = createConsumer({ work, retry, clock, metrics, log });
