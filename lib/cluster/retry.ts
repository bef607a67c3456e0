/** At most this many tries of one request. */
const maxAttempts = 4;

const baseDelayMs = 250;
const maxDelayMs = 10_000;
const maxRetryAfterMs = 30_000;

export interface RetryAfter {
  /** Number of the try that failed, from 1. */
  readonly attempt: number;
  /** HTTP status; undefined when no answer came. */
  readonly status?: number;
  /** The `Retry-After` header; undefined when absent. */
  readonly retryAfter?: string | undefined;
  /** In [0, 1). */
  readonly random: number;
}

/** Milliseconds to wait before the next try of an idempotent request; undefined when it shall not be tried again. */
export function retryDelay({ attempt, status, retryAfter, random }: RetryAfter): number | undefined {
  if (attempt >= maxAttempts) return undefined;
  if (status !== undefined && status !== 429 && (status < 502 || status > 504)) return undefined;
  const jittered = Math.round(Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1)) * (0.5 + random / 2));
  const asked = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0;
  return asked === 0 ? jittered : Math.min(asked, maxRetryAfterMs) + jittered;
}

const transient = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/** True for a broken or refused connection, which a later try may not meet; false for DNS and TLS faults. */
export function isTransientFailure(error: unknown): boolean {
  return transient.has(codeOf(error));
}

const certificate =
  /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO$)/;

/** True when the server was reached and its certificate, or ours, was not accepted. */
export function isTlsFailure(error: unknown): boolean {
  return certificate.test(codeOf(error));
}

/** Node's error code (`ECONNRESET`); "" when there is none. */
export function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : "";
}
