import { isMap, isScalar, isSeq } from "yaml";
import { redact } from "../telemetry/redact.ts";
import type { JsonSchema, StringSchema } from "./json-schema.ts";
import { nearestWord } from "./suggest.ts";

/** What is wrong with a text, as what follows its path; undefined when nothing is. */
export function stringProblem(text: string, schema: StringSchema): string | undefined {
  if (schema.enum !== undefined && !schema.enum.includes(text)) {
    const near = nearestWord(text, schema.enum);
    const advice = near === undefined ? "" : `: did you mean "${near}"?`;
    return `must be ${schema.enum.join(" or ")}, and is ${quote(text)}${advice}`;
  }
  if (text.length < (schema.minLength ?? 0)) return "must not be empty";
  if (text.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) {
    return `must be at most ${schema.maxLength} characters, and has ${text.length}`;
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(text)) {
    return `must be ${schema.patternErrorMessage ?? `text like ${schema.pattern}`}, and is ${quote(text)}`;
  }
  return undefined;
}

/** What a schema asks for, in words. */
export function wanted(schema: JsonSchema): string {
  switch (schema.type) {
    case "object":
      return "properties" in schema ? `a mapping (keys ${Object.keys(schema.properties).join(", ")})` : "a mapping";
    case "integer":
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case "array":
      return "a list";
    case "boolean":
      return "true or false";
    case "string":
      return schema.enum === undefined ? "text" : schema.enum.join(" or ");
    default:
      return schema satisfies never;
  }
}

/** What stands there instead, in words. */
export function found(node: unknown): string {
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return "a list";
  if (!isScalar(node) || node.value === null || node.value === undefined) return "empty";
  return typeof node.value === "string" ? quote(node.value) : `the ${typeof node.value} ${node.source ?? ""}`;
}

/** What to write; "" where that is plain. */
export function typeAdvice(node: unknown, schema: JsonSchema): string {
  if (schema.type === "array" && (!isScalar(node) || node.value === null))
    return ": write [] for none, or begin each entry with a dash";
  if (isBarePlaceholder(node)) return ": put a placeholder in quotes";
  if (schema.type !== "string" || schema.enum !== undefined || !isScalar(node)) return "";
  if (node.value === null) return ": write a value, or leave the key out";
  if (schema.examples !== undefined) return `: write for example ${schema.examples[0]}`;
  return typeof node.value === "string" ? "" : ": put it in quotes";
}

/** `{{name}}` without quotes is a mapping in a mapping. */
function isBarePlaceholder(node: unknown): boolean {
  return isMap(node) && node.items.length === 1 && isMap(node.items[0]?.key);
}

/** Short, on one line, and without credentials. */
export function quote(text: string): string {
  return JSON.stringify(redact(text.length > 60 ? `${text.slice(0, 57)}...` : text));
}
