import { LambdaClient } from "@aws-sdk/client-lambda";
import type { SQSBatchResponse, SQSHandler } from "aws-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createLambdaStarter } from "../lib/queue/lambda.ts";
import { parseRevisionMessage } from "../lib/queue/message.ts";
import { createHelperRenderer } from "../lib/render/helper-renderer.ts";
import { createSources } from "../lib/source/sources.ts";
import { createPlanRevision } from "../lib/sync/plan-revision.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { openStores } from "./adapters.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "plan" });
const plan = createPlanRevision({
  stores: await openStores(env),
  sources: createSources({ log }),
  renderer: createHelperRenderer({ helper: env.renderHelper, log }),
  starter: createLambdaStarter({ client: new LambdaClient({ region: env.region }), functionName: env.syncFunction }),
  configuration: { repository: env.configRepository, branch: env.configBranch, path: env.configPath },
  clock,
  log,
});

/** Plans each moved branch; a message that failed for a passing reason goes back to the queue, alone. */
export const handler: SQSHandler = async (event): Promise<SQSBatchResponse> => {
  const batchItemFailures: SQSBatchResponse["batchItemFailures"] = [];
  for (const { body, messageId } of event.Records) {
    try {
      await plan(parseRevisionMessage(body));
    } catch (error) {
      log.error("plan.error", { messageId, error });
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
};
