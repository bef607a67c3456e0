import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { parseEnvironment } from "../lib/config/environment.ts";
import { createApi } from "../lib/sync/api.ts";
import { jsonLog } from "../lib/telemetry/log.ts";
import { openStores } from "./adapters.ts";

const env = parseEnvironment(process.env);
const log = jsonLog({ level: env.logLevel }, { function: "api" });
const api = createApi({ stores: await openStores(env) });

/** The read-only JSON API below /api, payload format 2.0. */
export const handler = async ({
  requestContext,
  rawPath,
  queryStringParameters,
}: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
  const { method } = requestContext.http;
  const path = rawPath.replace(/^\/api(?=\/|$)/, "");
  log.debug("api.request", { method, path });
  const { status, body } = await api({ method, path, query: queryStringParameters ?? {} });
  return { statusCode: status, headers: { "content-type": "application/json", "cache-control": "no-store" }, body };
};
