import { isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import { foreignWords } from "./foreign-words.ts";
import { readFreely } from "./free-value.ts";
import type {
  IntegerSchema,
  JsonSchema,
  ListSchema,
  MapSchema,
  ObjectSchema,
  Partially,
  StringSchema,
  ValueOf,
} from "./json-schema.ts";
import { nearestWord } from "./suggest.ts";
import { found, quote, stringProblem, typeAdvice, wanted } from "./wording.ts";

/** Something wrong, and the offset in the text where it stands. */
export interface Finding {
  readonly offset: number;
  /** `applications[2].sync.timeout`; "" for the document. */
  readonly path: string;
  readonly message: string;
}

export interface Checked<T> {
  /** Whatever was right, defaults filled in. */
  readonly value: Partially<T> | undefined;
  readonly findings: readonly Finding[];
  /** Where the value at a path stands; for a path that is not there, where the nearest value around it stands. */
  readonly offsetOf: (path: string) => number;
  /** True where the text itself has the value, right or wrong; a default is not given. */
  readonly isGiven: (path: string) => boolean;
}

/** Holds a YAML node against a schema; reports everything that is wrong, not only the first. */
export function checkNode<const S extends JsonSchema>(root: Node | null, schema: S): Checked<ValueOf<S>> {
  const walk = new Walk();
  const value = walk.value(root, schema, "", 0);
  return {
    value: value as Partially<ValueOf<S>> | undefined,
    findings: walk.findings,
    offsetOf: (path) => walk.offsetOf(path),
    isGiven: (path) => walk.isGiven(path),
  };
}

class Walk {
  readonly findings: Finding[] = [];
  readonly #offsets = new Map<string, number>();
  /** Filled on the way, in the order of the text; the package's own look-up of an alias is linear. */
  readonly #anchors = new Map<string, Node>();

  offsetOf(path: string): number {
    for (let around = path; ; around = around.replace(/(?:^|\.)[^.[]+$|\[\d+\]$/, "")) {
      const offset = this.#offsets.get(around);
      if (offset !== undefined || around === "") return offset ?? 0;
    }
  }

  isGiven(path: string): boolean {
    return this.#offsets.has(path);
  }

  value(given: unknown, schema: JsonSchema, path: string, around: number): unknown {
    const at = startOf(given) ?? around;
    this.#offsets.set(path, at);
    const node = this.#resolve(given, path, at);
    if (node === unresolved) return undefined;
    switch (schema.type) {
      case "object":
        if (!isMap(node)) return this.#wrongType(node, schema, path, at);
        return "properties" in schema ? this.#object(node, schema, path, at) : this.#map(node, schema, path, at);
      case "integer":
        return isScalar(node) && Number.isSafeInteger(node.value)
          ? this.#integer(node.value as number, schema, path, at)
          : this.#wrongType(node, schema, path, at);
      case "array":
        return isSeq(node) ? this.#list(node.items, schema, path, at) : this.#wrongType(node, schema, path, at);
      case "boolean":
        return isScalar(node) && typeof node.value === "boolean" ? node.value : this.#wrongType(node, schema, path, at);
      case "string":
        return isScalar(node) && typeof node.value === "string"
          ? this.#string(node.value, schema, path, at)
          : this.#wrongType(node, schema, path, at);
      default:
        return schema satisfies never;
    }
  }

  #resolve(given: unknown, path: string, at: number): unknown {
    if (isAlias(given)) {
      const target = this.#anchors.get(given.source);
      if (target !== undefined) return target;
      this.#add(
        at,
        path,
        `the alias *${given.source} has no anchor before it: write &${given.source} at the value it stands for`,
      );
      return unresolved;
    }
    const node = given as Node | null;
    if (node !== null && "anchor" in node && typeof node.anchor === "string") this.#anchors.set(node.anchor, node);
    return node;
  }

  #list(items: readonly unknown[], schema: ListSchema, path: string, at: number): unknown[] {
    if (items.length < (schema.minItems ?? 0)) this.#add(at, path, "must not be empty");
    return items.map((item, index) => this.value(item, schema.items, `${path}[${index}]`, at));
  }

  #integer(value: number, { minimum, maximum }: IntegerSchema, path: string, at: number): number | undefined {
    if (value >= minimum && value <= maximum) return value;
    this.#add(at, path, `must be from ${minimum} to ${maximum}, and is ${value}`);
    return undefined;
  }

  #map(map: YAMLMap, schema: MapSchema, path: string, at: number): unknown {
    const add = (offset: number | undefined, where: string, message: string): void => this.#add(offset ?? at, where, message);
    const free = readFreely(map, { path, resolve: (node) => this.#resolve(node, path, startOf(node) ?? at), add });
    if (schema.additionalProperties === true) return free;
    for (const [name, value] of Object.entries(free)) {
      const problem =
        typeof value === "string" ? stringProblem(value, schema.additionalProperties) : "must be text: put it in quotes";
      if (problem !== undefined) this.#add(at, join(path, name), problem);
    }
    return free;
  }

  #object(map: YAMLMap, schema: ObjectSchema, path: string, at: number): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    const seen = new Map<string, number>();
    for (const { key, value } of map.items) {
      const keyAt = startOf(key) ?? at;
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined) {
        this.#add(keyAt, path, "a key must be a plain word");
      } else if (seen.has(name)) {
        this.#add(keyAt, join(path, name), "stands twice in this mapping: keep one");
      } else {
        seen.set(name, keyAt);
        const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
        if (property === undefined) this.#unknownKey(name, schema, path, keyAt);
        else values[name] = this.value(value, property, join(path, name), keyAt);
      }
    }
    this.#fill(values, seen, schema, path, at);
    return values;
  }

  #fill(
    values: Record<string, unknown>,
    seen: ReadonlyMap<string, number>,
    schema: ObjectSchema,
    path: string,
    at: number,
  ): void {
    for (const [name, property] of Object.entries(schema.properties)) {
      if (seen.has(name)) continue;
      if (schema.required.includes(name)) {
        this.#add(at, path, `needs the key "${name}" (${lowerFirst(property.description)})`);
      } else if ("default" in property) {
        values[name] = defaultOf(property);
      }
    }
    const choices = schema.oneOf?.map((choice) => choice.required[0]) ?? [];
    const chosen = choices.filter((name) => seen.has(name));
    const quoted = choices.map((name) => `"${name}"`);
    if (choices.length > 0 && chosen.length === 0) this.#add(at, path, `needs one of the keys ${quoted.join(" and ")}`);
    if (chosen.length > 1) this.#add(seen.get(chosen[1]!)!, path, `has ${quoted.join(" and ")}: keep one of them`);
  }

  #unknownKey(name: string, schema: ObjectSchema, path: string, at: number): void {
    const known = Object.keys(schema.properties);
    const near = nearestWord(name, known);
    const foreign = Object.hasOwn(foreignWords, name.toLowerCase()) ? foreignWords[name.toLowerCase()] : undefined;
    const advice = near === undefined ? (foreign ?? `known keys are ${known.join(", ")}`) : `did you mean "${near}"?`;
    this.#add(at, join(path, quote(name).slice(1, -1)), `is not a key of this mapping: ${advice}`);
  }

  #string(text: string, schema: StringSchema, path: string, at: number): string | undefined {
    const problem = stringProblem(text, schema);
    if (problem === undefined) return text;
    this.#add(at, path, problem);
    return undefined;
  }

  #wrongType(node: unknown, schema: JsonSchema, path: string, at: number): undefined {
    this.#add(at, path, `must be ${wanted(schema)}, and is ${found(node)}${typeAdvice(node, schema)}`);
    return undefined;
  }

  #add(offset: number, path: string, message: string): void {
    this.findings.push({ offset, path, message });
  }
}

const unresolved = Symbol("unresolved");

function startOf(node: unknown): number | undefined {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)
    ? (node.range[0] as number)
    : undefined;
}

function defaultOf(schema: JsonSchema): unknown {
  if (schema.type === "array") return [];
  if (schema.type !== "object") return schema.default;
  if (!("properties" in schema)) return {};
  return Object.fromEntries(
    Object.entries(schema.properties).flatMap(([name, property]) => ("default" in property ? [[name, defaultOf(property)]] : [])),
  );
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1).replace(/\.$/, "")}`;
}
