import http from "node:http";
import https from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Secret } from "../telemetry/secret.ts";
import type { Answer } from "./classify.ts";
import { exchange, type HttpRequest, type Reply, type RequestHeaders } from "./exchange.ts";
import { codeOf, isTlsFailure, isTransientFailure, retryDelay } from "./retry.ts";

/** What it takes to talk to one API server. */
export interface Connection {
  /** `https://host:port`, perhaps with a path; plain `http` is refused but on loopback. */
  readonly server: string;
  /** PEM of the only authorities to trust; without it the machine's own are trusted. */
  readonly ca?: string | Buffer;
  /** PEM of a client certificate and its key. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Name to expect in the server's certificate when it is not the host. */
  readonly servername?: string;
  readonly headers?: RequestHeaders;
  /** Absent when the client certificate is the identity. */
  readonly authorize?: Authorize;
}

/** Gives the whole `Authorization` header; `fresh` forbids one from a cache. */
export type Authorize = (options: CallOptions & { readonly fresh: boolean }) => Promise<Secret>;

/** As whom a request is made, where it is not as the connection says; all identities share its sockets. */
export interface Identity {
  /** Unlike that of every other identity of the connection. */
  readonly key: string;
  /** True for a project's own identity. */
  readonly ofProject: boolean;
  /** In place of the connection's. */
  readonly authorize?: Authorize;
  /** The user and groups of Kubernetes to be, of whom the identity that authorizes has the right to. */
  readonly impersonate?: { readonly username: string; readonly groups: readonly string[] };
}

export interface TransportOptions extends CallOptions {
  readonly identity?: Identity | undefined;
  /** True for a server that did not answer just now: one try, and 3 seconds for a connection. */
  readonly hurried?: boolean;
  /** Called once for every HTTP request that goes out, retries included. */
  readonly onRequest?: () => void;
}

/** HTTP to one API server over few connections that stay open. */
export interface Transport {
  /** Any answer, refusals too, after retries (every request of Driftless is idempotent); throws `cluster` when there is none. */
  request(request: HttpRequest, options?: TransportOptions): Promise<Answer>;
  /** Host and port, for messages. */
  readonly host: string;
  /** HTTP requests made so far, retries included. */
  readonly requests: number;
  /** Drops all connections, those in use too. */
  close(): void;
}

export interface TransportDeps {
  readonly connection: Connection;
  /** Text of a `Warning` header, such as a deprecated version. */
  readonly onWarning?: (text: string) => void;
  /** Milliseconds for one try, body included. Default 30,000. */
  readonly timeoutMs?: number;
  /** Milliseconds for TCP and TLS to be up. Default 10,000. */
  readonly connectTimeoutMs?: number;
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  readonly random?: () => number;
}

/** Connections at a time to one API server. */
const maxSockets = 16;
const hurriedConnectMs = 3000;

export function createTransport(deps: TransportDeps): Transport {
  const { connection, wait = (ms, signal) => delay(ms, undefined, signal ? { signal } : {}), random = Math.random } = deps;
  const base = parseServer(connection.server);
  const agent = createAgent(connection, base);
  let requests = 0;

  async function once(asked: HttpRequest, options: TransportOptions & { readonly fresh: boolean }): Promise<Reply> {
    const { fresh, signal, identity, hurried } = options;
    const authorize = identity?.authorize ?? connection.authorize;
    const authorization = await authorize?.({ fresh, ...(signal ? { signal } : {}) });
    signal?.throwIfAborted();
    const { timeoutMs = 30_000, onWarning } = deps;
    const connectTimeoutMs = Math.min(deps.connectTimeoutMs ?? 10_000, hurried === true ? hurriedConnectMs : Infinity);
    const headers = {
      ...connection.headers,
      ...(authorization === undefined ? {} : { Authorization: authorization.reveal() }),
      ...impersonationHeaders(identity),
    };
    requests++;
    options.onRequest?.();
    return exchange(asked, { agent, base, headers, timeoutMs, connectTimeoutMs, onWarning, signal });
  }

  const canRenew = ({ identity }: TransportOptions): boolean => (identity?.authorize ?? connection.authorize) !== undefined;

  async function request(asked: HttpRequest, options: TransportOptions = {}): Promise<Answer> {
    let fresh = false;
    for (let attempt = 1; ; attempt++) {
      try {
        let reply = await once(asked, { ...options, fresh });
        if (reply.status === 401 && canRenew(options) && !fresh) {
          fresh = true;
          reply = await once(asked, { ...options, fresh });
        }
        const pause = retryDelay({ attempt, status: reply.status, retryAfter: reply.retryAfter, random: random() });
        if (pause === undefined) return reply;
        await wait(pause, options.signal);
      } catch (error) {
        if (error instanceof DriftlessError || options.signal?.aborted) throw unreachable(error, base.host, options.signal);
        dropIdle(agent);
        const again = isTransientFailure(error) && options.hurried !== true;
        const pause = again ? retryDelay({ attempt, random: random() }) : undefined;
        if (pause === undefined) throw unreachable(error, base.host, options.signal);
        await wait(pause, options.signal).catch((cause: unknown) => {
          throw unreachable(cause, base.host, options.signal);
        });
      }
    }
  }

  return {
    request,
    host: base.host,
    get requests() {
      return requests;
    },
    close: () => agent.destroy(),
  };
}

/**
 * An API server takes an empty user for none at all, and the request for that of whoever authorizes it: a project without a name
 * would come with Driftless' own rights.
 */
function impersonationHeaders(identity: Identity | undefined): RequestHeaders {
  if (identity?.impersonate === undefined) return {};
  const { username, groups } = identity.impersonate;
  if ([username, ...groups].some((name) => name.trim() === "")) {
    throw new DriftlessError("refused", "A request as a user or group without a name is not made: name the project");
  }
  return { "Impersonate-User": username, "Impersonate-Group": groups };
}

function parseServer(server: string): URL {
  const url = URL.parse(server);
  const loopback = url !== null && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname);
  if (url !== null && (url.protocol === "https:" || (url.protocol === "http:" && loopback))) return url;
  throw new DriftlessError("cluster", `The API server's address must be an https URL, not ${JSON.stringify(server)}`);
}

function createAgent(connection: Connection, base: URL): http.Agent {
  const pool = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets };
  if (base.protocol === "http:") return new http.Agent(pool);
  const { ca, cert, key, servername } = connection;
  return new https.Agent({
    ...pool,
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  });
}

/** After a frozen sandbox thaws, every idle connection may be dead: one failure empties the pool, or each try would meet the next dead one. */
function dropIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function unreachable(error: unknown, host: string, signal: AbortSignal | undefined): DriftlessError {
  if (error instanceof DriftlessError) return error;
  if (signal?.aborted) {
    return new DriftlessError("cluster", `The request to the API server at ${host} was stopped: ${messageOf(signal.reason)}`, {
      cause: error,
      retryable: true,
      facts: { host, aborted: true },
    });
  }
  const tls = isTlsFailure(error);
  const check = tls
    ? "check the cluster's certificate authority, the client certificate and that the address is the right one"
    : "check that the cluster exists, that its endpoint is reachable from here, and security groups and DNS for a private endpoint";
  return new DriftlessError("cluster", `Cannot reach the API server at ${host}: ${messageOf(error) || codeOf(error)}; ${check}`, {
    cause: error,
    retryable: !tls,
    facts: { host, tls, ...(codeOf(error) === "" ? {} : { code: codeOf(error) }) },
  });
}
