import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../model/json.ts";
import { childAt, type Place } from "./place.ts";

/** One step of a display path: a member, an item by its index, by its keys, or by its value. */
type Step = string | number | { readonly key: JsonObject } | { readonly value: JsonValue };

/** Where a display path (`spec.containers[name="web"].image`, as rows have it) leads in a document; none when there is nothing. */
export function placesOf(path: string, document: JsonValue): readonly Place[] {
  const place: (string | number)[] = [];
  let value: JsonValue | undefined = document;
  for (const step of stepsOf(path) ?? [undefined]) {
    const at = step === undefined ? undefined : positionOf(step, value);
    if (at === undefined) return [];
    value = childAt(value, at);
    if (value === undefined) return [];
    place.push(at);
  }
  return [place];
}

function positionOf(step: Step, value: JsonValue | undefined): string | number | undefined {
  if (typeof step !== "object") return step;
  if (!Array.isArray(value)) return undefined;
  const items = value as readonly JsonValue[];
  const at = items.findIndex((item) => ("key" in step ? hasKeys(item, step.key) : isEqual(item, step.value)));
  return at < 0 ? undefined : at;
}

function hasKeys(item: JsonValue, key: JsonObject): boolean {
  return isJsonObject(item) && Object.entries(key).every(([name, value]) => isEqual(item[name], value));
}

/** Keys and members of sets are scalars. */
function isEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (typeof a === "bigint" && typeof b === "number" && a === BigInt(b));
}

const text = String.raw`"(?:[^"\\]|\\.)*"`;
const scalar = String.raw`(?:${text}|-?[\d.eE+-]+|true|false|null)`;
const key = String.raw`(?:[\w-]+|${text})=${scalar}`;
const stepAt = new RegExp(
  String.raw`\.?(?<name>[\w-]+)|\[(?:(?<quoted>${text})|(?<index>\d+)|=(?<value>${scalar})|(?<keys>${key}(?:,${key})*))\]`,
  "y",
);
const keyAt = new RegExp(String.raw`([\w-]+|${text})=(${scalar})`, "g");

function stepsOf(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  stepAt.lastIndex = 0;
  while (stepAt.lastIndex < path.length) {
    const groups = stepAt.exec(path)?.groups;
    if (groups === undefined) return undefined;
    const { name, quoted, index, value, keys } = groups;
    if (name !== undefined) steps.push(name);
    else if (quoted !== undefined) steps.push(parseJson(quoted) as string);
    else if (index !== undefined) steps.push(Number(index));
    else if (value !== undefined) steps.push({ value: parseJson(value) });
    else steps.push({ key: keysOf(keys ?? "") });
  }
  return steps.length === 0 ? undefined : steps;
}

function keysOf(written: string): JsonObject {
  return Object.fromEntries(
    [...written.matchAll(keyAt)].map(([, name = "", value = "null"]) => [
      name.startsWith('"') ? (parseJson(name) as string) : name,
      parseJson(value),
    ]),
  );
}
