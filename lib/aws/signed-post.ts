import http from "node:http";
import https from "node:https";
import type { CallOptions } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import { type AwsCredentials, signPost } from "./sigv4.ts";

/** Credentials as the clients of AWS find them: `client.config.credentials`. */
export type CredentialProvider = (options?: {
  readonly forceRefresh?: boolean;
}) => Promise<AwsCredentials & { readonly expiration?: Date }>;

export interface SignedPostDeps {
  /** Origin of the service: `https://dynamodb.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  /** Signing name: `dynamodb`. */
  readonly service: string;
  readonly credentials: CredentialProvider;
  readonly clock: Clock;
  /** Milliseconds from a connection to the end of the answer. Default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds for TCP and TLS to be up. Default 3,000. */
  readonly connectTimeoutMs?: number;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** POSTs to `/` of one service of AWS, signed, over connections that stay open. */
export interface SignedPost {
  /** Once: any answer, whole. Rejects with Node's own error when none comes. Headers in lower case. */
  send(
    request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
    options?: CallOptions,
  ): Promise<PostAnswer>;
  /** For an answer that says that the signature is too old, or its credentials are: signs by that answer's time, with fresh ones. */
  renew(answer: PostAnswer): Promise<void>;
  close(): void;
}

/**
 * Codes of refusals of a signature that is too old, or made with credentials that are: this machine's clock may be wrong. What
 * `renew` is for.
 */
export const outdatedSignatures: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidSignatureException",
  "RequestExpired",
  "RequestTimeTooSkewed",
  "UnrecognizedClientException",
]);

/** As many connections as the clients of AWS open. */
const maxSockets = 50;
/** Credentials are replaced so long before they expire. */
const renewBeforeMs = 5 * 60 * 1000;

export function createSignedPost({ credentials: find, clock, ...deps }: SignedPostDeps): SignedPost {
  const { region, service } = deps;
  const base = new URL(deps.endpoint);
  const pool = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets };
  const agent = base.protocol === "http:" ? new http.Agent(pool) : new https.Agent(pool);
  const now = () => clock.now().getTime();
  let current: Awaited<ReturnType<CredentialProvider>> | undefined;
  /** Milliseconds that the service is ahead of this machine. */
  let ahead = 0;

  async function credentials(): Promise<AwsCredentials> {
    const { expiration } = current ?? {};
    if (expiration !== undefined && expiration.getTime() - renewBeforeMs < now()) current = undefined;
    return (current ??= await find());
  }

  return {
    async send({ headers: unsigned, body }, { signal } = {}) {
      const at = new Date(now() + ahead);
      const signing = { host: base.host, region, service, headers: unsigned, body, at };
      const { headers, authorization } = signPost({ ...signing, credentials: await credentials() });
      signal?.throwIfAborted();
      const sent = { ...headers, authorization: authorization.reveal(), "content-length": Buffer.byteLength(body) };
      return exchange({ ...deps, agent, base, headers: sent, body, signal }).catch((error: unknown) => {
        // After a frozen sandbox thaws every idle connection may be dead: one failure empties the pool.
        for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
        throw error;
      });
    },
    async renew({ headers: { date = "" } }) {
      const there = Date.parse(date);
      if (!Number.isNaN(there)) ahead = there - now();
      current = await find({ forceRefresh: true });
    },
    close: () => agent.destroy(),
  };
}

interface Exchange extends Pick<SignedPostDeps, "timeoutMs" | "connectTimeoutMs"> {
  readonly agent: http.Agent;
  readonly base: URL;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

function exchange({
  agent,
  base,
  headers,
  body,
  signal,
  timeoutMs = 10_000,
  connectTimeoutMs = 3000,
}: Exchange): Promise<PostAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PostAnswer>();
  const isPlain = base.protocol === "http:";
  const { hostname: host, port } = base;
  const outgoing = (isPlain ? http : https).request({ agent, host: host.replace(/^\[|\]$/g, ""), port, method: "POST", headers });
  let timer: NodeJS.Timeout | undefined;
  const limit = (what: string, ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => outgoing.destroy(Object.assign(new Error(`${what} within ${ms} ms`), { code: "ETIMEDOUT" })), ms);
  };
  const abort = (): void => void outgoing.destroy(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
  signal?.addEventListener("abort", abort, { once: true });
  // Waiting for one of the agent's connections to be free does not count.
  outgoing.on("socket", (socket) => {
    if (!socket.connecting) return limit("no answer", timeoutMs);
    limit("no connection", connectTimeoutMs);
    socket.once(isPlain ? "connect" : "secureConnect", () => limit("no answer", timeoutMs));
  });
  outgoing.on("error", reject);
  outgoing.on("response", (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", reject);
    incoming.on("end", () => {
      const [only] = chunks;
      const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: whole });
    });
  });
  outgoing.end(body);
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
}
