import { isMap, isScalar, isSeq, Scalar, type YAMLMap } from "yaml";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { holdsPlaceholder } from "./placeholders.ts";

export interface FreeValueContext {
  readonly path: string;
  /** What an alias stands for; anything but a node where it stands for nothing, which is reported already. */
  readonly resolve: (node: unknown) => unknown;
  /** Reports something wrong; without an offset where the value begins. */
  readonly add: (offset: number | undefined, path: string, message: string) => void;
  /** Whether two braces in a key are a mistake. */
  readonly refusesBraces: boolean;
}

const mostValues = 20_000;
const deepest = 64;

/**
 * Reads a mapping whose keys are the user's own. The file is YAML 1.2, and what these values are for (charts, manifests) is read
 * as YAML 1.1 by everybody else: a plain word that both read, and differently, is refused, so that nobody is surprised.
 */
export function readFreely(map: YAMLMap, context: FreeValueContext): JsonObject {
  let count = 0;

  const value = (given: unknown, path: string, depth: number): JsonValue => {
    if (++count === mostValues + 1)
      context.add(startOf(given), path, `holds more than ${mostValues} values: put them into a file`);
    if (count > mostValues) return null;
    if (depth > deepest) {
      context.add(startOf(given), path, "is nested too deeply");
      return null;
    }
    const node = context.resolve(given);
    if (isMap(node)) return mapping(node, path, depth);
    if (isSeq(node)) return node.items.map((item, index) => value(item, `${path}[${index}]`, depth + 1));
    if (!isScalar(node)) return null;
    const problem = scalarProblem(node);
    if (problem !== undefined) context.add(startOf(node), path, problem);
    return problem === undefined ? ((node.value as JsonValue | undefined) ?? null) : null;
  };

  const mapping = (node: YAMLMap, path: string, depth: number): JsonObject => {
    const entries = new Map<string, JsonValue>();
    for (const { key, value: inner } of node.items) {
      const name = isScalar(key) ? keyText(key) : undefined;
      const problem = name === undefined ? "a key must be a plain word" : keyProblem(name, key as Scalar);
      if (name === undefined || problem !== undefined) context.add(startOf(key), path, problem ?? "");
      else if (entries.has(name)) context.add(startOf(key), `${path}.${name}`, "stands twice in this mapping: keep one");
      else entries.set(name, value(inner, `${path}.${name}`, depth + 1));
    }
    return Object.fromEntries(entries);
  };

  const keyProblem = (name: string, key: Scalar): string | undefined => {
    if (context.refusesBraces && holdsPlaceholder(name)) return "placeholders stand in values, not in keys";
    return scalarProblem(key);
  };

  return mapping(map, context.path, 0);
}

/** Undefined for what is no key: nothing at all, and the merge key. */
function keyText({ value, source }: Scalar): string | undefined {
  if (typeof value === "string") return value === "<<" ? undefined : value;
  return typeof value === "number" || typeof value === "boolean" ? source : undefined;
}

const booleanWord = /^(?:y|yes|on|n|no|off)$/i;
const oddNumber = /^[-+]?(?:0[0-9_bBoOxX]|[0-9][0-9.]*_)[0-9a-fA-F_.]*$/;

function scalarProblem({ type, source = "", value }: Scalar): string | undefined {
  if (type !== Scalar.PLAIN) return undefined;
  if (booleanWord.test(source))
    return `${source} is a boolean to some readers and text to others: write true or false, or put it in quotes`;
  if (oddNumber.test(source))
    return `${source} is a different number to different readers: write it in decimal digits, or put it in quotes`;
  if (typeof value !== "number") return undefined;
  if (!Number.isFinite(value)) return `${source} is no number of JSON: put it in quotes`;
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? `${source} is larger than every reader keeps exactly: put it in quotes`
    : undefined;
}

function startOf(node: unknown): number | undefined {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)
    ? (node.range[0] as number)
    : undefined;
}
