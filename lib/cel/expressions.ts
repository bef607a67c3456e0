import { Environment, type ParseResult } from "@marcbachmann/cel-js";
import { messageOf } from "../errors.ts";
import { isJsonObject, type JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";

/** Which fields an object has is not known before it is there; optional fields (`status.?phase`) are part of the language. */
const environment = new Environment({
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  limits: { maxAstNodes: 2000, maxDepth: 100 },
});

const programs = new Map<string, ParseResult>();
/** Texts of the users' come and go with their configurations; beyond this many they are parsed anew. */
const maxPrograms = 2000;

function programOf(text: string): ParseResult {
  const known = programs.get(text);
  if (known !== undefined) return known;
  const program = environment.parse(text);
  if (programs.size >= maxPrograms) programs.clear();
  programs.set(text, program);
  return program;
}

/** What is wrong with a CEL expression over a live object, in one line; undefined when nothing is. */
export function expressionProblem(text: string): string | undefined {
  if (text.trim() === "") return "the expression is empty";
  try {
    const { valid, type, error } = programOf(text).check();
    if (!valid) return firstLine(error);
    return type === "bool" || type === "dyn" ? undefined : `it gives a ${type}, and has to give true or false`;
  } catch (error) {
    return firstLine(error);
  }
}

/** The fields of one object as expressions see them. */
export type Fields = Readonly<Record<string, unknown>>;

/** What an expression says of an object: true, false, or why it can't be told. */
export type Verdict = boolean | { readonly problem: string };

/** Evaluates an expression; a field that is not there is a problem, as it is for Flux, unless the expression asks for it by `has` or `?`. */
export function evaluate(text: string, fields: Fields): Verdict {
  try {
    const result: unknown = programOf(text)(fields);
    return typeof result === "boolean" ? result : { problem: "it gives neither true nor false" };
  } catch (error) {
    return { problem: firstLine(error) };
  }
}

/** The top-level fields of an object, converted when an expression asks for one. */
export function fieldsOf(live: Manifest): Fields {
  const fields = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(live)) {
    let value: unknown;
    Object.defineProperty(fields, name, {
      enumerable: true,
      get: () => {
        value ??= celValue(live[name]);
        return value;
      },
    });
  }
  return fields;
}

/** CEL's integers are bigints; a number of JavaScript is a double there, and `x + 1` an error. */
function celValue(value: JsonValue | undefined): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (name === "managedFields" ? [] : [[name, celValue(inner)]])),
  );
}

function firstLine(error: unknown): string {
  return messageOf(error).split("\n", 1)[0] ?? "";
}
