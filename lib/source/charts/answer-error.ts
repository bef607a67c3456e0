import { DriftlessError } from "../../errors.ts";
import { mayPass, statusFacts } from "../http-status.ts";
import { shown, type WebAnswer } from "./web.ts";

export interface Access {
  /** True when credentials were shown, or a token got with them. */
  readonly authorized: boolean;
  /** The host whose credentials count here. */
  readonly host: string;
}

/** The `source` error for an answer other than 2xx: what it means and what to check. */
export function answerError(answer: WebAnswer, access: Access): DriftlessError {
  const { status, url, waitSeconds } = answer;
  const reason = status === 403 && waitSeconds !== undefined ? "the rate limit is reached" : meaning(status, access);
  return new DriftlessError("source", `${shown(url)} answered ${status}: ${reason}`, {
    retryable: mayPass(answer),
    facts: { ...statusFacts(answer) },
  });
}

function meaning(status: number, { authorized, host }: Access): string {
  if (status === 401 && authorized)
    return `the credentials for ${host} are not accepted; check that they are neither expired nor revoked`;
  if (status === 403 && authorized) return `access is refused; check that the credentials for ${host} may read this chart`;
  if (status === 401 || status === 403)
    return `it is not public or does not exist, and no credentials are configured for ${host}; check the name or give read access`;
  if (status === 404) return "it does not exist, or its reader may not see it; check the repository's URL and the chart's name";
  if (status === 429) return "too many requests";
  if (status >= 500) return "the server failed";
  return "this is no answer of a chart repository; check the URL";
}
