import type { FieldSet, PathElement } from "../model/field-set.ts";
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";

/** The value one step further down; undefined when it is not there. */
export function stepInto(value: JsonValue | undefined, step: PathElement): JsonValue | undefined {
  switch (step.by) {
    case "field":
      return isJsonObject(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined;
    case "key":
      return isList(value) ? value.find((item) => isKeyOf(item, step.key)) : undefined;
    case "value":
      return isList(value) ? value.find((item) => sameValue(item, step.value)) : undefined;
    case "index":
      return isList(value) ? value[step.index] : undefined;
    default:
      return step satisfies never;
  }
}

/** The part of a value that the set names; all of it where the set ends. */
export function project(fields: FieldSet, value: JsonValue): JsonValue {
  if (fields.children.length === 0) return value;
  const parts = fields.children.flatMap((child) => {
    const inner = stepInto(value, child.element);
    return inner === undefined ? [] : [{ step: child.element, value: project(child, inner) }];
  });
  if (isList(value)) return parts.map((part) => part.value);
  return Object.fromEntries(parts.flatMap((part) => (part.step.by === "field" ? [[part.step.name, part.value]] : [])));
}

/** Equal as JSON: the order of keys does not count, that of lists does; 64-bit integers are exact. */
export function sameValue(a: JsonValue, b: JsonValue): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}

/** True when an item of a list has these values in its key fields. */
export function isKeyOf(item: JsonValue, key: JsonObject): boolean {
  return (
    isJsonObject(item) &&
    Object.entries(key).every(([name, value]) => {
      const actual = item[name];
      return actual !== undefined && value !== undefined && sameValue(actual, value);
    })
  );
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
