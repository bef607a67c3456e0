import { randomUUID } from "node:crypto";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import serverless from "serverless-http";
import { createSignedPost } from "../lib/aws/signed-post.ts";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createWebhookListener } from "../lib/github/listener.ts";
import { createWebhookSecrets } from "../lib/github/secrets.ts";
import { createSqsQueue } from "../lib/queue/sqs.ts";
import { createDeliveries } from "../lib/store/deliveries.ts";
import { createDynamoClient } from "../lib/store/dynamodb-client.ts";
import { createItems } from "../lib/store/items.ts";
import { createAcceptPush } from "../lib/sync/accept-push.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { jsonMetrics } from "../lib/telemetry/metrics.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "webhook" });
const { region } = env;
const client = { region, maxAttempts: 3, requestHandler: { connectionTimeout: 1000, requestTimeout: 3000 } };

const secretsManager = new SecretsManagerClient(client);
const { credentials } = secretsManager.config;
const limits = { timeoutMs: 3000, connectTimeoutMs: 1000 };
const post = createSignedPost({ endpoint: env.tableEndpoint, region, service: "dynamodb", credentials, clock, ...limits });
const items = createItems({ client: createDynamoClient({ post, attempts: 3 }), table: env.table });
const deliveries = createDeliveries({ items, clock, newId: randomUUID });
const queue = createSqsQueue({ client: new SQSClient(client), queueUrl: env.queueUrl });
const secrets = createWebhookSecrets({ client: secretsManager, secretId: env.webhookSecretId, clock, log });

const metrics = jsonMetrics({ clock, fields: { function: "webhook" } });
const accept = createAcceptPush({ deliveries, queue, clock, log });

/** GitHub's webhook behind an HTTP API, payload format 2.0. */
export const handler = serverless(createWebhookListener({ secrets, accept, metrics, log }), { binary: false }) as (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;
