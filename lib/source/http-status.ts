import { DriftlessError } from "../errors.ts";

export interface RefusedAnswer {
  readonly url: URL;
  readonly status: number;
  /** True when the request carried credentials. */
  readonly authorized: boolean;
  /** Seconds that the answer asks to wait, as `askedWait` reads them. */
  readonly waitSeconds: number | undefined;
}

/** The `source` error for an HTTP status: what it means and what to check. */
export function statusError(answer: RefusedAnswer): DriftlessError {
  const { url, status, authorized, waitSeconds } = answer;
  const repository = repositoryOf(url);
  return new DriftlessError(
    "source",
    `${repository} answered ${status}: ${meaning(status, { authorized, wait: waitSeconds !== undefined })}`,
    { retryable: mayPass(answer), facts: { repository, ...statusFacts(answer) } },
  );
}

/** True for what the same request may not meet again: limits, and faults of the server itself. */
export function mayPass({ status, waitSeconds }: Pick<RefusedAnswer, "status" | "waitSeconds">): boolean {
  return status === 429 || status >= 500 || status === 408 || (status === 403 && waitSeconds !== undefined);
}

/** `status`, and `retryAfterSeconds` where the answer asks for a wait: the queue puts the work off by it. */
export function statusFacts({ status, waitSeconds }: Pick<RefusedAnswer, "status" | "waitSeconds">): Record<string, number> {
  return { status, ...(waitSeconds === undefined ? {} : { retryAfterSeconds: waitSeconds }) };
}

/** A URL as messages show it: no user information, no query, no service path. */
export function repositoryOf(url: URL): string {
  return `${url.origin}${url.pathname}`.replace(/\/(?:info\/refs|git-upload-pack)$/, "");
}

function meaning(status: number, { authorized, wait }: { readonly authorized: boolean; readonly wait: boolean }): string {
  if (status === 401 && authorized) {
    return "the credentials are not accepted; check that the token is neither expired nor revoked and is meant for this host";
  }
  if (status === 401)
    return "it asks for credentials and none are configured; give read access, or check the URL if the repository should be public";
  if (status === 403 && wait) return "the rate limit is reached";
  if (status === 403) return "access is refused; check that the credentials may read the contents of this repository";
  if (status === 404) {
    const hidden = authorized ? "the credentials may not see it" : "it is private (hosts hide private repositories so)";
    return `there is no such repository, or ${hidden}; check the URL and who may read it`;
  }
  if (status === 429) return "too many requests";
  if (status >= 500) return "the server failed";
  return "this is no answer of a Git server; check the URL";
}
