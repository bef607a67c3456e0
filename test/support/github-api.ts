import { type KeyObject, randomBytes, verify } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, sendJson } from "../../cli/local/loopback.ts";
import { type Clock, systemClock } from "../../lib/telemetry/clock.ts";
import { type AppPage, answerApp, convertManifest } from "./github-manifest.ts";

/** One request of the API as it came. */
export interface ApiRequest {
  readonly method: string;
  /** Below `/api/v3`. */
  readonly path: string;
  readonly authorization: string;
  readonly body: unknown;
}

/** An answer instead of the usual one. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Permissions = Readonly<Record<string, string>>;

export interface Installation {
  readonly id: number;
  readonly owner: string;
  readonly repositories: readonly number[] | undefined;
  readonly permissions: Permissions;
  readonly suspendedAt: string | null;
}

interface Token {
  readonly repositories: readonly number[];
  readonly permissions: Permissions;
  readonly expiresAt: number;
}

/** What the API and Git agree on. */
export interface GithubState {
  readonly clock: Clock;
  readonly root: string;
  readonly appId: string;
  publicKey: KeyObject;
  /** PEM. */
  readonly privateKey: string;
  /** Where it listens. */
  readonly url: () => string;
  readonly page: AppPage;
  readonly repositories: Map<string, { readonly id: number; readonly fullName: string; readonly isPublic: boolean }>;
  readonly moved: Map<string, string>;
  readonly installations: Map<string, Installation>;
  readonly tokens: Map<string, Token>;
  readonly requests: ApiRequest[];
  readonly gitAuthorizations: string[];
  readonly refusals: Map<"api" | "git", Refusal>;
}

/** Where the API begins, as on a GitHub Enterprise Server. */
export const apiPath = "/api/v3";
export const newId = (): number => randomBytes(4).readUInt32BE() + 1;

/** Answers every request of the API; true, since nothing else has to. */
export async function answerApi(state: GithubState, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const text = (await readBody(request, 65_536))?.toString() ?? "";
  const path = (request.url ?? "").slice(apiPath.length);
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  const { method = "GET", headers } = request;
  state.requests.push({ method, path, authorization: headers.authorization ?? "", body });
  const refusal = state.refusals.get("api");
  if (refusal !== undefined) return refuse(response, refusal);
  const [, code = ""] = /^\/app-manifests\/([^/]+)\/conversions$/.exec(path) ?? [];
  if (method === "POST" && code !== "") return convertManifest(state, code, response);
  if (!isSignedByApp(state, headers.authorization ?? "")) return fail(response, 401, "A JSON web token could not be decoded");
  if (answerApp(state, { method, path, body }, response)) return true;
  const [, owner = "", name = ""] = /^\/repos\/([^/]+)\/([^/]+)\/installation$/.exec(path) ?? [];
  if (method === "GET" && name !== "") return tellInstallation(state, response, `${owner}/${name}`);
  const [, id = ""] = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path) ?? [];
  if (method === "POST" && id !== "") return giveToken(state, response, { id: Number(id), body: body ?? {} });
  return fail(response, 404, "Not Found");
}

/** The App's JSON web token: its own signature, its own id, at most ten minutes. */
function isSignedByApp({ publicKey, appId }: GithubState, authorization: string): boolean {
  const [head = "", payload = "", signature = ""] = authorization.replace(/^bearer /i, "").split(".");
  const holds = verify("sha256", Buffer.from(`${head}.${payload}`), publicKey, Buffer.from(signature, "base64url"));
  if (!holds) return false;
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<"iat" | "exp", number> & { iss: unknown };
  const now = systemClock.now().getTime() / 1000;
  return String(claims.iss) === appId && claims.iat <= now && claims.exp > now && claims.exp <= now + 600;
}

function tellInstallation(state: GithubState, response: ServerResponse, fullName: string): boolean {
  const newName = state.moved.get(fullName.toLowerCase());
  if (newName !== undefined) {
    const { id } = state.repositories.get(newName.toLowerCase()) ?? {};
    response.writeHead(301, { location: `${apiPath}/repositories/${id}/installation` }).end();
    return true;
  }
  const repository = state.repositories.get(fullName.toLowerCase());
  const installation = state.installations.get(fullName.split("/")[0]?.toLowerCase() ?? "");
  if (repository === undefined || installation === undefined || !reaches(installation, repository.id))
    return fail(response, 404, "Not Found");
  const { id, owner, suspendedAt, permissions } = installation;
  sendJson(response, 200, { id, account: { login: owner }, suspended_at: suspendedAt, permissions });
  return true;
}

function reaches({ repositories }: Installation, id: number): boolean {
  return repositories === undefined || repositories.includes(id);
}

interface TokenRequest {
  readonly repository_ids?: readonly number[];
  readonly repositories?: readonly string[];
  readonly permissions?: Permissions;
}

function giveToken(
  state: GithubState,
  response: ServerResponse,
  { id, body }: { readonly id: number; readonly body: TokenRequest },
): boolean {
  const installation = [...state.installations.values()].find((one) => one.id === id);
  if (installation === undefined) return fail(response, 404, "Not Found");
  if (installation.suspendedAt !== null) return fail(response, 403, "This installation has been suspended");
  const own = [...state.repositories.values()].filter(
    (one) => one.fullName.split("/")[0]?.toLowerCase() === installation.owner.toLowerCase() && reaches(installation, one.id),
  );
  const names = body.repositories?.map((name) => `${installation.owner}/${name}`.toLowerCase());
  const asked = own.filter((one) => body.repository_ids?.includes(one.id) ?? names?.includes(one.fullName.toLowerCase()) ?? true);
  const wanted = body.repository_ids?.length ?? names?.length ?? own.length;
  const permissions = body.permissions ?? installation.permissions;
  const isGranted = Object.entries(permissions).every(([name, level]) =>
    (level === "read" ? ["read", "write"] : ["write"]).includes(installation.permissions[name] ?? ""),
  );
  if (asked.length !== wanted || !isGranted) return fail(response, 422, "There is at least one repository that does not exist");
  const part = (): string => randomBytes(60).toString("base64url");
  const token = `ghs_${state.appId}_${part()}.${part()}.${part()}`;
  const expiresAt = Math.floor(state.clock.now().getTime() / 1000) * 1000 + 3_600_000;
  state.tokens.set(token, { repositories: asked.map((one) => one.id), permissions, expiresAt });
  sendJson(response, 201, {
    token,
    expires_at: new Date(expiresAt).toISOString(),
    permissions: { ...permissions, metadata: "read" },
    repository_selection: "selected",
    repositories: asked.map(({ id: number, fullName }) => ({ id: number, name: fullName.split("/")[1], full_name: fullName })),
  });
  return true;
}

export function refuse(response: ServerResponse, { status, headers = {}, body = "" }: Refusal): boolean {
  response.writeHead(status, { "content-type": "text/plain", ...headers }).end(body);
  return true;
}

function fail(response: ServerResponse, status: number, message: string): boolean {
  sendJson(response, status, { message, documentation_url: "https://docs.github.com/rest" });
  return true;
}
