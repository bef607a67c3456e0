import { DriftlessError } from "../errors.ts";
import { isJsonObject, type JsonValue } from "../model/json.ts";
import { displayRef, type Manifest, type ResourceRef } from "../model/resource.ts";
import { type Answer, classifyRefusal, type FieldConflict, type ImmutableField, type Refusal } from "./classify.ts";

/** Longest text of the server that an error carries, in characters. */
const maxMessage = 2000;

export interface Refused {
  readonly verb: "get" | "list" | "apply" | "dry-run" | "delete" | "adopt";
  /** The object; undefined for requests about many. */
  readonly ref?: ResourceRef | undefined;
  /** What stands in the message when there is no object: `deployments`. */
  readonly subject?: string;
  readonly host: string;
  readonly answer: Answer;
  /** What to do about it, for the end of the message. */
  readonly advice?: string | undefined;
  /** The object as sent, so that a Secret's values do not come back in the message. */
  readonly manifest?: Manifest;
}

/** The error for an answer that is not 2xx: `apply` when the server refused the object, `cluster` when it refused us or could not serve. */
export function refusedError({ verb, ref, subject, host, answer, manifest, advice }: Refused): DriftlessError {
  const refusal = classifyRefusal(answer);
  const message = shorten(manifest === undefined ? refusal.message : maskSecretValues(refusal.message, manifest));
  const target = ref === undefined ? (subject ?? "the request") : displayRef(ref);
  return new DriftlessError(
    isOfObject(verb, refusal) ? "apply" : "cluster",
    sentence({ verb, target, host, refusal, message: advice === undefined ? message : `${message}; ${advice}` }),
    {
      retryable: refusal.retryable,
      facts: {
        host,
        status: refusal.status,
        refusal: refusal.kind,
        ...(refusal.reason === "" ? {} : { reason: refusal.reason }),
        ...(refusal.conflicts.length === 0 ? {} : conflictFacts(refusal.conflicts)),
        ...(refusal.immutable.length === 0 ? {} : immutableFacts(refusal.immutable)),
      },
    },
  );
}

/** A 500 stays the object's: a webhook that fails for one kind leaves the others alone. */
function isOfObject(verb: Refused["verb"], { kind, status }: Refusal): boolean {
  if (verb === "get" || verb === "list" || kind === "unauthorized") return false;
  return kind !== "overloaded" || status === 500;
}

interface Sentence {
  readonly verb: Refused["verb"];
  readonly target: string;
  readonly host: string;
  readonly refusal: Refusal;
  readonly message: string;
}

function sentence({ verb, target, host, refusal, message }: Sentence): string {
  if (refusal.kind === "unauthorized") {
    return `The API server at ${host} does not know this identity (${verb} ${target}): check the access entry or the kubeconfig user`;
  }
  return `The API server at ${host} refused to ${verb} ${target}: ${message}`;
}

/**
 * `conflict`: the managers; `conflictFields`: `manager: field, field; manager: field`; `conflictOwners`: the same for people,
 * `field, field from manager and field from manager`. By name, since the server's
 * own order of managers follows the second of their last write.
 */
function conflictFacts(conflicts: readonly FieldConflict[]): Record<string, string> {
  const inOrder = conflicts.toSorted((a, b) => Number(a.manager > b.manager) - Number(a.manager < b.manager));
  const byManager = Map.groupBy(inOrder, ({ manager }) => manager);
  return {
    conflict: [...byManager.keys()].join(", "),
    conflictFields: shorten(
      [...byManager].map(([manager, owned]) => `${manager}: ${owned.map(({ field }) => field).join(", ")}`).join("; "),
    ),
    conflictOwners: [...byManager].map(([manager, owned]) => `${firstFields(owned)} from ${manager}`).join(" and "),
  };
}

const mostFields = 5;

function firstFields(owned: readonly FieldConflict[]): string {
  const more = owned.length - mostFields;
  const named = owned.slice(0, mostFields).map(({ field }) => field);
  return more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ");
}

/** `immutable`: the fields, `spec.completions, spec.template`; `immutableWords`: what the server says of them. */
function immutableFacts(fields: readonly ImmutableField[]): Record<string, string> {
  return {
    immutable: fields.map(({ field }) => field).join(", "),
    immutableWords: [...new Set(fields.map(({ words }) => words))].join("; "),
  };
}

/** The server quotes what it refuses: of a Secret, only the path of the field may be told on. */
function maskSecretValues(message: string, manifest: Manifest): string {
  if (manifest.kind !== "Secret" || manifest.apiVersion !== "v1") return message;
  let masked = message
    .replace(/(: expected [^,]*, got ).*$/s, "$1[secret]")
    .replace(/(Invalid value: )"(?:[^"\\]|\\.)*"/g, '$1"[secret]"');
  for (const value of secretValues(manifest)) masked = masked.replaceAll(value, "[secret]");
  return masked;
}

/** Every text under `data` and `stringData`, longest first; texts too short to mean anything are left out. */
function secretValues(manifest: Manifest): readonly string[] {
  const texts = new Set<string>();
  const collect = (value: JsonValue | undefined): void => {
    if (typeof value === "string") texts.add(value).add(Buffer.from(value, "base64").toString("utf8"));
    else if (Array.isArray(value)) value.forEach(collect);
    else if (isJsonObject(value)) Object.values(value).forEach(collect);
    else if (typeof value === "number" || typeof value === "bigint") texts.add(String(value));
  };
  collect(manifest["data"]);
  collect(manifest["stringData"]);
  return [...texts].filter((text) => text.length >= 3).sort((a, b) => b.length - a.length);
}

function shorten(text: string): string {
  return text.length <= maxMessage ? text : `${text.slice(0, maxMessage - 1)}…`;
}
