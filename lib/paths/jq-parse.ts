import { isDriftlessError, messageOf } from "../errors.ts";
import { type JsonValue, parseJson } from "../model/json.ts";
import { patternOf } from "./jq-pattern.ts";
import { refused, type Token, tokensOf } from "./jq-tokens.ts";
import type { Expression } from "./jq-tree.ts";

const longest = 1000;
const deepest = 50;
const known = "paths, [], [0], |, select, ==, !=, and, or, not, startswith, endswith, contains, has and test";

/**
 * Reads a path expression of jq: the part of the language that names fields. Everything else is refused, so that whatever is
 * read ends, and costs no more than the object is large. Throws `config`, with the place in the expression.
 */
export function parseJq(expression: string): Expression {
  if (expression.length > longest) throw refused(longest, `the expression is longer than ${longest} characters`);
  const parsed = new Parser(tokensOf(expression)).whole();
  if (parsed.is === "self") throw refused(0, "selects the whole object: name a field, such as .spec.replicas");
  return parsed;
}

/** What is wrong with a path expression, in one line; undefined when nothing is. */
export function jqProblem(expression: string): string | undefined {
  try {
    parseJq(expression);
    return undefined;
  } catch (error) {
    if (!isDriftlessError(error, "config")) throw error;
    return messageOf(error);
  }
}

/** `place` where fields are named, `value` in a condition. */
type Use = "place" | "value";

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#pipe("place");
    const left = this.#token;
    if (left.is !== "end") throw unknown(left);
    return expression;
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #isAt(text: string, is: Token["is"] = "sign"): boolean {
    return this.#token.is === is && this.#token.text === text;
  }

  #take(text: string, is: Token["is"] = "sign"): boolean {
    if (!this.#isAt(text, is)) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw refused(this.#token.at, `"${text}" is missing before ${shown(this.#token)}`);
  }

  #pipe(use: Use): Expression {
    const from = this.#comma(use);
    return this.#take("|") ? { is: "pipe", from, to: this.#pipe(use) } : from;
  }

  #comma(use: Use): Expression {
    let left = this.#either(use);
    while (this.#isAt(",")) {
      if (use === "value") throw refused(this.#token.at, "a condition has one value: write or");
      this.#next++;
      left = { is: "comma", left, right: this.#either(use) };
    }
    return left;
  }

  #either(use: Use): Expression {
    let left = this.#both(use);
    while (this.#logical("or", use)) left = { is: "or", left, right: this.#both(use) };
    return left;
  }

  #both(use: Use): Expression {
    let left = this.#comparison(use);
    while (this.#logical("and", use)) left = { is: "and", left, right: this.#comparison(use) };
    return left;
  }

  #logical(word: "and" | "or", use: Use): boolean {
    if (!this.#isAt(word, "word")) return false;
    if (use === "place") throw inCondition(this.#token);
    this.#next++;
    return true;
  }

  #comparison(use: Use): Expression {
    const left = this.#term(use);
    const sign = this.#token;
    if (!this.#isAt("==") && !this.#isAt("!=")) return left;
    if (use === "place") throw inCondition(sign);
    this.#next++;
    return { is: "compare", equal: sign.text === "==", left, right: this.#term(use) };
  }

  #term(use: Use): Expression {
    const token = this.#token;
    this.#next++;
    switch (token.is) {
      case "field":
        return this.#postfix({ is: "member", of: { is: "self" }, name: token.text });
      case "text":
        return this.#literal(token, token.text, use);
      case "number":
        return this.#literal(token, parseJson(token.text), use);
      case "word":
        return this.#word(token, use);
      case "sign":
        if (token.text === ".") return this.#postfix(this.#afterDot({ is: "self" }));
        if (token.text === "(") return this.#postfix(this.#group(token, use));
        throw unknown(token);
      case "end":
        throw refused(token.at, "the expression ends where a path has to follow");
      default:
        return token.is satisfies never;
    }
  }

  #group({ at }: Token, use: Use): Expression {
    if (++this.#depth > deepest) throw refused(at, "is nested too deeply");
    const inner = this.#pipe(use);
    this.#expect(")");
    this.#depth--;
    return inner;
  }

  #literal(token: Token, value: JsonValue, use: Use): Expression {
    if (use === "place") throw inCondition(token);
    return { is: "literal", value };
  }

  /** `."a name"`, or nothing more than the dot. */
  #afterDot(of: Expression): Expression {
    const token = this.#token;
    if (token.is !== "text") return of;
    this.#next++;
    return { is: "member", of, name: token.text };
  }

  #postfix(start: Expression): Expression {
    let of = start;
    for (;;) {
      const token = this.#token;
      if (this.#take("?")) continue;
      if (token.is === "field") {
        this.#next++;
        of = { is: "member", of, name: token.text };
      } else if (this.#take(".")) {
        if (this.#token.is !== "text" && !this.#isAt("[")) throw unknown(this.#token);
        of = this.#afterDot(of);
      } else if (this.#take("[")) {
        of = this.#bracket(of);
      } else {
        if (token.text === "-" && token.is === "sign") throw refused(token.at, 'a name with a dash stands in quotes: ."a-b"');
        return of;
      }
    }
  }

  #bracket(of: Expression): Expression {
    if (this.#take("]")) return { is: "each", of };
    const token = this.#token;
    this.#next++;
    if (token.is !== "text" && !(token.is === "number" && /^-?\d+$/.test(token.text))) throw unknown(token);
    this.#expect("]");
    return token.is === "text" ? { is: "member", of, name: token.text } : { is: "item", of, index: Number(token.text) };
  }

  #word(token: Token, use: Use): Expression {
    if (token.text === "select") {
      this.#expect("(");
      return this.#postfix({ is: "select", condition: this.#group(token, "value") });
    }
    if (token.text === "true" || token.text === "false" || token.text === "null")
      return this.#literal(token, parseJson(token.text), use);
    const isKnown = ["not", "startswith", "endswith", "contains", "has", "test"].includes(token.text);
    if (!isKnown) throw unknown(token);
    if (use === "place") throw inCondition(token);
    return token.text === "not" ? { is: "not" } : this.#call(token);
  }

  #call({ text: name, at }: Token): Expression {
    this.#expect("(");
    const argument = this.#argument(name);
    const flags = name === "test" && this.#take(";") ? this.#argument(name) : "";
    this.#expect(")");
    if (name === "has") return { is: "has", argument };
    if (typeof argument !== "string") throw refused(at, `${name} takes a text in quotes`);
    if (name === "test") return { is: "test", pattern: patternOf(argument, { flags, at }) };
    return { is: name as "startswith" | "endswith" | "contains", argument };
  }

  #argument(name: string): string | number {
    const token = this.#token;
    if (token.is !== "text" && token.is !== "number") throw refused(token.at, `${name} takes a text in quotes`);
    this.#next++;
    return token.is === "text" ? token.text : Number(token.text);
  }
}

function shown({ is, text }: Token): string {
  return is === "end" ? text : JSON.stringify(is === "field" ? `.${text}` : text);
}

function unknown(token: Token): Error {
  if (token.is === "end") return refused(token.at, "the expression ends where a path has to follow");
  return refused(token.at, `${shown(token)} is not read here; ${known} are`);
}

function inCondition(token: Token): Error {
  return refused(token.at, `${shown(token)} names no field: it belongs into select(...)`);
}
