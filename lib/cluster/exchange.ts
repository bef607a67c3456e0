import http from "node:http";
import https from "node:https";
import type { Answer } from "./classify.ts";

export interface HttpRequest {
  readonly method: "GET" | "PATCH" | "DELETE" | "POST";
  /** Path and query, from `/`. */
  readonly path: string;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
}

/** A list stands for one header with this name each. */
export type RequestHeaders = { readonly [name: string]: string | readonly string[] };

/** An answer, and when the server wants to be asked again. */
export interface Reply extends Answer {
  readonly retryAfter: string | undefined;
}

export interface Exchange {
  readonly agent: http.Agent;
  readonly base: URL;
  readonly headers: RequestHeaders;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly onWarning: ((text: string) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Sends one request once and reads the whole answer; rejects with Node's own error when none comes. */
export async function exchange(request: HttpRequest, context: Exchange): Promise<Reply> {
  const outgoing = (context.base.protocol === "http:" ? http : https).request(requestOptions(request, context));
  const stopTimers = limitTime(outgoing, context);
  const abort = () => outgoing.destroy(asError(context.signal?.reason));
  context.signal?.addEventListener("abort", abort, { once: true });
  try {
    const incoming = await responseOf(outgoing, request.body);
    const body = await readBody(incoming);
    for (const header of incoming.headersDistinct["warning"] ?? []) context.onWarning?.(warningText(header));
    return {
      status: incoming.statusCode ?? 0,
      contentType: incoming.headers["content-type"] ?? "",
      retryAfter: incoming.headers["retry-after"],
      body,
    };
  } finally {
    stopTimers();
    context.signal?.removeEventListener("abort", abort);
  }
}

function requestOptions(request: HttpRequest, { agent, base, headers }: Exchange): https.RequestOptions {
  const { method, path, accept = "application/json", contentType = "application/json", body } = request;
  return {
    agent,
    host: base.hostname.replace(/^\[|\]$/g, ""),
    port: base.port === "" ? (base.protocol === "http:" ? 80 : 443) : base.port,
    method,
    path: base.pathname.replace(/\/$/, "") + path,
    headers: {
      ...(headers as http.OutgoingHttpHeaders),
      "User-Agent": "driftless",
      Accept: accept,
      ...(body === undefined ? {} : { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) }),
    },
  };
}

/** Destroys the request when it takes too long; waiting for one of the agent's connections to be free does not count. */
function limitTime(outgoing: http.ClientRequest, { base, timeoutMs, connectTimeoutMs }: Exchange): () => void {
  const timers: NodeJS.Timeout[] = [];
  const expire = (what: string, ms: number) => {
    const error = Object.assign(new Error(`${what} within ${ms} ms`), { code: "ETIMEDOUT" });
    const timer = setTimeout(() => outgoing.destroy(error), ms);
    timers.push(timer);
    return timer;
  };
  outgoing.on("socket", (socket) => {
    expire("no answer", timeoutMs);
    if (!socket.connecting) return;
    const connecting = expire("no connection", connectTimeoutMs);
    socket.once(base.protocol === "http:" ? "connect" : "secureConnect", () => clearTimeout(connecting));
  });
  return () => timers.forEach(clearTimeout);
}

function responseOf(outgoing: http.ClientRequest, body: string | undefined): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  outgoing.on("error", reject);
  outgoing.on("response", resolve);
  outgoing.end(body);
  return promise;
}

async function readBody(incoming: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** `299 - "text"` becomes text. */
function warningText(header: string): string {
  const quoted = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
  return quoted === undefined ? header : quoted.replace(/\\(.)/g, "$1");
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
