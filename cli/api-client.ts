import { DriftlessError, messageOf } from "../lib/errors.ts";
import { parseJson } from "../lib/model/json.ts";
import type { Invocation } from "./command.ts";
import { readRunning } from "./local/running.ts";

const timeoutMs = 15_000;

/** GETs a path of the API and returns its JSON, which the caller knows the shape of. Throws `config` when no API is known. */
export async function fetchApi<T>(path: string, { api, environment }: Pick<Invocation, "api" | "environment">): Promise<T> {
  const base = api ?? environment["DRIFTLESS_API"] ?? (await readRunning(environment))?.api;
  if (base === undefined) {
    throw new DriftlessError(
      "config",
      "no Driftless is known here: start one with `npm start`, or name one with --api URL or DRIFTLESS_API",
    );
  }
  const url = `${base.replace(/\/$/, "")}${path}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
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
