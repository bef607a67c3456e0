import type { FieldNode, FieldSet, PathElement } from "../model/field-set.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from "../model/json.ts";

/** Parses FieldsV1 into a tree; what has no known form is left out, since a newer server may add forms. */
export function ownedFields(fieldsV1: JsonObject): FieldSet {
  return { path: "", owned: false, children: parseChildren(fieldsV1, "") };
}

/** Display paths of everything that the set owns itself, in the order of FieldsV1. */
export function pathsOf(fields: FieldSet): readonly string[] {
  const below = fields.children.flatMap((child) => pathsOf(child));
  return fields.owned ? [fields.path, ...below] : below;
}

/** Writes a path as rows show it: `spec.containers[name="web"].image`, `metadata.labels["a.b/c"]`, `metadata.finalizers[="x"]`, `args[0]`. */
export function displayPath(elements: readonly PathElement[]): string {
  return elements.reduce((path, element) => path + displayElement(element, path === ""), "");
}

const plainName = /^[\w-]+$/;

function displayElement(element: PathElement, first: boolean): string {
  switch (element.by) {
    case "field":
      if (!plainName.test(element.name)) return `[${stringifyJson(element.name)}]`;
      return first ? element.name : `.${element.name}`;
    case "key":
      return `[${Object.entries(element.key)
        .map(([name, value]) => `${plainName.test(name) ? name : stringifyJson(name)}=${stringifyJson(value ?? null)}`)
        .join(",")}]`;
    case "value":
      return `[=${stringifyJson(element.value)}]`;
    case "index":
      return `[${element.index}]`;
    default:
      return element satisfies never;
  }
}

function parseChildren(fields: JsonObject, path: string): FieldNode[] {
  const nodes: FieldNode[] = [];
  for (const [text, inner] of Object.entries(fields)) {
    const element = parseElement(text);
    if (element === undefined) continue;
    const below = isJsonObject(inner) ? inner : {};
    const here = path + displayElement(element, path === "");
    const children = parseChildren(below, here);
    nodes.push({ element, path: here, owned: children.length === 0 || Object.hasOwn(below, "."), children });
  }
  return nodes;
}

/** The display path of a key of FieldsV1 under another path; undefined for what names no step. */
export function pathUnder(path: string, text: string): string | undefined {
  const element = parseElement(text);
  return element === undefined ? undefined : path + displayElement(element, path === "");
}

function parseElement(text: string): PathElement | undefined {
  const rest = text.slice(2);
  switch (text.slice(0, 2)) {
    case "f:":
      return { by: "field", name: rest };
    case "k:": {
      const key = parseQuietly(rest);
      return isJsonObject(key) ? { by: "key", key } : undefined;
    }
    case "v:": {
      const value = parseQuietly(rest);
      return value === undefined ? undefined : { by: "value", value };
    }
    case "i:":
      return /^\d+$/.test(rest) ? { by: "index", index: Number(rest) } : undefined;
    default:
      return undefined;
  }
}

function parseQuietly(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
