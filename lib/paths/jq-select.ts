import { canonicalJson, isJsonObject, type JsonValue } from "../model/json.ts";
import { longestText } from "./jq-pattern.ts";
import type { Expression } from "./jq-tree.ts";
import { childAt, type Located, type Place } from "./place.ts";

/** The places that a path expression selects in a document. What it does not find, or what is of another type, is none. */
export function selectPlaces(expression: Expression, document: JsonValue): readonly Place[] {
  return located(expression, [{ place: [], value: document }])
    .map(({ place }) => place)
    .filter((place) => place.length > 0);
}

/** True when what is selected depends on values, and not on the shape of the document alone. */
export function looksAtValues(expression: Expression): boolean {
  switch (expression.is) {
    case "select":
      return true;
    case "pipe":
      return looksAtValues(expression.from) || looksAtValues(expression.to);
    case "comma":
      return looksAtValues(expression.left) || looksAtValues(expression.right);
    case "member":
    case "item":
    case "each":
      return looksAtValues(expression.of);
    case "self":
    case "literal":
    case "compare":
    case "and":
    case "or":
    case "not":
    case "test":
    case "startswith":
    case "endswith":
    case "contains":
    case "has":
      return false;
    default:
      return expression satisfies never;
  }
}

function located(expression: Expression, inputs: readonly Located[]): readonly Located[] {
  switch (expression.is) {
    case "self":
      return inputs;
    case "member":
      return located(expression.of, inputs).flatMap((input) => child(input, expression.name));
    case "item":
      return located(expression.of, inputs).flatMap((input) => child(input, indexIn(input.value, expression.index)));
    case "each":
      return located(expression.of, inputs).flatMap((input) => stepsInto(input.value).flatMap((step) => child(input, step)));
    case "pipe":
      return located(expression.to, located(expression.from, inputs));
    case "comma":
      return distinct([...located(expression.left, inputs), ...located(expression.right, inputs)]);
    case "select":
      return inputs.filter(({ value }) => valuesOf(expression.condition, value).some(isTrue));
    case "literal":
    case "compare":
    case "and":
    case "or":
    case "not":
    case "test":
    case "startswith":
    case "endswith":
    case "contains":
    case "has":
      return [];
    default:
      return expression satisfies never;
  }
}

function child({ place, value }: Located, step: string | number): readonly Located[] {
  const inner = childAt(value, step);
  return inner === undefined ? [] : [{ place: [...place, step], value: inner }];
}

function stepsInto(value: JsonValue): readonly (string | number)[] {
  if (Array.isArray(value)) return value.map((_, index) => index);
  return isJsonObject(value) ? Object.keys(value) : [];
}

function indexIn(value: JsonValue, index: number): number {
  return index < 0 && Array.isArray(value) ? value.length + index : index;
}

/** Each place once: else a few commas after each other would multiply them without end. */
function distinct(found: readonly Located[]): readonly Located[] {
  return [...new Map(found.map((one) => [JSON.stringify(one.place), one])).values()];
}

/** The values of a condition's part; those of a comparison each once, which is all that `select` needs. */
function valuesOf(expression: Expression, value: JsonValue): readonly JsonValue[] {
  switch (expression.is) {
    case "self":
      return [value];
    case "literal":
      return [expression.value];
    case "member":
      return valuesOf(expression.of, value).flatMap((inner) => memberOf(inner, expression.name));
    case "item":
      return valuesOf(expression.of, value).flatMap((inner) => memberOf(inner, indexIn(inner, expression.index)));
    case "each":
      return valuesOf(expression.of, value).flatMap((inner) => stepsInto(inner).flatMap((step) => memberOf(inner, step)));
    case "pipe":
      return valuesOf(expression.from, value).flatMap((inner) => valuesOf(expression.to, inner));
    case "comma":
      return [...valuesOf(expression.left, value), ...valuesOf(expression.right, value)];
    case "select":
      return valuesOf(expression.condition, value).some(isTrue) ? [value] : [];
    case "compare": {
      const right = valuesOf(expression.right, value).map(canonicalJson);
      const left = valuesOf(expression.left, value).map(canonicalJson);
      return each(left.flatMap((one) => right.map((other) => (one === other) === expression.equal)));
    }
    case "and":
      return each(valuesOf(expression.left, value).flatMap((left) => (isTrue(left) ? truths(expression.right, value) : [false])));
    case "or":
      return each(valuesOf(expression.left, value).flatMap((left) => (isTrue(left) ? [true] : truths(expression.right, value))));
    case "not":
      return [!isTrue(value)];
    case "test":
      return typeof value === "string" ? [expression.pattern.test(value.slice(0, longestText))] : [];
    case "startswith":
      return typeof value === "string" ? [value.startsWith(expression.argument)] : [];
    case "endswith":
      return typeof value === "string" ? [value.endsWith(expression.argument)] : [];
    case "contains":
      return typeof value === "string" ? [value.includes(expression.argument)] : [];
    case "has":
      return [childAt(value, expression.argument) !== undefined];
    default:
      return expression satisfies never;
  }
}

const truths = (expression: Expression, value: JsonValue): readonly boolean[] => valuesOf(expression, value).map(isTrue);

const each = (values: readonly boolean[]): readonly boolean[] => [...new Set(values)];

/** As jq has it: everything but false and null. */
function isTrue(value: JsonValue): boolean {
  return value !== false && value !== null;
}

/** What is not there is null, and so is everything under it. */
function memberOf(value: JsonValue, step: string | number): readonly JsonValue[] {
  if (value === null) return [null];
  const fits = typeof step === "number" ? Array.isArray(value) : isJsonObject(value);
  return fits ? [childAt(value, step) ?? null] : [];
}
