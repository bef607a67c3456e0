import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Secret } from "../telemetry/secret.ts";
import type { HttpAnswer, HttpClient } from "./http.ts";
import { repositoryOf } from "./http-status.ts";
import { type Capabilities, readCapabilities } from "./protocol.ts";

/** Value of the Authorization header for a repository; undefined reads it anonymously. */
export type Authorization = (repository: string, options?: CallOptions) => Promise<Secret | undefined>;

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
  { http, authorization }: RemoteDeps,
  repository: URL,
  { authorized, ...options }: CallOptions & { readonly authorized: boolean },
): Promise<Discovered> {
  const url = serviceUrl(repository, discovery);
  const secret = authorized ? await authorization?.(repository.href, options) : undefined;
  const read = async (answer: HttpAnswer): Promise<Discovered> => {
    if (answer.location !== undefined) return { moved: redirected(url, answer.location) };
    checkContent(repository, answer.contentType, `application/x-${service}-advertisement`);
    return { capabilities: await readCapabilities(answer.body) };
  };
  return http.exchange({ url, method: "GET", headers: protocol, authorization: secret }, read, options);
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
      const authorization = access.authorized ? await deps.authorization?.(deps.repository.href, options) : undefined;
      const readAnswer = (answer: HttpAnswer) => {
        if (answer.location !== undefined) throw refusedRedirect(repository, "in the middle of a fetch");
        checkContent(repository, answer.contentType, `application/x-${service}-result`);
        return read(answer.body);
      };
      return deps.http.exchange(
        { url: serviceUrl(repository, service), method: "POST", headers, body, authorization },
        readAnswer,
        options,
      );
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
  const upgraded = from.protocol === "http:" && to.protocol === "https:" && to.hostname === from.hostname;
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
