import { DriftlessError } from "../errors.ts";

export interface RefusedAnswer {
  readonly url: URL;
  readonly status: number;
  /** True when the request carried credentials. */
  readonly authorized: boolean;
  /** The header as it came: seconds or an HTTP date. */
  readonly retryAfter: string | undefined;
  readonly now: Date;
}

/** The `source` error for an HTTP status: what it means and what to check. */
export function statusError({ url, status, authorized, retryAfter, now }: RefusedAnswer): DriftlessError {
  const seconds = retryAfterSeconds(retryAfter, now);
  const repository = repositoryOf(url);
  return new DriftlessError(
    "source",
    `${repository} answered ${status}: ${meaning(status, { authorized, wait: seconds !== undefined })}`,
    {
      retryable: status === 429 || status >= 500 || status === 408 || (status === 403 && seconds !== undefined),
      facts: { repository, status, ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }) },
    },
  );
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

function retryAfterSeconds(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}
