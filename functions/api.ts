import { LambdaClient } from "@aws-sdk/client-lambda";
import type { APIGatewayProxyEventV2WithIAMAuthorizer, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createLambdaExaminer } from "../lib/queue/examine.ts";
import { createLambdaPreviewer, createLambdaStarter } from "../lib/queue/lambda.ts";
import { createActions } from "../lib/sync/actions/actions.ts";
import { createApi } from "../lib/sync/api/api.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { openStores } from "./adapters.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "api" });
const stores = await openStores(env);
const client = new LambdaClient({ region: env.region });
const preview = createLambdaPreviewer({ client, functionName: env.previewFunction });
const examine = createLambdaExaminer({ client, functionName: env.previewFunction });
const starter = createLambdaStarter({ client, functionName: env.syncFunction });
const actions = createActions({ stores, starter, preview, clock, log });
const api = createApi({ stores, preview, examine, clock, sweepInterval: env.sweepInterval, actions });

/** The JSON API below /api, payload format 2.0; who acts is whom the authorizer of the route names. */
export const handler = async (event: APIGatewayProxyEventV2WithIAMAuthorizer): Promise<APIGatewayProxyStructuredResultV2> => {
  const { requestContext, rawPath, headers, queryStringParameters: query = {}, body = "", isBase64Encoded } = event;
  const { method } = requestContext.http;
  const path = rawPath.replace(/^\/api(?=\/|$)/, "");
  log.debug("api.request", { method, path });
  const text = isBase64Encoded ? Buffer.from(body, "base64").toString() : body;
  const by = requestContext.authorizer?.iam?.userArn ?? "";
  const contentType = headers["content-type"] ?? "";
  const asked = { method, path, query, body: text, contentType, by, correlationId: requestContext.requestId };
  const { status, body: answer } = await api(asked);
  return { statusCode: status, headers: { "content-type": "application/json", "cache-control": "no-store" }, body: answer };
};
