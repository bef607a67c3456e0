import { isJsonObject, type JsonObject, parseJson } from "../model/json.ts";

/** One HTTP answer of the API server, body unread. */
export interface Answer {
  readonly status: number;
  /** `Content-Type` as sent; "" when absent. */
  readonly contentType: string;
  readonly body: string;
}

/**
 * What a refusal means. One HTTP status has several meanings, and a permanent fault can come as 500:
 *
 * - `not-found`       the object, or the namespace it shall go to, does not exist
 * - `not-served`      the server has no such path: the kind is not installed, or not yet
 * - `field-conflict`  other field managers own fields that the apply sets, and it was not forced
 * - `conflict`        the object changed in between, or another object has taken the name
 * - `terminating`     the namespace is being deleted; transient
 * - `too-early`       the namespace is so new that it has no service account for pods yet; transient
 * - `expired`         the continue token or resourceVersion is too old
 * - `unauthorized`    the identity is not known
 * - `forbidden`       the identity is known, and lacks the right
 * - `invalid`         the object is wrong; the same object will be refused for ever
 * - `overloaded`      429, or a 5xx that says nothing about the object; transient
 */
export type RefusalKind =
  | "not-found"
  | "not-served"
  | "field-conflict"
  | "conflict"
  | "terminating"
  | "too-early"
  | "expired"
  | "unauthorized"
  | "forbidden"
  | "invalid"
  | "overloaded";

/** One manager and one field that it owns and the apply wanted: `.spec.replicas`. */
export interface FieldConflict {
  readonly manager: string;
  readonly field: string;
}

export interface Refusal {
  readonly kind: RefusalKind;
  readonly status: number;
  /** `Status.reason`; "" when the server gave none. */
  readonly reason: string;
  /** The server's own words, whole; may quote values of the object. */
  readonly message: string;
  /** True when the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  readonly conflicts: readonly FieldConflict[];
  /** Fields that the server changes on no live object; none where it refuses the object for anything else as well. */
  readonly immutable: readonly ImmutableField[];
}

/** A field as the server names it (`spec.selector`), and its words (`field is immutable`), without the value. */
export interface ImmutableField {
  readonly field: string;
  readonly words: string;
}

const transient: ReadonlySet<RefusalKind> = new Set([
  "overloaded",
  "terminating",
  "too-early",
  "not-served",
  "conflict",
  "expired",
] as const);

/** Reads an answer that is not 2xx. Total: whatever a proxy or the server sends gets a meaning. */
export function classifyRefusal(answer: Answer): Refusal {
  const status = statusOf(answer);
  const details = isJsonObject(status?.["details"]) ? status["details"] : {};
  const causes = Array.isArray(details["causes"]) ? details["causes"].filter(isJsonObject) : [];
  const message = textOf(status?.["message"]) || plainText(answer);
  const kind = kindOf({ answer, status, message, causes });
  return {
    kind,
    status: answer.status,
    reason: textOf(status?.["reason"]),
    message,
    retryable: transient.has(kind),
    conflicts: kind === "field-conflict" ? causes.filter(isFieldConflict).map(fieldConflict) : [],
    immutable: answer.status === 422 ? immutableFields(causes) : [],
  };
}

interface Reading {
  readonly answer: Answer;
  readonly status: JsonObject | undefined;
  readonly message: string;
  readonly causes: readonly JsonObject[];
}

function kindOf({ answer, status, message, causes }: Reading): RefusalKind {
  switch (answer.status) {
    case 401:
      return "unauthorized";
    case 403:
      if (causes.some((cause) => cause["reason"] === "NamespaceTerminating")) return "terminating";
      return noAccountYet.test(message) ? "too-early" : "forbidden";
    case 404:
      return status === undefined ? "not-served" : "not-found";
    case 409:
      return causes.some(isFieldConflict) ? "field-conflict" : "conflict";
    case 410:
      return "expired";
    case 408:
    case 429:
      return "overloaded";
    default:
      return answer.status >= 500 && !isPermanent(message) ? "overloaded" : "invalid";
  }
}

/** The account that a controller makes in every namespace; another one that is missing is missing for good. */
const noAccountYet = /error looking up service account .*serviceaccount "default" not found/;

/**
 * The server reports these faults of the object as 500 without a reason: what it cannot read as its kind
 * (https://github.com/kubernetes/kubernetes/issues/113482), and what is too large for its store.
 */
function isPermanent(message: string): boolean {
  return permanent.some((pattern) => pattern.test(message));
}

const permanent = [
  /^failed to create typed patch object/,
  /^(failed to convert .*: )?unable to convert/,
  /^etcdserver: request is too large/,
  /^rpc error: code = ResourceExhausted desc = trying to send message larger than max/,
];

function isFieldConflict(cause: JsonObject): boolean {
  return cause["reason"] === "FieldManagerConflict";
}

/** The cause names the manager only inside its message: `conflict with "kubectl-edit" using apps/v1`. */
function fieldConflict(cause: JsonObject): FieldConflict {
  const quoted = /^conflict with ("(?:[^"\\]|\\.)*")/.exec(textOf(cause["message"]))?.[1];
  return { manager: quoted === undefined ? "" : unquote(quoted), field: textOf(cause["field"]) };
}

/** Go's quoting is JSON's but for a few escapes of characters that no manager's name has. */
function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}

/**
 * A value that is quoted stands before the words, and a printed difference after their first line. There is no reason of its
 * own for these refusals: the words are those of all built-in kinds, and what definitions of custom resources commonly say.
 */
const immutableWords = [
  /^Forbidden: (.*\bis immutable\b.*|.*\bmay not (?:change|be changed)\b.*|updates to .* are forbidden.*)$/m,
  /^Invalid value: .*: ((?:[^:]*\b)?immutable\b[^:]*|may not change once set|cannot change [^:]*|failed rule: self == oldSelf)$/s,
];

/** All or nothing: what is refused for another fault too would be refused again after it was deleted. */
function immutableFields(causes: readonly JsonObject[]): readonly ImmutableField[] {
  const fields = causes.map((cause) => {
    const text = textOf(cause["message"]);
    const words = immutableWords.map((pattern) => pattern.exec(text)?.[1]).find((found) => found !== undefined);
    return words === undefined ? undefined : { field: textOf(cause["field"]), words };
  });
  return fields.every((field) => field !== undefined) ? fields : [];
}

/** The answer as a `Status` object; undefined when it is anything else, such as plain text. */
function statusOf(answer: Answer): JsonObject | undefined {
  if (!/^application\/json\b/i.test(answer.contentType)) return undefined;
  try {
    const value = parseJson(answer.body);
    return isJsonObject(value) && value["kind"] === "Status" ? value : undefined;
  } catch {
    return undefined;
  }
}

function plainText({ status, body }: Answer): string {
  return body.trim() === "" ? `HTTP ${status} without a message` : body.trim();
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
