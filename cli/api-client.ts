import { DriftlessError, messageOf } from "../lib/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from "../lib/model/json.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { operatorCredentials } from "./aws/credentials.ts";
import { explainRefusal, guardedApi, signedHeaders } from "./aws/signed-request.ts";
import type { Invocation } from "./command.ts";
import { readRunning } from "./local/running.ts";

/** A little over what the API itself may take: a plan asks the cluster. */
const timeoutMs = 35_000;

export type Caller = Pick<Invocation, "api" | "region" | "environment">;

/** GETs a path of the API and returns its JSON, which the caller knows the shape of. Throws `config` when no API is known. */
export function fetchApi<T>(path: string, caller: Caller): Promise<T> {
  return ask<T>({ method: "GET", path, body: "" }, caller);
}

/** POSTs to a path of the API, as `fetchApi`; what the API refuses is thrown in its own words. */
export function postApi<T>(path: string, body: JsonValue, caller: Caller): Promise<T> {
  return ask<T>({ method: "POST", path, body: stringifyJson(body) }, caller);
}

/** Where the API is, without a slash at the end; undefined when none is known here. */
export async function apiBase({ api, environment }: Caller): Promise<string | undefined> {
  const named = api ?? environment["DRIFTLESS_API"];
  const base = named === undefined || named === "" ? (await readRunning(environment))?.api : named;
  return base?.replace(/\/+$/, "");
}

interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: string;
}

async function ask<T>({ method, path, body }: Request, caller: Caller): Promise<T> {
  const base = await apiBase(caller);
  if (base === undefined) {
    throw new DriftlessError(
      "config",
      "no Driftless is known here: start one with `npm start`, or name one with --api URL or DRIFTLESS_API",
    );
  }
  const url = URL.parse(`${base}${path}`);
  if (url === null) throw new DriftlessError("config", `${base} is no URL: --api and DRIFTLESS_API are such as https://HOST/api`);
  const api = guardedApi(url, caller.region ?? caller.environment["DRIFTLESS_API_REGION"]);
  const plain = method === "POST" ? { "content-type": "application/json" } : {};
  try {
    const headers =
      api === undefined
        ? plain
        : await signedHeaders(
            { url, method, headers: plain, body },
            { ...api, credentials: operatorCredentials(api.region), clock },
          );
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method, headers, signal, ...(method === "POST" ? { body } : {}) });
    const answer = parseJson(await response.text());
    if (response.ok) return answer as T;
    throw refusal(response, { url, method, api, answer: isJsonObject(answer) ? answer : {} });
  } catch (cause) {
    if (cause instanceof DriftlessError) throw cause;
    throw new DriftlessError("config", `${url.href} did not answer as the API of Driftless does: ${whyOf(cause)}`, { cause });
  }
}

/** What lies under "fetch failed", such as a refused connection. */
function whyOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error && cause.message !== "" ? cause.message : messageOf(error);
}

/** `error` is the API's own word, `message` that of the gateway before it. */
function refusal(
  { status, headers }: Response,
  { url, method, api, answer }: Pick<Parameters<typeof explainRefusal>[0], "url" | "method" | "api"> & { answer: JsonObject },
): DriftlessError {
  const { error, message } = answer;
  const said = typeof message === "string" ? message : "";
  const own = typeof error === "string" ? error : undefined;
  if (own === undefined && status === 403) {
    const facts = { url, method, api, message: said, date: headers.get("date") ?? "", now: clock.now() };
    return new DriftlessError("config", explainRefusal(facts), { facts: { status } });
  }
  const text = own ?? `${url.href} answered ${status}${said === "" ? "" : `: ${said}`}`;
  return new DriftlessError(status === 404 ? "not-found" : "config", text, { facts: { status } });
}
