import { DriftlessError } from "../lib/errors.ts";
import { canonicalJson, isJsonObject, type JsonValue, parseJson } from "../lib/model/json.ts";

/** A file's text, and what Kubernetes' own decoder makes of it. */
export interface YamlCase {
  readonly id: string;
  readonly yaml: string;
  /** The JSON text of each document, or its beginning and length (`[[[...<10006>`); undefined where Kubernetes refuses the file. */
  readonly documents: readonly string[] | undefined;
}

/** The documents that were read, each as JSON text, or why the file was refused. */
export type Reading = { readonly documents: readonly string[] } | { readonly refusal: string };

/** `silent`: it is accepted, and Kubernetes reads other values or refuses it. `refused`: only here; what both refuse is `same`. */
export type Verdict =
  | { readonly verdict: "same" }
  | { readonly verdict: "refused"; readonly reason: string }
  | { readonly verdict: "silent"; readonly reason: string };

/** Throws `config` saying which case has not the form of a case. */
export function parseCases(text: string): readonly YamlCase[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DriftlessError("config", `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (!Array.isArray(value)) throw new DriftlessError("config", "not a list of cases");
  if (value.length === 0) throw new DriftlessError("config", "it holds no case");
  return value.map(parseCase);
}

function parseCase(value: unknown, index: number): YamlCase {
  const refuse = (what: string): never => {
    throw new DriftlessError("config", `case ${index + 1}${isCaseId(value) ? ` (${value.id})` : ""}: ${what}`);
  };
  if (!isJsonObject(value)) return refuse("not an object");
  const { id, yaml, documents, error } = value;
  if (typeof id !== "string") return refuse("`id` is not a text");
  if (typeof yaml !== "string") return refuse("`yaml` is not a text");
  if (error === true && documents === undefined) return { id, yaml, documents: undefined };
  if (error !== undefined && error !== false) return refuse("it has `error`, which is `true` and stands in place of `documents`");
  if (!Array.isArray(documents)) return refuse("it has neither a list `documents` nor `error: true`");
  return {
    id,
    yaml,
    documents: documents.map((text: unknown) => (isJsonText(text) ? text : refuse("`documents` are not all JSON texts"))),
  };
}

function isCaseId(value: unknown): value is { readonly id: string } {
  return isJsonObject(value) && typeof value["id"] === "string";
}

function isJsonText(text: unknown): text is string {
  if (typeof text !== "string") return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return abbreviated.test(text);
  }
}

/** Compares what was read with what Kubernetes reads: integers of 64 bits exactly, others as doubles. */
export function judge({ documents }: YamlCase, reading: Reading): Verdict {
  if ("refusal" in reading) {
    return documents === undefined ? { verdict: "same" } : { verdict: "refused", reason: reading.refusal };
  }
  const here = `read as ${shown(reading.documents)}`;
  if (documents === undefined) return { verdict: "silent", reason: `${here}, refused by Kubernetes` };
  if (reading.documents.length === documents.length && documents.every((text, index) => sameJson(text, reading.documents[index])))
    return { verdict: "same" };
  return { verdict: "silent", reason: `${here}, by Kubernetes as ${shown(documents)}` };
}

/** `{"v":[[[[...<10006>`, as long texts are written. */
const abbreviated = /^(.+)\.\.\.<(\d+)>$/s;

function sameJson(expected: string, read: string | undefined): boolean {
  if (read === undefined || expected === read) return read !== undefined;
  const [, beginning, length] = abbreviated.exec(expected) ?? [];
  if (beginning !== undefined) return read.startsWith(beginning) && read.length === Number(length);
  return exactJson(expected) === exactJson(read);
}

/** JSON text that is the same for the same value: a number is an int64 where it is written as one, else a double; 1.0 and 1 are equal. */
export function exactJson(text: string): string {
  return canonicalJson(asKubernetesNumbers(parseJson(text)));
}

function asKubernetesNumbers(value: JsonValue): JsonValue {
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? value : Number(value);
  if (Array.isArray(value)) return value.map(asKubernetesNumbers);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asKubernetesNumbers(inner ?? null)]));
}

const longest = 300;

function shown(documents: readonly string[]): string {
  const text = documents.length === 0 ? "nothing" : documents.join(" ");
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
