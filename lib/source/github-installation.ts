import { createAppAuth, type StrategyOptions } from "@octokit/auth-app";
import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import { Secret } from "../telemetry/secret.ts";
import type { GithubAnswer, GithubApi } from "./github-api.ts";
import type { GithubCredentials } from "./github-credentials.ts";

export type GithubApp = Extract<GithubCredentials, { readonly kind: "app" }>;

/** Where an App was let in: on the account that owns a repository. */
export interface Installation {
  readonly id: number;
  /** Login of the account. */
  readonly owner: string;
}

export interface InstallationToken {
  readonly token: Secret;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Numeric id and name of the one repository that the token opens, as GitHub tells them. */
  readonly repositoryId: number;
  readonly repositoryName: string;
}

/** The calls that a GitHub App makes as itself. */
export interface AppCalls {
  /** GETs a path of the API: `/app`. */
  read(path: string, options?: CallOptions): Promise<GithubAnswer>;
  /** `moved` when GitHub knows the repository by another name. */
  findInstallation(repository: {
    readonly owner: string;
    readonly name: string;
  }): Promise<Installation | { readonly moved: string }>;
  /** A token that reads the contents of one repository, by its id where that is known, and nothing else. */
  makeToken(
    installation: Installation,
    repository: { readonly id: number } | { readonly name: string },
  ): Promise<InstallationToken>;
}

/** Where the API tells of the installation that reaches a repository. */
export function installationPath({ owner, name }: { readonly owner: string; readonly name: string }): string {
  return `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}/installation`;
}

/** All that a token may do. */
const permissions = { contents: "read" } as const;

/** Signs requests with `@octokit/auth-app`; they go over `api`, so that deadlines, limits and errors are those of every source. */
export function createAppCalls({ api, app }: { readonly api: GithubApi; readonly app: GithubApp }): AppCalls {
  const auth = createAppAuth({
    appId: app.appId,
    privateKey: app.privateKey.reveal(),
    request: requestOver(api),
    // Tokens are kept by who asks for them: by the clock, and as secrets.
    cache: { get: () => "", set: () => undefined },
  });
  const read: AppCalls["read"] = async (path, options) => {
    const { token } = await signed(app, () => auth({ type: "app" }));
    return api.send({ method: "GET", path, authorization: new Secret(`Bearer ${token}`) }, options);
  };
  return {
    read,
    async findInstallation({ owner, name }) {
      const answer = await read(installationPath({ owner, name }));
      return answer.body === undefined ? answer : installationOf(answer.body, { app });
    },
    async makeToken(installation, repository) {
      const narrowed = "id" in repository ? { repositoryIds: [repository.id] } : { repositoryNames: [repository.name] };
      const made = await signed(app, () =>
        auth({ type: "installation", installationId: installation.id, ...narrowed, permissions }),
      );
      const [repositoryId] = made.repositoryIds ?? [];
      const [repositoryName] = made.repositoryNames ?? [];
      const expiresAt = Date.parse(made.expiresAt);
      const isOne = made.repositoryIds?.length === 1 && Number.isSafeInteger(repositoryId) && typeof repositoryName === "string";
      if (!isOne || Number.isNaN(expiresAt) || !/^[\x21-\x7e]+$/.test(made.token)) {
        throw new DriftlessError("source", "GitHub's token is not for the one repository that it was asked for; it is not used");
      }
      return { token: new Secret(made.token), expiresAt, repositoryId: Number(repositoryId), repositoryName };
    },
  };
}

/** Errors of the API pass; what else is thrown comes of signing with the key, and tells nothing of it. */
async function signed<T>(app: GithubApp, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isDriftlessError(error)) throw error;
    throw new DriftlessError("config", `no request could be signed for the GitHub App ${app.appId}: ${messageOf(error)}`);
  }
}

function installationOf(body: JsonObject, { app }: { readonly app: GithubApp }): Installation {
  const { id, account, suspended_at: suspendedAt } = body;
  const owner = isJsonObject(account) ? account["login"] : undefined;
  if (typeof id !== "number" || typeof owner !== "string")
    throw new DriftlessError("source", "GitHub's answer tells no installation; is DRIFTLESS_GITHUB_API_URL right?");
  if (typeof suspendedAt === "string") {
    throw new DriftlessError(
      "source",
      `the GitHub App ${app.appId} is suspended on ${owner} since ${suspendedAt}: unsuspend its installation in GitHub`,
    );
  }
  return { id, owner };
}

type AuthRequest = NonNullable<StrategyOptions["request"]>;

/** What `@octokit/auth-app` calls to ask for a token: a route with one `{parameter}`, and the body among the parameters. */
function requestOver(api: GithubApi): AuthRequest {
  const send = async (route: string, parameters: TokenParameters): Promise<{ readonly data: JsonObject }> => {
    const { installation_id: id, headers, mediaType: _unused, ...body } = parameters;
    const [method, template = ""] = route.split(" ");
    if (method !== "POST") throw new DriftlessError("source", `unexpected request ${route}`);
    const path = template.replace("{installation_id}", String(id));
    const authorization = new Secret(headers.authorization);
    const answer: GithubAnswer = await api.send({ method, path, authorization, body: body as JsonObject });
    if (answer.body === undefined) throw new DriftlessError("source", `GitHub's API at ${api.url} redirects; that is refused`);
    return { data: answer.body };
  };
  return send as unknown as AuthRequest;
}

interface TokenParameters {
  readonly installation_id: number;
  readonly headers: { readonly authorization: string };
  readonly [name: string]: unknown;
}
