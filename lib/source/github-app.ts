import { DriftlessError, isDriftlessError } from "../errors.ts";
import { repositoryKey } from "../model/repository.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { Secret } from "../telemetry/secret.ts";
import { unlessAborted } from "./gather.ts";
import { createGithubApi } from "./github-api.ts";
import type { GithubCredentials, GithubCredentialsReader } from "./github-credentials.ts";
import {
  type AppCalls,
  createAppCalls,
  type GithubApp,
  type Installation,
  type InstallationToken,
} from "./github-installation.ts";
import { createHttpClient } from "./http.ts";
import type { Authorization } from "./remote.ts";
import { type RepositoryBindings, renamedError, replacedError } from "./repository-binding.ts";

export interface GithubAuthorizationDeps {
  /** `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. */
  readonly apiUrl: string;
  readonly credentials: GithubCredentialsReader;
  readonly bindings: RepositoryBindings;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds for one request of the API. Default 10,000. */
  readonly timeoutMs?: number;
}

/** A repository of GitHub, as its URL names it. */
export interface Named {
  readonly repository: string;
  readonly key: string;
  readonly owner: string;
  readonly name: string;
}

interface Held {
  readonly header: Secret;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A token is replaced so many milliseconds before it ends: longer than any fetch takes. */
const marginMs = 5 * 60_000;

/**
 * Credentials for the repositories of one GitHub host, and for no other host. As an App: a token for each repository,
 * which reads its contents and nothing else, kept in memory until shortly before its hour ends. The first token binds the
 * repository to its numeric id; each later one is made for that id, and refused when it goes by another name.
 */
export function createGithubAuthorization(deps: GithubAuthorizationDeps): Authorization {
  const { credentials, clock } = deps;
  const host = gitHostOf(deps.apiUrl);
  const tokenFor = createTokens(deps);
  const held = new Map<string, Held>();
  const pending = new Map<string, Promise<Secret>>();

  const renew = async (named: Named): Promise<Secret> => {
    const known = await credentials.get();
    if (known.kind === "token") return basic(known.token);
    const { token, expiresAt } = await tokenFor(named, known);
    const header = basic(token);
    held.set(named.key, { header, expiresAt });
    return header;
  };

  /** Whoever asks meanwhile shares it, so no caller's signal ends it: the timeout of each request does. */
  const renewOnce = (named: Named): Promise<Secret> => {
    const renewing = pending.get(named.key) ?? renew(named).finally(() => pending.delete(named.key));
    pending.set(named.key, renewing);
    return renewing;
  };

  return async (repository, { rejected, signal } = {}) => {
    const url = new URL(repository);
    if (url.host !== host) return undefined;
    const named = namedBy(url);
    if (rejected !== undefined) {
      if (held.get(named.key)?.header.reveal() === rejected.reveal()) held.delete(named.key);
      if ((await credentials.get()).kind === "token") await credentials.refresh();
    }
    const known = held.get(named.key);
    if (known !== undefined && known.expiresAt - marginMs > clock.now().getTime()) return known.header;
    return unlessAborted(renewOnce(named), signal);
  };
}

/** Makes tokens for repositories, each for the one that its name was bound to. */
function createTokens(deps: GithubAuthorizationDeps): (named: Named, app: GithubApp) => Promise<InstallationToken> {
  const { credentials, bindings, clock, log, timeoutMs = 10_000 } = deps;
  const api = createGithubApi({ url: deps.apiUrl, http: createHttpClient({ clock, timeoutMs }), clock });

  const tokenFor = async (named: Named, app: GithubApp): Promise<InstallationToken> => {
    const calls = createAppCalls({ api, app });
    const installation = await installationFor(named, { calls, app });
    const bound = await bindings.get(named.repository);
    const token =
      bound === undefined
        ? await reachable(calls.makeToken(installation, { name: named.name }), { named, app })
        : await boundToken(named, { calls, app, installation, bound });
    const name = `${installation.owner}/${token.repositoryName}`;
    if (name.toLowerCase() !== `${named.owner}/${named.name}`.toLowerCase())
      throw renamedError({ repository: named.repository, name, id: token.repositoryId });
    const stands = bound ?? (await bindings.bind(named.repository, token.repositoryId));
    if (stands !== token.repositoryId)
      throw replacedError({ repository: named.repository, bound: stands, found: token.repositoryId });
    const expiresAt = new Date(token.expiresAt).toISOString();
    log.debug("source.authorized", { repository: named.key, repositoryId: token.repositoryId, expiresAt });
    return token;
  };

  return async (named, app) => {
    try {
      return await tokenFor(named, app);
    } catch (error) {
      if (statusOf(error) !== 401) throw error;
      // The key may have been replaced since it was read.
      const renewed = await credentials.refresh();
      if (renewed?.kind === "app" && !isSameApp(renewed, app)) return tokenFor(named, renewed);
      throw new DriftlessError(
        "config",
        `GitHub does not accept the key of the App ${app.appId}: check appId and privateKey in the secret, and that the key was not deleted in the App's settings`,
        { cause: error },
      );
    }
  };
}

async function installationFor(
  { repository, owner, name }: Named,
  { calls, app }: { readonly calls: AppCalls; readonly app: GithubApp },
): Promise<Installation> {
  try {
    const found = await calls.findInstallation({ owner, name });
    if (!("moved" in found)) return found;
    const id = /\/repositories\/(\d{1,15})\//.exec(found.moved)?.[1];
    throw renamedError({ repository, name: undefined, id: id === undefined ? undefined : Number(id) });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    throw new DriftlessError(
      "source",
      `the GitHub App ${app.appId} is not installed for ${owner}/${name}, or there is no such repository: ` +
        "install it on that account with access to this repository (in GitHub: the App's settings, Install App), or correct the URL",
      { cause: error, facts: { repository: `${owner}/${name}`, status: 404 } },
    );
  }
}

/** By the id that the name is bound to. When that one is not to be had, the name tells whether another has taken its place. */
async function boundToken(
  named: Named,
  request: { readonly calls: AppCalls; readonly app: GithubApp; readonly installation: Installation; readonly bound: number },
): Promise<InstallationToken> {
  const { calls, app, installation, bound } = request;
  try {
    return await calls.makeToken(installation, { id: bound });
  } catch (error) {
    if (statusOf(error) !== 422) throw error;
    const { repositoryId } = await reachable(calls.makeToken(installation, { name: named.name }), { named, app });
    throw replacedError({ repository: named.repository, bound, found: repositoryId });
  }
}

/** Says what a refused token means: GitHub answers 422 for a repository or permission that the installation has not. */
async function reachable(
  made: Promise<InstallationToken>,
  { named: { owner, name }, app }: { readonly named: Named; readonly app: GithubApp },
): Promise<InstallationToken> {
  try {
    return await made;
  } catch (error) {
    const status = statusOf(error);
    const isLimit = isDriftlessError(error) && error.retryable;
    if (isLimit || (status !== 403 && status !== 404 && status !== 422)) throw error;
    throw new DriftlessError(
      "source",
      `the GitHub App ${app.appId} may not read ${owner}/${name}: let its installation reach this repository, with the permission "Contents: read"`,
      { cause: error, facts: { repository: `${owner}/${name}`, status } },
    );
  }
}

/** The host that Git is read from: the API's own, less the `api.` that it has at github.com and ghe.com. */
export function gitHostOf(apiUrl: string): string {
  return new URL(apiUrl).host.replace(/^api\./, "");
}

/** Owner and name in the URL of a repository of GitHub; throws `config` for another URL. */
export function namedBy(url: URL): Named {
  const [, owner, name] = /^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(url.pathname) ?? [];
  if (owner === undefined || name === undefined) {
    throw new DriftlessError("config", `${url.origin}${url.pathname} is no repository of GitHub: use ${url.origin}/OWNER/NAME`);
  }
  return { repository: url.href, key: repositoryKey(url.href), owner, name };
}

/** What GitHub's Git servers take a token as. */
function basic(token: Secret): Secret {
  return new Secret(`Basic ${Buffer.from(`x-access-token:${token.reveal()}`).toString("base64")}`);
}

function isSameApp(a: GithubApp, b: GithubCredentials): boolean {
  return b.kind === "app" && a.appId === b.appId && a.privateKey.reveal() === b.privateKey.reveal();
}

function statusOf(error: unknown): number | undefined {
  const status = isDriftlessError(error, "source") ? error.facts["status"] : undefined;
  return typeof status === "number" ? status : undefined;
}
