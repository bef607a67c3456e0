import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { rename } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import {
  type CreatedRepository,
  type GitServerOptions,
  type LocalGitServer,
  startGitServer,
} from "../../cli/local/git-server.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import {
  type ApiRequest,
  answerApi,
  apiPath,
  type GithubState,
  type Installation,
  newId,
  type Permissions,
  type Refusal,
  refuse,
} from "./github-api.ts";
import { type AppPage, newAppPage, takeManifest } from "./github-manifest.ts";

export interface GithubRepository extends CreatedRepository {
  readonly id: number;
}

/** A GitHub of its own on loopback: the App's part of the API, and Git behind the tokens that it gives. */
export interface GithubStandIn {
  /** As of a GitHub Enterprise Server: `http://127.0.0.1:PORT/api/v3`. */
  readonly apiUrl: string;
  readonly server: LocalGitServer;
  readonly appId: string;
  /** PEM. */
  readonly privateKey: string;
  /** Both, as Secrets Manager holds them. */
  readonly secret: string;
  /** What the API was asked since the start. */
  readonly requests: ApiRequest[];
  /** What the App says of itself: a test changes what it breaks. */
  readonly page: AppPage;
  /** Every Authorization header that a Git request carried; "" for none. */
  readonly gitAuthorizations: string[];
  /** A repository with a new id, private unless it is said to be public. */
  createRepository(fullName: string, options?: { readonly visibility?: "public" | "private" }): Promise<GithubRepository>;
  idOf(fullName: string): number | undefined;
  /** The old name leads to the new one by redirects, until a repository takes it. */
  renameRepository(from: string, to: string): Promise<void>;
  /** Lets the App in on an account, for all of its repositories or for some. */
  install(owner: string, options?: { readonly repositories?: readonly number[]; readonly permissions?: Permissions }): void;
  uninstall(owner: string): void;
  suspend(owner: string): void;
  /** Takes back every token that was given. */
  revokeTokens(): void;
  /** Makes another key for the App; the old one is good for nothing then. Returns the new PEM. */
  replaceKey(): string;
  /** Answers so from now on, to requests of one kind; undefined ends it. */
  refuse(kind: "api" | "git", refusal: Refusal | undefined): void;
  close(): Promise<void>;
}

export async function startGithub({
  root,
  clock = systemClock,
  ...options
}: Pick<GitServerOptions, "root" | "onPush"> & { readonly clock?: Clock }): Promise<GithubStandIn> {
  const first = appKey();
  const state: GithubState = {
    clock,
    root,
    appId: String(newId()),
    publicKey: first.publicKey,
    privateKey: first.privateKey,
    url: () => server.url,
    page: newAppPage(),
    repositories: new Map(),
    moved: new Map(),
    installations: new Map(),
    tokens: new Map(),
    requests: [],
    gitAuthorizations: [],
    refusals: new Map(),
  };
  const server = await startGitServer({
    ...options,
    root,
    intercept: async (request, response) =>
      request.url?.startsWith(`${apiPath}/`)
        ? answerApi(state, request, response)
        : (await takeManifest(state.page, request, response)) || guardGit(state, request, response),
  });
  const setInstallation = (owner: string, change: Partial<Installation>): void => {
    const known = state.installations.get(owner.toLowerCase());
    const permissions = { contents: "read", metadata: "read" };
    const made = { id: newId(), owner, repositories: undefined, permissions, suspendedAt: null };
    state.installations.set(owner.toLowerCase(), { ...(known ?? made), ...change });
  };
  return {
    apiUrl: `${server.url}${apiPath}`,
    server,
    appId: state.appId,
    privateKey: first.privateKey,
    secret: JSON.stringify({ appId: state.appId, privateKey: first.privateKey }),
    requests: state.requests,
    page: state.page,
    gitAuthorizations: state.gitAuthorizations,
    async createRepository(fullName, { visibility = "private" } = {}) {
      const repository = { id: newId(), fullName, isPublic: visibility === "public" };
      state.repositories.set(fullName.toLowerCase(), repository);
      state.moved.delete(fullName.toLowerCase());
      return { ...(await server.createRepository(fullName)), id: repository.id };
    },
    idOf: (fullName) => state.repositories.get(fullName.toLowerCase())?.id,
    async renameRepository(from, to) {
      const known = state.repositories.get(from.toLowerCase());
      if (known === undefined) throw new Error(`there is no ${from}`);
      await rename(join(root, `${from}.git`), join(root, `${to}.git`));
      state.repositories.delete(from.toLowerCase());
      state.repositories.set(to.toLowerCase(), { ...known, fullName: to });
      state.moved.set(from.toLowerCase(), to);
    },
    install: (owner, change = {}) => setInstallation(owner, { id: newId(), suspendedAt: null, ...change }),
    uninstall: (owner) => void state.installations.delete(owner.toLowerCase()),
    suspend: (owner) => setInstallation(owner, { suspendedAt: "2026-01-01T00:00:00Z" }),
    revokeTokens: () => state.tokens.clear(),
    replaceKey() {
      const next = appKey();
      state.publicKey = next.publicKey;
      return next.privateKey;
    },
    refuse: (kind, refusal) => void (refusal ? state.refusals.set(kind, refusal) : state.refusals.delete(kind)),
    close: () => server.close(),
  };
}

function appKey(): { readonly publicKey: KeyObject; readonly privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { publicKey, privateKey: String(privateKey.export({ type: "pkcs1", format: "pem" })) };
}

/** True when the request was answered here: refused, or sent to a new name. */
async function guardGit(state: GithubState, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  // The tests' own pushes are not what is looked at here.
  if (/git-receive-pack/.test(request.url ?? "")) return false;
  const { authorization = "" } = request.headers;
  state.gitAuthorizations.push(authorization);
  const refusal = state.refusals.get("git");
  if (refusal !== undefined) return refuse(response, refusal);
  const [, path = "", rest = ""] = /^\/([^/]+\/[^/]+?)(?:\.git)?(\/.*)$/.exec(request.url ?? "") ?? [];
  const newName = state.moved.get(path.toLowerCase());
  if (newName !== undefined) {
    response.writeHead(301, { location: `/${newName}.git${rest}` }).end();
    return true;
  }
  const repository = state.repositories.get(path.toLowerCase());
  if (repository === undefined) return refuse(response, { status: 404 });
  if (authorization === "") return repository.isPublic ? false : refuse(response, unauthorized);
  const [user, token = ""] = Buffer.from(authorization.replace(/^Basic /, ""), "base64")
    .toString()
    .split(":");
  const known = user === "x-access-token" ? state.tokens.get(token) : undefined;
  if (known === undefined || known.expiresAt <= state.clock.now().getTime()) return refuse(response, unauthorized);
  const mayRead = known.repositories.includes(repository.id) && known.permissions["contents"] !== undefined;
  return repository.isPublic || mayRead ? false : refuse(response, { status: 404 });
}

const unauthorized: Refusal = { status: 401, headers: { "www-authenticate": 'Basic realm="GitHub"' } };
