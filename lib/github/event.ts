import { DriftlessError } from "../errors.ts";

/** A push to a branch or tag, as far as Driftless believes it: a hint to look at the branch's head. */
export interface PushEvent {
  readonly repository: {
    readonly cloneUrl: string;
    readonly htmlUrl: string;
    readonly fullName: string;
    /** GitHub's numeric id, which a rename keeps; undefined from senders that have none. */
    readonly id: number | undefined;
  };
  /** Undefined when the ref is a tag. */
  readonly branch: string | undefined;
  /** `refs/heads/main` or `refs/tags/v1`. */
  readonly ref: string;
  /** Commit id; all zeros when the ref is new. */
  readonly before: string;
  /** Commit id; all zeros when the ref was deleted. */
  readonly after: string;
  readonly deleted: boolean;
  readonly forced: boolean;
}

export type WebhookEvent =
  | { readonly kind: "ping"; readonly repository: string }
  | { readonly kind: "push"; readonly push: PushEvent }
  | { readonly kind: "other"; readonly event: string; readonly repository: string };

/** Reads the payload of an event whose signature holds; throws `webhook` naming the field that is not as GitHub sends it. */
export function parseEvent({ event, payload }: { readonly event: string; readonly payload: unknown }): WebhookEvent {
  if (event === "push") return { kind: "push", push: parsePush(payload) };
  const fields = objectAt(payload, "payload");
  const repository = isRecord(fields["repository"]) ? fields["repository"]["clone_url"] : undefined;
  const cloneUrl = typeof repository === "string" && repository.length <= longestUrl ? withoutUser(repository) : "";
  return event === "ping" ? { kind: "ping", repository: cloneUrl } : { kind: "other", event, repository: cloneUrl };
}

/** Who may read a repository is Driftless' own affair: credentials that a sender puts into its URL go no further. */
function withoutUser(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

/** Reads the payload of a push; throws `webhook` like `parseEvent`. */
export function parsePush(payload: unknown): PushEvent {
  const fields = objectAt(payload, "payload");
  const repository = objectAt(fields["repository"], "repository");
  const ref = textAt(fields["ref"], { field: "ref", pattern: /^refs\/(?:heads|tags)\/./, longest: 1024 });
  const branch = ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : undefined;
  if (branch !== undefined && !isBranchName(branch))
    throw malformed("ref", "must be refs/heads/ and a branch name that Git allows");
  return {
    repository: {
      cloneUrl: withoutUser(
        textAt(repository["clone_url"], { field: "repository.clone_url", pattern: oneWord, longest: longestUrl }),
      ),
      htmlUrl: textAt(repository["html_url"], { field: "repository.html_url", pattern: oneWord, longest: longestUrl }),
      fullName: textAt(repository["full_name"], { field: "repository.full_name", pattern: oneWord, longest: 512 }),
      id: idAt(repository["id"], "repository.id"),
    },
    branch,
    ref,
    before: textAt(fields["before"], { field: "before", pattern: objectId, longest: 64 }),
    after: textAt(fields["after"], { field: "after", pattern: objectId, longest: 64 }),
    deleted: booleanAt(fields["deleted"], "deleted"),
    forced: booleanAt(fields["forced"], "forced"),
  };
}

const longestUrl = 2048;
const oneWord = /^[^\s\p{Cc}\p{Cs}]+$/u;
const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** The rules of `git check-ref-format` that matter for a name that travels on: one line, no escapes, well-formed text. */
function isBranchName(name: string): boolean {
  return (
    name.isWellFormed() &&
    !/[\p{Cc}\p{Noncharacter_Code_Point} ~^:?*[\\]|\.\.|@\{|\/\/|\/$|^\/|\.$|(?:^|\/)\.|\.lock(?:\/|$)/u.test(name)
  );
}

function objectAt(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw malformed(field, "must be an object");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textAt(
  value: unknown,
  { field, pattern, longest }: { readonly field: string; readonly pattern: RegExp; readonly longest: number },
): string {
  if (typeof value !== "string") throw malformed(field, "must be a string");
  if (value.length > longest) throw malformed(field, `must be at most ${longest} characters`);
  if (!pattern.test(value)) throw malformed(field, `must match ${pattern.source}`);
  return value;
}

/** GitHub always sends both flags; other senders of the same format may leave them out. */
function booleanAt(value: unknown, field: string): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw malformed(field, "must be true or false");
}

/** GitHub always sends it; other senders of the same format may leave it out. */
function idAt(value: unknown, field: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw malformed(field, "must be a positive integer");
}

function malformed(field: string, problem: string): DriftlessError {
  return new DriftlessError("webhook", `${field} ${problem}`, { facts: { field } });
}
