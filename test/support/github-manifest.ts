import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, sendJson } from "../../cli/local/loopback.ts";
import type { GithubState } from "./github-api.ts";

/** What the App says of itself, and how it was made. */
export interface AppPage {
  permissions: Readonly<Record<string, string>>;
  events: readonly string[];
  hook: { url: string; secret: string; content_type: string };
  /** Manifests that were posted, oldest first. */
  readonly manifests: Record<string, unknown>[];
  /** Codes that were given and not used yet. */
  readonly codes: Set<string>;
}

export function newAppPage(): AppPage {
  const hook = { url: "", secret: "", content_type: "json" };
  return { permissions: { contents: "read", metadata: "read" }, events: ["push"], hook, manifests: [], codes: new Set() };
}

/** The page that takes a manifest, at the place for a user or for an organisation; true when it was asked for. */
export async function takeManifest(page: AppPage, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = new URL(request.url ?? "/", "http://github");
  if (!/^(?:\/organizations\/[\w-]+)?\/settings\/apps\/new$/.test(url.pathname) || request.method !== "POST") return false;
  const form = new URLSearchParams((await readBody(request, 65_536))?.toString() ?? "");
  const manifest = JSON.parse(form.get("manifest") ?? "{}") as Record<string, unknown>;
  const code = randomBytes(10).toString("hex");
  page.manifests.push({ ...manifest, postedTo: url.pathname });
  page.codes.add(code);
  const back = new URL(String(manifest["redirect_url"]));
  back.searchParams.set("code", code);
  back.searchParams.set("state", url.searchParams.get("state") ?? "");
  response.writeHead(302, { location: back.href }).end();
  return true;
}

/** Gives the new App's key for a code, once. */
export function convertManifest(
  { page, appId, privateKey, url }: Pick<GithubState, "page" | "appId" | "privateKey" | "url">,
  code: string,
  response: ServerResponse,
): boolean {
  const manifest = page.manifests.at(-1);
  if (!page.codes.delete(code) || manifest === undefined) {
    sendJson(response, 404, { message: "Not Found" });
    return true;
  }
  page.permissions = manifest["default_permissions"] as AppPage["permissions"];
  page.events = manifest["default_events"] as readonly string[];
  page.hook = { url: (manifest["hook_attributes"] as { url: string }).url, secret: "githubs-own", content_type: "json" };
  sendJson(response, 201, {
    id: Number(appId),
    slug: "driftless-acme",
    name: manifest["name"],
    html_url: `${url()}/apps/driftless-acme`,
    client_secret: "the-client-secret",
    webhook_secret: "githubs-own",
    pem: privateKey,
  });
  return true;
}

/** What the App may ask about itself; true when it was asked for. */
export function answerApp(
  { page, appId }: Pick<GithubState, "page" | "appId">,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: unknown },
  response: ServerResponse,
): boolean {
  if (method === "GET" && path === "/app") {
    sendJson(response, 200, { id: Number(appId), slug: "driftless-acme", permissions: page.permissions, events: page.events });
    return true;
  }
  if (path !== "/app/hook/config") return false;
  if (method === "PATCH") Object.assign(page.hook, body);
  if (page.hook.url === "") sendJson(response, 404, { message: "Not Found" });
  else sendJson(response, 200, { ...page.hook, secret: "********", insecure_ssl: "0" });
  return true;
}
