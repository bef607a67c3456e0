import { redact } from "./telemetry/redact.ts";

/**
 * What went wrong, as a closed set: callers branch on the code, never on the message.
 *
 * - `config`    driftless.yaml or the environment is wrong (has file, line and column where known)
 * - `source`    a Git repository could not be read, or holds something that is refused
 * - `render`    the files of an application do not give valid objects
 * - `cluster`   the API server could not be reached, or refused the identity
 * - `apply`     the API server refused one object
 * - `refused`   a project does not allow it
 * - `lease`     another run holds the application, or took it over
 * - `store`     the table refused or could not be reached
 * - `queue`     the queue refused or could not be reached
 * - `webhook`   a delivery is forged, malformed or too large
 * - `not-found` the thing asked for does not exist
 */
export type ErrorCode =
  | "config"
  | "source"
  | "render"
  | "cluster"
  | "apply"
  | "refused"
  | "lease"
  | "store"
  | "queue"
  | "webhook"
  | "not-found";

export interface DriftlessErrorOptions {
  readonly cause?: unknown;
  /** True when the same call may succeed later, unchanged. Default false. */
  readonly retryable?: boolean;
  /** Facts for the log and for callers that branch; never a secret. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** The one error class of Driftless. */
export class DriftlessError extends Error {
  override readonly name = "DriftlessError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly facts: Readonly<Record<string, string | number | boolean>>;

  constructor(code: ErrorCode, message: string, options: DriftlessErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.facts = options.facts ?? {};
  }
}

/** True for an error of Driftless with one of these codes (any code when none is named). */
export function isDriftlessError(error: unknown, ...codes: readonly ErrorCode[]): error is DriftlessError {
  return error instanceof DriftlessError && (codes.length === 0 || codes.includes(error.code));
}

/** The text of anything thrown, for a row, an answer or a log line: what looks like a credential is left out. */
export function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error));
}
