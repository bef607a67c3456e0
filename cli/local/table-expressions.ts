import type { Attributes, AttributeValue } from "../../lib/store/table-client.ts";

export type TableItem = Attributes;

/** What `#name` and `:name` stand for. */
export interface Bound {
  readonly names: Readonly<Record<string, string>>;
  readonly values: TableItem;
}

type Condition = (item: TableItem, bound: Bound) => boolean;
type Update = (item: TableItem, bound: Bound) => TableItem;
type Operand = (item: TableItem, bound: Bound) => AttributeValue | undefined;

const conditions = new Map<string, Condition>();
const updates = new Map<string, Update>();

/** Reads a condition, key condition or filter of DynamoDB, as far as the stores use them; throws for anything else. */
export function conditionOf(text: string): Condition {
  return cached(conditions, text, (tokens) => disjunction(tokens));
}

/** Reads an update of DynamoDB: SET, REMOVE and ADD of whole attributes. */
export function updateOf(text: string): Update {
  return cached(updates, text, update);
}

/** Tokens still to be read. */
interface Tokens {
  readonly text: string;
  readonly left: string[];
}

function cached<T>(cache: Map<string, T>, text: string, read: (tokens: Tokens) => T): T {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const tokens = { text, left: text.match(/[#:]?\w+|<>|<=|>=|[=<>(),]/g) ?? [] };
  const result = read(tokens);
  if (tokens.left.length > 0) throw unknown(tokens);
  cache.set(text, result);
  return result;
}

function unknown({ text, left }: Tokens): Error {
  return Object.assign(new Error(`the stand-in cannot read ${JSON.stringify(text)} at ${left[0] ?? "its end"}`), {
    name: "ValidationException",
  });
}

function disjunction(tokens: Tokens): Condition {
  const first = conjunction(tokens);
  if (!accept(tokens, "OR")) return first;
  const rest = disjunction(tokens);
  return (item, bound) => first(item, bound) || rest(item, bound);
}

function conjunction(tokens: Tokens): Condition {
  const first = comparison(tokens);
  if (!accept(tokens, "AND")) return first;
  const rest = conjunction(tokens);
  return (item, bound) => first(item, bound) && rest(item, bound);
}

function comparison(tokens: Tokens): Condition {
  if (accept(tokens, "(")) {
    const inner = disjunction(tokens);
    expect(tokens, ")");
    return inner;
  }
  const [word = ""] = tokens.left;
  if (/^[a-z]/.test(word)) return functionCall(tokens);
  const left = operand(tokens);
  if (accept(tokens, "BETWEEN")) {
    const low = operand(tokens);
    expect(tokens, "AND");
    const high = operand(tokens);
    return (item, bound) => {
      const value = left(item, bound);
      return ordered(low(item, bound), value, (sign) => sign <= 0) && ordered(value, high(item, bound), (sign) => sign <= 0);
    };
  }
  const sign = tokens.left.shift() ?? "";
  const holds = signs[sign];
  if (holds === undefined) throw unknown(tokens);
  const right = operand(tokens);
  if (sign === "<>") return (item, bound) => !ordered(left(item, bound), right(item, bound), (difference) => difference === 0);
  return (item, bound) => ordered(left(item, bound), right(item, bound), holds);
}

const signs: Readonly<Record<string, (difference: number) => boolean>> = {
  "=": (difference) => difference === 0,
  "<>": (difference) => difference !== 0,
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
};

function functionCall(tokens: Tokens): Condition {
  const name = tokens.left.shift() ?? "";
  expect(tokens, "(");
  const subject = operand(tokens);
  const argument = accept(tokens, ",") ? operand(tokens) : undefined;
  expect(tokens, ")");
  switch (name) {
    case "attribute_exists":
      return (item, bound) => subject(item, bound) !== undefined;
    case "attribute_not_exists":
      return (item, bound) => subject(item, bound) === undefined;
    case "begins_with":
      return (item, bound) => subject(item, bound)?.S?.startsWith(argument?.(item, bound)?.S ?? "") ?? false;
    default:
      throw unknown(tokens);
  }
}

function operand(tokens: Tokens): Operand {
  const word = tokens.left.shift() ?? "";
  if (word.startsWith("#")) return (item, { names }) => item[nameOf(names, word)];
  if (word.startsWith(":")) return (_item, { values }) => values[word];
  throw unknown(tokens);
}

function nameOf(names: Bound["names"], word: string): string {
  const name = names[word];
  if (name === undefined) throw new Error(`${word} stands for nothing`);
  return name;
}

/** False when either is absent, or they are of different types. */
function ordered(a: AttributeValue | undefined, b: AttributeValue | undefined, holds: (difference: number) => boolean): boolean {
  if (a?.N !== undefined && b?.N !== undefined) return holds(Number(a.N) - Number(b.N));
  if (a?.S !== undefined && b?.S !== undefined) return holds(compareTexts(a.S, b.S));
  return false;
}

/** By UTF-8 bytes, as keys are sorted. */
export function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function update(tokens: Tokens): Update {
  const parts: Update[] = [];
  for (let verb = tokens.left.shift(); verb !== undefined; verb = tokens.left.shift()) {
    do parts.push(clause(verb, tokens));
    while (accept(tokens, ","));
  }
  return (item, bound) => parts.reduce((changed, part) => part(changed, bound), item);
}

function clause(verb: string, tokens: Tokens): Update {
  const word = tokens.left.shift() ?? "";
  switch (verb) {
    case "REMOVE":
      return (item, { names }) => {
        const { [nameOf(names, word)]: _removed, ...rest } = item;
        return rest;
      };
    case "ADD": {
      const amount = operand(tokens);
      return (item, bound) => {
        const name = nameOf(bound.names, word);
        return { ...item, [name]: { N: String(Number(item[name]?.N ?? 0) + Number(amount(item, bound)?.N)) } };
      };
    }
    case "SET": {
      expect(tokens, "=");
      const value = newValue(tokens);
      return (item, bound) => {
        const set = value(item, bound);
        if (set === undefined) throw unknown(tokens);
        return { ...item, [nameOf(bound.names, word)]: set };
      };
    }
    default:
      throw unknown(tokens);
  }
}

function newValue(tokens: Tokens): Operand {
  if (!accept(tokens, "if_not_exists")) return operand(tokens);
  expect(tokens, "(");
  const stored = operand(tokens);
  expect(tokens, ",");
  const other = operand(tokens);
  expect(tokens, ")");
  return (item, bound) => stored(item, bound) ?? other(item, bound);
}

function accept(tokens: Tokens, word: string): boolean {
  if (tokens.left[0] !== word) return false;
  tokens.left.shift();
  return true;
}

function expect(tokens: Tokens, word: string): void {
  if (!accept(tokens, word)) throw unknown(tokens);
}
