import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseSecretObject } from "../../lib/aws/secrets-manager.ts";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startLoopback } from "../local/loopback.ts";

export interface AppRequest {
  /** `https://github.com`, or that of a GitHub Enterprise Server. */
  readonly githubUrl: string;
  readonly apiUrl: string;
  /** Account that owns the App; "" for the user who is signed in. */
  readonly organization: string;
  /** Unique on all of GitHub. */
  readonly name: string;
  /** Where deliveries go. */
  readonly webhook: string;
}

/** A GitHub App that was just made. */
export interface CreatedApp {
  readonly appId: string;
  /** Page of the App: `https://github.com/apps/SLUG`. */
  readonly page: string;
  readonly privateKey: Secret;
}

/** What GitHub is asked for: to read contents, to write checks, to be told of pushes, and nothing else. https://docs.github.com/apps */
function appManifest({ name, webhook }: Pick<AppRequest, "name" | "webhook">, redirectUrl: string): JsonObject {
  return {
    name,
    url: "https://github.com/apps",
    description: "Driftless: deploys this account's repositories to Kubernetes",
    public: false,
    hook_attributes: { url: webhook, active: true },
    redirect_url: redirectUrl,
    default_permissions: { contents: "read", checks: "write", metadata: "read" },
    default_events: ["push"],
  };
}

/** Minutes that somebody has to press the button; GitHub's code lasts an hour. */
const patienceMs = 15 * 60_000;

/**
 * Serves a page on this machine that hands the manifest to GitHub; GitHub sends the browser back with a code, which is redeemed for the
 * App's key. `say` is told where the page is. Throws `config` when nobody came, or GitHub refused.
 */
export async function createApp(
  request: AppRequest,
  { say, waitMs = patienceMs }: { readonly say: (line: string) => void; readonly waitMs?: number },
): Promise<CreatedApp> {
  const state = randomBytes(16).toString("hex");
  const { promise: code, resolve, reject } = Promise.withResolvers<string>();
  code.catch(() => undefined);
  const respond = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(incoming.url ?? "/", server.url);
    if (url.pathname === "/") return sendPage(response, 200, formPage(request, { state, redirectUrl: `${server.url}/created` }));
    const given = url.searchParams.get("code") ?? "";
    // Whoever does not know the state was not sent by this page.
    if (url.pathname !== "/created" || url.searchParams.get("state") !== state || !/^[\w-]{1,200}$/.test(given))
      return sendPage(response, 404, "<p>There is nothing here.</p>");
    sendPage(response, 200, "<p>The App is made. Go back to the terminal.</p>");
    resolve(given);
  };
  const server = await startLoopback(respond);
  const timer = setTimeout(() => reject(new DriftlessError("config", "nobody made the App: run the command again")), waitMs);
  try {
    say(`open ${server.url}/ in a browser on this machine, and press the button: GitHub then shows what the App may do`);
    return await redeem(request.apiUrl, await code);
  } finally {
    clearTimeout(timer);
    await server.close({ graceMs: 500 });
  }
}

async function redeem(apiUrl: string, code: string): Promise<CreatedApp> {
  const url = `${apiUrl}/app-manifests/${code}/conversions`;
  const headers = { accept: "application/vnd.github+json", "user-agent": "driftless", "x-github-api-version": "2022-11-28" };
  try {
    const answer = await fetch(url, { method: "POST", headers, signal: AbortSignal.timeout(20_000) });
    const text = await answer.text();
    if (answer.status !== 201) throw new Error(`GitHub answered ${answer.status}`);
    // A parser's own words would quote the key.
    const { id, pem, html_url: page } = parseSecretObject(text) ?? {};
    if (typeof id !== "number" || typeof pem !== "string" || typeof page !== "string") throw new Error("its answer holds no App");
    return { appId: String(id), page, privateKey: new Secret(pem) };
  } catch (cause) {
    const advice = "delete the App in GitHub's settings if it is there, and run the command again";
    throw new DriftlessError("config", `the App's key was not given: ${messageOf(cause)}; ${advice}`, { cause });
  }
}

function sendPage(response: ServerResponse, status: number, body: string): void {
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store", "referrer-policy": "no-referrer" };
  response.writeHead(status, headers).end(`<!doctype html><meta charset="utf-8"><title>Driftless</title>${body}`);
}

function formPage(request: AppRequest, { state, redirectUrl }: { readonly state: string; readonly redirectUrl: string }): string {
  const { githubUrl, organization } = request;
  const owner = organization === "" ? "" : `/organizations/${encodeURIComponent(organization)}`;
  const action = `${githubUrl}${owner}/settings/apps/new?state=${state}`;
  const manifest = JSON.stringify(appManifest(request, redirectUrl));
  return (
    `<form method="post" action="${escaped(action)}"><input type="hidden" name="manifest" value="${escaped(manifest)}">` +
    `<p>Makes the GitHub App <b>${escaped(request.name)}</b>: it reads contents, writes checks, and is told of pushes.</p>` +
    '<button type="submit">Make it at GitHub</button></form>'
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
