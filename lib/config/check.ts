import { isAlias, isMap, isScalar, isSeq, type Node, Scalar, type YAMLMap } from "yaml";
import { Anchors } from "./anchors.ts";
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
import { defaultOf, keyProblems, unknownKeyAdvice } from "./keys.ts";
import { FilledScalar, type Fillings, fillIn, holdsPlaceholder, placeholderProblem } from "./placeholders.ts";
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
  /** Checks a template that stands at a path once more, its placeholders filled in. */
  readonly filled: <const Inner extends JsonSchema>(path: string, schema: Inner, fillings: Fillings) => Checked<ValueOf<Inner>>;
}

/** Holds a YAML node against a schema; reports everything that is wrong, not only the first. */
export function checkNode<const S extends JsonSchema>(root: Node | null, schema: S): Checked<ValueOf<S>> {
  const document: Document = { anchors: new Anchors(), templates: new Map(), left: { values: mostValues, text: mostText } };
  return checkWith(new Walk(document), { given: root, schema, path: "" });
}

/** What is known of a document, whichever part of it is looked at. */
interface Document {
  readonly anchors: Anchors;
  /** Mappings with placeholders, by path. */
  readonly templates: Map<string, unknown>;
  /** How much may still be read, aliases and filled templates counted each time that they are read. */
  readonly left: { values: number; text: number };
}

const mostValues = 1_000_000;
const mostText = 32 * 1024 * 1024;

function checkWith<const S extends JsonSchema>(
  walk: Walk,
  { given, schema, path }: { readonly given: unknown; readonly schema: S; readonly path: string },
): Checked<ValueOf<S>> {
  const value = walk.value(given, schema, path, 0);
  return {
    value: value as Partially<ValueOf<S>> | undefined,
    findings: walk.findings,
    offsetOf: (at) => walk.offsetOf(at),
    isGiven: (at) => walk.isGiven(at),
    filled: (at, inner, fillings) => {
      const { document } = walk;
      return checkWith(new Walk(document, fillings), { given: document.templates.get(at), schema: inner, path: at });
    },
  };
}

class Walk {
  readonly findings: Finding[] = [];
  readonly document: Document;
  /** Undefined where placeholders are not filled in. */
  readonly #fillings: Fillings | undefined;
  readonly #offsets = new Map<string, number>();
  /** Whether what is looked at is part of a template. */
  #inTemplate: boolean;

  constructor(document: Document, fillings?: Fillings) {
    this.document = document;
    this.#fillings = fillings;
    this.#inTemplate = fillings !== undefined;
  }

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
    if (typeof node === "symbol") return undefined;
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
      case "string": {
        const text = node instanceof FilledScalar ? node.text : isScalar(node) && node.value;
        return typeof text === "string" ? this.#string(text, schema, path, at) : this.#wrongType(node, schema, path, at);
      }
      default:
        return schema satisfies never;
    }
  }

  /** What stands there: aliases followed, placeholders filled in; a symbol for what cannot be looked at any further. */
  #resolve(given: unknown, path: string, at: number): unknown {
    const { anchors } = this.document;
    if (this.#isTooMuch(path, at)) return unresolved;
    if (!isAlias(given)) {
      const node = given as Node | null;
      if (node !== null && "anchor" in node && typeof node.anchor === "string") anchors.add(node.anchor, node);
      return this.#fill(node, path, at);
    }
    const target = anchors.before(given.source, at);
    if (target !== undefined) return this.#fill(target, path, at);
    this.#add(at, path, `the alias *${given.source} has no anchor before it: write &${given.source} at the value it stands for`);
    return unresolved;
  }

  #isTooMuch(path: string, at: number): boolean {
    const { left } = this.document;
    if (left.values < 0) return true;
    left.values -= 1;
    if (left.values >= 0 && left.text >= 0) return false;
    left.values = -1;
    this.#add(at, path, "is where this file becomes too large, with aliases and templates filled in: divide it");
    return true;
  }

  #fill(node: unknown, path: string, at: number): unknown {
    if (!this.#inTemplate || !isScalar(node) || typeof node.value !== "string" || !holdsPlaceholder(node.value)) return node;
    const problem = placeholderProblem(node.value);
    if (problem === undefined && this.#fillings === undefined) return pending;
    const filled = problem === undefined ? fillIn(node.value, this.#fillings!) : { problem };
    if ("value" in filled) {
      this.document.left.text -= String(filled.value).length;
      return new FilledScalar(node, filled.value);
    }
    this.#add(at, path, filled.problem);
    return unresolved;
  }

  #list(items: readonly unknown[], schema: ListSchema, path: string, at: number): unknown[] {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
    if (minItems === maxItems && items.length !== minItems)
      this.#add(at, path, `must have exactly ${minItems} entries, and has ${items.length}`);
    else if (items.length < minItems) this.#add(at, path, "must not be empty");
    return items.map((item, index) => this.value(item, schema.items, `${path}[${index}]`, at));
  }

  #integer(value: number, { minimum, maximum }: IntegerSchema, path: string, at: number): number | undefined {
    if (value >= minimum && value <= maximum) return value;
    this.#add(at, path, `must be from ${minimum} to ${maximum}, and is ${value}`);
    return undefined;
  }

  #map(map: YAMLMap, { additionalProperties: kind }: MapSchema, path: string, at: number): unknown {
    const add = (offset: number | undefined, where: string, message: string): void => this.#add(offset ?? at, where, message);
    const resolve = (given: unknown): unknown => {
      const node = this.#resolve(given, path, startOf(given) ?? at);
      if (node === pending) return new Scalar("");
      return kind !== true && node instanceof FilledScalar ? new FilledScalar(node, node.text) : node;
    };
    const free = readFreely(map, { path, resolve, add, refusesBraces: this.#inTemplate });
    if (kind === true) return free;
    for (const [name, value] of Object.entries(free)) {
      const problem = typeof value === "string" ? stringProblem(value, kind) : "must be text: put it in quotes";
      if (problem !== undefined) this.#add(at, join(path, name), problem);
    }
    return free;
  }

  #object(map: YAMLMap, schema: ObjectSchema, path: string, at: number): Record<string, unknown> {
    const outer = this.#inTemplate;
    if (schema.placeholders === true) {
      this.document.templates.set(path, map);
      this.#inTemplate = true;
    }
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
        if (property === undefined) {
          const at = join(path, quote(name).slice(1, -1));
          this.#add(keyAt, at, `is not a key of this mapping: ${unknownKeyAdvice(name, schema)}`);
        } else values[name] = this.value(value, property, join(path, name), keyAt);
      }
    }
    this.#complete(values, seen, schema, path, at);
    this.#inTemplate = outer;
    return values;
  }

  #complete(
    values: Record<string, unknown>,
    seen: ReadonlyMap<string, number>,
    schema: ObjectSchema,
    path: string,
    at: number,
  ): void {
    for (const [name, property] of Object.entries(schema.properties)) {
      if (!seen.has(name) && !schema.required.includes(name) && "default" in property) values[name] = defaultOf(property);
    }
    for (const { key, message } of keyProblems(schema, (name) => seen.has(name)))
      this.#add(key === undefined ? at : (seen.get(key) ?? at), path, message);
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

/** What is wrong, and told. */
const unresolved = Symbol("unresolved");
/** A text with placeholders that are not filled in yet. */
const pending = Symbol("pending");

function startOf(node: unknown): number | undefined {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)
    ? (node.range[0] as number)
    : undefined;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
