import { DriftlessError, messageOf } from "../lib/errors.ts";
import { type JsonValue, parseJson, stringifyJson } from "../lib/model/json.ts";
import type { Invocation } from "./command.ts";
import { readRunning } from "./local/running.ts";

/** A little over what the API itself may take: a plan asks the cluster. */
const timeoutMs = 35_000;

type Caller = Pick<Invocation, "api" | "environment">;

/** GETs a path of the API and returns its JSON, which the caller knows the shape of. Throws `config` when no API is known. */
export function fetchApi<T>(path: string, caller: Caller): Promise<T> {
  return ask<T>(path, {}, caller);
}

/** POSTs to a path of the API, as `fetchApi`; what the API refuses is thrown in its own words. */
export function postApi<T>(path: string, body: JsonValue, caller: Caller): Promise<T> {
  return ask<T>(path, { method: "POST", headers: { "content-type": "application/json" }, body: stringifyJson(body) }, caller);
}

async function ask<T>(path: string, init: RequestInit, { api, environment }: Caller): Promise<T> {
  const base = api ?? environment["DRIFTLESS_API"] ?? (await readRunning(environment))?.api;
  if (base === undefined) {
    throw new DriftlessError(
      "config",
      "no Driftless is known here: start one with `npm start`, or name one with --api URL or DRIFTLESS_API",
    );
  }
  const url = `${base.replace(/\/$/, "")}${path}`;
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    const body = parseJson(await response.text()) as { readonly error?: string };
    if (response.ok) return body as T;
    throw new DriftlessError(
      response.status === 404 ? "not-found" : "config",
      body.error ?? `${url} answered ${response.status}`,
    );
  } catch (cause) {
    if (cause instanceof DriftlessError) throw cause;
    throw new DriftlessError("config", `${url} did not answer as the API of Driftless does: ${messageOf(cause)}`, { cause });
  }
}
