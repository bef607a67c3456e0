import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Secret } from "../telemetry/secret.ts";
import { statusError } from "./http-status.ts";
import { waitAskedBy } from "./rate-limit.ts";

export interface HttpDeps {
  readonly clock: Clock;
  /** Milliseconds for one exchange, body included. */
  readonly timeoutMs: number;
}

export interface HttpRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The whole value of the Authorization header. */
  readonly authorization?: Secret | undefined;
  /** True hands every answer to `read`, whatever its status. */
  readonly anyStatus?: boolean;
  /** Finds the addresses of the host; default: as the system does. */
  readonly lookup?: LookupFunction | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly contentType: string;
  /** Where a 3xx answer points, unresolved; undefined for 2xx. */
  readonly location?: string;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpClient {
  /**
   * Sends a request and lets `read` consume the answer; both stand under one deadline. Answers other than 2xx
   * and redirects throw `source` with the status, retryable for limits, 5xx and a broken connection, unless the request
   * takes any status. A wait that the host asks for is `retryAfterSeconds` of the facts.
   */
  exchange<T>(request: HttpRequest, read: (answer: HttpAnswer) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** Keeps connections alive between exchanges; idle ones hold no process open. */
export function createHttpClient({ clock, timeoutMs }: HttpDeps): HttpClient {
  const agents = { "http:": new http.Agent({ keepAlive: true }), "https:": new https.Agent({ keepAlive: true }) };

  const send = async (request: HttpRequest, signal: AbortSignal): Promise<http.IncomingMessage> => {
    for (let attempt = 1; ; attempt += 1) {
      const sent = start(request, agents, signal);
      try {
        return await answerOf(sent);
      } catch (error) {
        // A server may close an idle connection just as it is taken up again: that says nothing about the server.
        if (!sent.reusedSocket || !["ECONNRESET", "EPIPE"].includes(codeOf(error)) || attempt > 1 || signal.aborted) throw error;
      }
    }
  };

  return {
    async exchange(request, read, options = {}) {
      const deadline = startDeadline(timeoutMs, options.signal);
      try {
        const response = await send(request, deadline.signal);
        try {
          return await read(await accept(request, response, clock));
        } finally {
          // Read to its end, the answer has given its connection back already.
          if (!response.readableEnded) response.destroy();
        }
      } catch (error) {
        throw deadline.signal.aborted ? stopped(request.url, deadline.signal.reason) : failed(request.url, error);
      } finally {
        deadline.clear();
      }
    },
  };
}

function start(
  { url, method, headers, body, authorization, lookup }: HttpRequest,
  agents: Readonly<Record<string, http.Agent>>,
  signal: AbortSignal,
): http.ClientRequest {
  const request = url.protocol === "https:" ? https.request : http.request;
  const sent = request(url, {
    method,
    signal,
    agent: agents[url.protocol],
    ...(lookup === undefined ? {} : { lookup }),
    headers: {
      ...headers,
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
      ...(authorization === undefined ? {} : { authorization: authorization.reveal() }),
    },
  });
  sent.end(body);
  return sent;
}

function answerOf(sent: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on("response", resolve);
    sent.on("error", reject);
  });
}

async function accept(request: HttpRequest, response: http.IncomingMessage, clock: Clock): Promise<HttpAnswer> {
  const status = response.statusCode ?? 0;
  const { headers } = response;
  const answer = { status, headers, contentType: headers["content-type"] ?? "", body: response as AsyncIterable<Uint8Array> };
  const { location } = headers;
  if (status >= 300 && status < 400 && location !== undefined) return { ...answer, location };
  if (request.anyStatus === true || (status >= 200 && status < 300)) return answer;
  throw statusError({
    url: request.url,
    status,
    authorized: request.authorization !== undefined,
    waitSeconds: await waitAskedBy(answer, clock.now()),
  });
}

interface Deadline {
  readonly signal: AbortSignal;
  clear(): void;
}

function startDeadline(timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const timeout = new DriftlessError("source", `no complete answer within ${timeoutMs / 1000} s`, { retryable: true });
  const timer = setTimeout(() => controller.abort(timeout), timeoutMs);
  const onAbort = (): void => controller.abort(caller?.reason);
  caller?.addEventListener("abort", onAbort, { once: true });
  if (caller?.aborted) onAbort();
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      caller?.removeEventListener("abort", onAbort);
    },
  };
}

function stopped(url: URL, reason: unknown): DriftlessError {
  return new DriftlessError("source", `reading ${url.origin}${url.pathname} was stopped: ${messageOf(reason)}`, {
    cause: reason,
    retryable: true,
  });
}

/** Errors of our own pass; what Node throws becomes `source`, retryable unless the certificate is not trusted. */
function failed(url: URL, error: unknown): DriftlessError {
  if (error instanceof DriftlessError) return error;
  const code = codeOf(error);
  const untrusted = /CERT|SIGNATURE|ALTNAME|SELF_SIGNED|ERR_SSL|ERR_TLS/.test(code);
  const advice = untrusted ? "; its certificate is not trusted" : "";
  return new DriftlessError("source", `${url.host} could not be read: ${code || messageOf(error)}${advice}`, {
    cause: error,
    retryable: !untrusted,
    facts: { host: url.host },
  });
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}
