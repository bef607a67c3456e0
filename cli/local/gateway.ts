import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import type { InvokeFunction } from "./invocation.ts";
import { readBody, sendJson, startLoopback } from "./loopback.ts";

/** Stands for an API Gateway HTTP API. */
export interface LocalGateway {
  readonly url: string;
  /** Lets open requests be answered for at most ten seconds. */
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** Route to function name: `POST /webhook`, `GET /api/{proxy+}`, `ANY /things/{id}`, `$default`. */
  readonly routes: Readonly<Record<string, string>>;
  readonly invoke: InvokeFunction;
  readonly log: Log;
  readonly port?: number;
  readonly clock?: Clock;
}

interface Route {
  readonly key: string;
  readonly functionName: string;
  readonly method: string;
  readonly segments: readonly string[];
}

interface Match extends Route {
  readonly parameters: Readonly<Record<string, string>>;
}

/** What API Gateway takes; above it the answer is 413. */
const largestBody = 10_485_760;

/** Hands each request to the function of its route as an event of payload format 2.0, the body always in base64. */
export async function startGateway(options: GatewayOptions): Promise<LocalGateway> {
  const { routes, invoke, log, port = 0, clock = systemClock } = options;
  const table = Object.entries(routes).map(([key, functionName]) => parseRoute(key, functionName));
  const server = await startLoopback(
    async (request, response) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      const match = findRoute(table, request.method ?? "GET", url.pathname);
      if (match === undefined) return sendJson(response, 404, { message: "Not Found" });
      const body = await readBody(request, largestBody);
      if (body === undefined) return sendJson(response, 413, { message: "Request Entity Too Large" });
      const result = await invoke(match.functionName, eventOf(request, { url, match, body, clock }));
      if ("payload" in result && respond(response, result.payload)) return;
      const error = "error" in result ? result.error.errorMessage : "the answer is not of payload format 2.0";
      log.warn("gateway.failed", { route: match.key, functionName: match.functionName, error });
      sendJson(response, 502, { message: "Internal Server Error" });
    },
    { port },
  );
  return { url: server.url, close: () => server.close({ graceMs: 10_000 }) };
}

function parseRoute(key: string, functionName: string): Route {
  const [method = "", path = ""] = key.split(" ");
  return { key, functionName, method, segments: path.split("/").slice(1) };
}

/** The most specific route wins: fixed segments before parameters before a greedy rest before `$default`. */
function findRoute(table: readonly Route[], method: string, path: string): Match | undefined {
  const given = path.split("/").slice(1);
  const matches = table.flatMap((route): readonly Match[] => {
    if (route.key === "$default") return [{ ...route, parameters: {} }];
    if (route.method !== "ANY" && route.method !== method) return [];
    const parameters = matchSegments(route.segments, given);
    return parameters === undefined ? [] : [{ ...route, parameters }];
  });
  return matches.sort((a, b) => rank(b) - rank(a))[0];
}

function rank({ key, method, segments }: Route): number {
  if (key === "$default") return -1;
  const fixed = segments.filter((segment) => !segment.startsWith("{")).length;
  const greedy = segments.at(-1)?.endsWith("+}") === true;
  return fixed * 4 + (greedy ? 0 : 2) + (method === "ANY" ? 0 : 1);
}

function matchSegments(wanted: readonly string[], given: readonly string[]): Readonly<Record<string, string>> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const name = /^\{(\w+)(\+?)\}$/.exec(segment);
    const value = given[index];
    if (name?.[2] === "+") {
      if (given.length <= index) return undefined;
      parameters[name[1] ?? ""] = given.slice(index).join("/");
      return parameters;
    }
    if (value === undefined || (name === null && value !== segment)) return undefined;
    if (name !== null) parameters[name[1] ?? ""] = value;
  }
  return wanted.length === given.length ? parameters : undefined;
}

interface RequestFacts {
  readonly url: URL;
  readonly match: Match;
  readonly body: Buffer;
  readonly clock: Clock;
}

function eventOf(request: IncomingMessage, { url, match, body, clock }: RequestFacts): unknown {
  const { cookie, ...headers } = request.headersDistinct;
  const query = Map.groupBy(url.searchParams, ([name]) => name);
  const now = clock.now();
  return {
    version: "2.0",
    routeKey: match.key,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...(cookie === undefined ? {} : { cookies: cookie.flatMap((line) => line.split("; ")) }),
    headers: Object.fromEntries(Object.entries(headers).map(([name, values = []]) => [name, values.join(",")])),
    ...(query.size === 0
      ? {}
      : {
          queryStringParameters: Object.fromEntries(
            [...query].map(([name, pairs]) => [name, pairs.map(([, value]) => value).join(",")]),
          ),
        }),
    ...(Object.keys(match.parameters).length === 0 ? {} : { pathParameters: match.parameters }),
    requestContext: {
      accountId: "000000000000",
      apiId: "local",
      // Whoever reaches this machine's loopback is its user: no authorizer asks further.
      authorizer: { iam: { userArn: "local" } },
      domainName: request.headers.host ?? "127.0.0.1",
      domainPrefix: "local",
      http: {
        method: request.method,
        path: url.pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
        userAgent: request.headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey: match.key,
      stage: "$default",
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length === 0 ? { isBase64Encoded: false } : { body: body.toString("base64"), isBase64Encoded: true }),
  };
}

interface Answer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** False when the answer cannot be sent. Without a status code the whole answer is the body, as API Gateway has it. */
function respond(response: ServerResponse, payload: unknown): boolean {
  const isAnswer = typeof payload === "object" && payload !== null && "statusCode" in payload;
  if (!isAnswer) {
    sendJson(response, 200, payload);
    return true;
  }
  const { statusCode, headers = {}, cookies = [], body = "", isBase64Encoded = false } = payload as Answer;
  if (typeof statusCode !== "number" || statusCode < 100 || statusCode > 599 || typeof body !== "string") return false;
  const bytes = Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
  for (const [name, value] of Object.entries(headers)) {
    if (!/^(content-length|connection|transfer-encoding)$/i.test(name)) response.setHeader(name, String(value));
  }
  if (!response.hasHeader("content-type")) response.setHeader("content-type", "text/plain; charset=utf-8");
  if (cookies.length > 0) response.setHeader("set-cookie", [...cookies]);
  response.setHeader("content-length", bytes.length);
  response.writeHead(statusCode);
  response.end(bytes);
  return true;
}
