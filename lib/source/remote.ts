import { DriftlessError, isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Secret } from "../telemetry/secret.ts";
import type { HttpAnswer, HttpClient, HttpRequest } from "./http.ts";
import { repositoryOf } from "./http-status.ts";
import { type Capabilities, readCapabilities } from "./protocol.ts";

/** `rejected` is a value that the host has just refused: one that is made or read anew is wanted. */
export interface AuthorizationOptions extends CallOptions {
  readonly rejected?: Secret;
}

/** Value of the Authorization header for a repository; undefined reads it anonymously. */
export type Authorization = (repository: string, options?: AuthorizationOptions) => Promise<Secret | undefined>;

export interface RemoteDeps {
  readonly repository: URL;
  readonly http: HttpClient;
  readonly authorization?: Authorization | undefined;
}

/** A repository's server after the first exchange: what it can do, and where its requests go. */
export interface Remote {
  readonly capabilities: Capabilities;
  post<T>(body: string, read: (body: AsyncIterable<Uint8Array>) => Promise<T>, options: CallOptions): Promise<T>;
}

const service = "git-upload-pack";
const discovery = `info/refs?service=${service}`;
const protocol = { "git-protocol": "version=2", "user-agent": "driftless" };

/** Asks for the capabilities; follows one redirect on the same host, and that without credentials. */
export async function connect(deps: RemoteDeps, options: CallOptions): Promise<Remote> {
  const first = await discover(deps, deps.repository, { ...options, authorized: true });
  if (!("moved" in first)) return serverAt(deps, deps.repository, first.capabilities, { authorized: true });
  const second = await discover(deps, first.moved, { ...options, authorized: false });
  if ("moved" in second)
    throw new DriftlessError("source", `${repositoryOf(deps.repository)} redirects more than once; use its final URL`);
  return serverAt(deps, first.moved, second.capabilities, { authorized: false });
}

type Discovered = { readonly capabilities: Capabilities } | { readonly moved: URL };

async function discover(
  deps: RemoteDeps,
  repository: URL,
  options: CallOptions & { readonly authorized: boolean },
): Promise<Discovered> {
  const url = serviceUrl(repository, discovery);
  const read = async (answer: HttpAnswer): Promise<Discovered> => {
    if (answer.location !== undefined) return { moved: redirected(url, answer.location) };
    checkContent(repository, answer.contentType, `application/x-${service}-advertisement`);
    return { capabilities: await readCapabilities(answer.body) };
  };
  return exchange(deps, { request: { url, method: "GET", headers: protocol }, read }, options);
}

interface Exchange<T> {
  readonly request: HttpRequest;
  readonly read: (answer: HttpAnswer) => Promise<T>;
}

/** With credentials where `authorized` says so. Those that the host refuses are asked for anew, once. */
async function exchange<T>(
  { http, authorization: ask, repository }: RemoteDeps,
  { request, read }: Exchange<T>,
  { authorized, ...options }: CallOptions & { readonly authorized: boolean },
): Promise<T> {
  const send = (authorization?: Secret) => http.exchange({ ...request, authorization }, read, options);
  const secret = authorized ? await ask?.(repository.href, options) : undefined;
  try {
    return await send(secret);
  } catch (error) {
    if (ask === undefined || secret === undefined || !isRejected(error)) throw error;
    const renewed = await ask(repository.href, { ...options, rejected: secret });
    if (renewed === undefined || renewed.reveal() === secret.reveal()) throw error;
    return send(renewed).catch(mayBeTooNew);
  }
}

function isRejected(error: unknown): error is DriftlessError {
  return isDriftlessError(error, "source") && error.facts["status"] === 401;
}

/** What was made a moment ago may not be known on every server of the host yet. */
function mayBeTooNew(error: unknown): never {
  if (!isRejected(error)) throw error;
  throw new DriftlessError("source", error.message, { cause: error, retryable: true, facts: error.facts });
}

function serverAt(
  deps: RemoteDeps,
  repository: URL,
  capabilities: Capabilities,
  access: { readonly authorized: boolean },
): Remote {
  const headers = { ...protocol, "content-type": `application/x-${service}-request`, accept: `application/x-${service}-result` };
  return {
    capabilities,
    async post(body, read, options) {
      const readAnswer = (answer: HttpAnswer) => {
        if (answer.location !== undefined) throw refusedRedirect(repository, "in the middle of a fetch");
        checkContent(repository, answer.contentType, `application/x-${service}-result`);
        return read(answer.body);
      };
      const request = { url: serviceUrl(repository, service), method: "POST", headers, body } as const;
      return exchange(deps, { request, read: readAnswer }, { ...options, ...access });
    },
  };
}

function serviceUrl(repository: URL, path: string): URL {
  return new URL(`${repository.origin}${repository.pathname.replace(/\/+$/, "")}/${path}`);
}

/** The repository that a redirect of the discovery names: same host, never from https down to http. */
function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (to === undefined) throw refusedRedirect(from, "to something that is no URL");
  const upgraded = from.protocol === "http:" && to.protocol === "https:" && to.host === from.hostname;
  if (to.origin !== from.origin && !upgraded) throw refusedRedirect(from, `to another host (${to.host})`);
  if (!to.pathname.endsWith("/info/refs")) throw refusedRedirect(from, "to a page that is no repository");
  return new URL(repositoryOf(to));
}

function refusedRedirect(from: URL, where: string): DriftlessError {
  return new DriftlessError(
    "source",
    `${repositoryOf(from)} redirects ${where}; that is refused: use the repository's final URL`,
  );
}

function checkContent(repository: URL, actual: string, expected: string): void {
  if (actual.split(";")[0]?.trim() === expected) return;
  throw new DriftlessError(
    "source",
    `${repositoryOf(repository)} answered with ${actual || "no content type"}, not as a Git server; check the URL`,
  );
}
