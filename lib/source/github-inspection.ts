import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import type { Clock } from "../telemetry/clock.ts";
import { createGithubApi } from "./github-api.ts";
import { gitHostOf, namedBy } from "./github-app.ts";
import type { GithubCredentialsReader } from "./github-credentials.ts";
import { type AppCalls, createAppCalls, installationPath } from "./github-installation.ts";
import { createHttpClient } from "./http.ts";

/** Rights by name, as GitHub writes them: `{contents: "read"}`. */
export type Permissions = Readonly<Record<string, string>>;

/** What GitHub tells of an App. */
export interface AppFacts {
  readonly appId: string;
  readonly name: string;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  /** Where its webhook goes; "" for none. */
  readonly hookUrl: string;
}

/** Whether the App can read a repository: `elsewhere` is one of another host, which needs no App. */
export type Reach =
  | { readonly state: "reached"; readonly permissions: Permissions }
  | { readonly state: "elsewhere" | "not-installed" | "moved" }
  | { readonly state: "suspended"; readonly since: string };

/** Looks at what GitHub lets Driftless do; reads nothing but that. */
export interface GithubInspector {
  /** Undefined for a token, of which GitHub tells nothing. Throws `config` for credentials that are malformed, `source` when GitHub refuses. */
  app(options?: CallOptions): Promise<AppFacts | undefined>;
  reach(repository: string, options?: CallOptions): Promise<Reach>;
}

export interface GithubInspectorDeps {
  readonly apiUrl: string;
  readonly credentials: GithubCredentialsReader;
  readonly clock: Clock;
}

export function createGithubInspector({ apiUrl, credentials, clock }: GithubInspectorDeps): GithubInspector {
  const api = createGithubApi({ url: apiUrl, http: createHttpClient({ clock, timeoutMs: 10_000 }), clock });

  async function callsOf(): Promise<{ readonly calls: AppCalls; readonly appId: string } | undefined> {
    const known = await credentials.get();
    return known.kind === "token" ? undefined : { calls: createAppCalls({ api, app: known }), appId: known.appId };
  }

  return {
    async app(options) {
      const opened = await callsOf();
      if (opened === undefined) return undefined;
      const app = (await opened.calls.read("/app", options)).body ?? {};
      const hook = await hookOf(opened.calls, options);
      return {
        appId: opened.appId,
        name: textOf(app["slug"]) || textOf(app["name"]) || opened.appId,
        permissions: permissionsOf(app["permissions"]),
        events: Array.isArray(app["events"]) ? app["events"].map(textOf) : [],
        hookUrl: textOf(hook["url"]),
      };
    },
    async reach(repository, options) {
      const url = URL.parse(repository);
      if (url === null || url.host !== gitHostOf(apiUrl)) return { state: "elsewhere" };
      const opened = await callsOf();
      if (opened === undefined) return { state: "elsewhere" };
      try {
        const { body } = await opened.calls.read(installationPath(namedBy(url)), options);
        if (body === undefined) return { state: "moved" };
        const since = body["suspended_at"];
        if (typeof since === "string") return { state: "suspended", since };
        return { state: "reached", permissions: permissionsOf(body["permissions"]) };
      } catch (error) {
        if (isDriftlessError(error, "source") && error.facts["status"] === 404) return { state: "not-installed" };
        throw error;
      }
    },
  };
}

/** An App without a webhook has no configuration of one. */
async function hookOf(calls: AppCalls, options: CallOptions | undefined): Promise<JsonObject> {
  try {
    return (await calls.read("/app/hook/config", options)).body ?? {};
  } catch (error) {
    if (isDriftlessError(error, "source") && error.facts["status"] === 404) return {};
    throw error;
  }
}

function permissionsOf(value: JsonValue | undefined): Permissions {
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([name, level]) => [name, textOf(level)])) : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
