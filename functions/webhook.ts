import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import serverless from "serverless-http";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createWebhookListener } from "../lib/github/listener.ts";
import { createWebhookSecrets } from "../lib/github/secrets.ts";
import { createSqsQueue } from "../lib/queue/sqs.ts";
import { createDeliveries } from "../lib/store/deliveries.ts";
import { createItems } from "../lib/store/items.ts";
import { createAcceptPush } from "../lib/sync/accept-push.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "webhook" });
const client = { region: env.region, maxAttempts: 3, requestHandler: { connectionTimeout: 1000, requestTimeout: 3000 } };

const items = createItems({ client: new DynamoDBClient(client), table: env.table });
const deliveries = createDeliveries({ items, clock, newId: randomUUID });
const queue = createSqsQueue({ client: new SQSClient(client), queueUrl: env.queueUrl });
const secrets = createWebhookSecrets({ client: new SecretsManagerClient(client), secretId: env.webhookSecretId, clock, log });

const accept = createAcceptPush({ deliveries, queue, clock, log });

/** GitHub's webhook behind an HTTP API, payload format 2.0. */
export const handler = serverless(createWebhookListener({ secrets, accept, log }), { binary: false }) as (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;
