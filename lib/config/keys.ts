import { foreignWords, misleadingWords } from "./foreign-words.ts";
import type { JsonSchema, ObjectSchema } from "./json-schema.ts";
import { nearestWord } from "./suggest.ts";

/** Something wrong with the keys of a mapping. */
export interface KeyProblem {
  /** The key that it is about; absent when it is about what is not there. */
  readonly key?: string;
  readonly message: string;
}

/** Keys that are missing, and keys that exclude each other. */
export function keyProblems(schema: ObjectSchema, isThere: (key: string) => boolean): readonly KeyProblem[] {
  const missing = Object.entries(schema.properties).flatMap(([key, { description }]) => {
    if (isThere(key) || !schema.required.includes(key)) return [];
    return { message: `needs the key "${key}" (${lowerFirst(description)})` };
  });
  const any = namesOf(schema.anyOf);
  const choices = namesOf(schema.oneOf);
  const chosen = choices.filter(isThere);
  const isNone = (keys: readonly string[]): boolean => keys.length > 0 && !keys.some(isThere);
  const none = [any, choices].filter(isNone).map((keys) => ({ message: `needs one of the keys ${quoted(keys)}` }));
  const [, second] = chosen;
  const both = second === undefined ? [] : [{ key: second, message: `has ${quoted(chosen)}: keep one of them` }];
  return [...missing, ...none, ...both];
}

function namesOf(choices: ObjectSchema["oneOf"]): readonly string[] {
  return choices?.map(({ required: [key] }) => key) ?? [];
}

/** What to do about a key that the schema does not know. */
export function unknownKeyAdvice(key: string, schema: ObjectSchema): string {
  const word = key.toLowerCase();
  if (Object.hasOwn(misleadingWords, word)) return misleadingWords[word]!;
  const known = Object.keys(schema.properties);
  const near = nearestWord(key, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return (Object.hasOwn(foreignWords, word) ? foreignWords[word] : undefined) ?? `known keys are ${known.join(", ")}`;
}

/** A default, a new one each time. */
export function defaultOf(schema: JsonSchema): unknown {
  if (schema.type === "array") return [];
  if (schema.type !== "object") return schema.default;
  if (!("properties" in schema)) return {};
  return Object.fromEntries(
    Object.entries(schema.properties).flatMap(([name, property]) => ("default" in property ? [[name, defaultOf(property)]] : [])),
  );
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" and ");
}

/** As a part of a sentence; `AWS` stays what it is. */
function lowerFirst(text: string): string {
  const first = text.slice(0, 1);
  return `${/^[A-Z]{2}/.test(text) ? first : first.toLowerCase()}${text.slice(1).replace(/\.$/, "")}`;
}
