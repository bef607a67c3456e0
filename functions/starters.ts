import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Environment } from "../lib/config/environment.ts";
import { createLambdaShardStarter, createLambdaStarter } from "../lib/queue/lambda.ts";
import { createSqsQueue } from "../lib/queue/sqs.ts";

/** What a sweep sets going: plans of branches, runs, and sweeps of single clusters. */
export function openStarters(env: Environment) {
  const { region } = env;
  const client = new LambdaClient({ region });
  return {
    queue: createSqsQueue({ client: new SQSClient({ region }), queueUrl: env.queueUrl }),
    starter: createLambdaStarter({ client, functionName: env.syncFunction }),
    shards: createLambdaShardStarter({ client, functionName: env.sweepFunction }),
  };
}
