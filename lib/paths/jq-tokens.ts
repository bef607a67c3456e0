import { DriftlessError } from "../errors.ts";
import { parseJson } from "../model/json.ts";

export interface Token {
  readonly is: "text" | "number" | "word" | "field" | "sign" | "end";
  /** As written; of a text its content, of a field its name. */
  readonly text: string;
  /** Characters before it. */
  readonly at: number;
}

/** The error of everything that is not read, with its place in the expression, counted from 1. */
export function refused(at: number, message: string): DriftlessError {
  return new DriftlessError("config", `at character ${at + 1}: ${message}`, { facts: { at } });
}

const tokenAt = new RegExp(
  [
    String.raw`(?<space>\s+)`,
    String.raw`(?<text>"(?:[^"\\]|\\[\s\S])*")`,
    String.raw`(?<number>-?\d+(?:\.\d+)?(?![\w.]))`,
    String.raw`\.(?<field>[A-Za-z_]\w*)`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    String.raw`(?<sign>\.\.|\|=|==|!=|<=|>=|//|[.|,;:?()[\]{}<>+*/%=$@-])`,
  ].join("|"),
  "y",
);

/** The expression in tokens, the end included; throws `config` at what is none. */
export function tokensOf(expression: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < expression.length) {
    tokenAt.lastIndex = at;
    const groups = tokenAt.exec(expression)?.groups;
    if (groups === undefined)
      throw refused(at, expression[at] === '"' ? "the text does not end" : `${JSON.stringify(expression[at])} is no part of jq`);
    const { text, number, field, word, sign } = groups;
    if (text !== undefined) tokens.push({ is: "text", text: unquoted(text, at), at });
    else if (number !== undefined) tokens.push({ is: "number", text: number, at });
    else if (field !== undefined) tokens.push({ is: "field", text: field, at });
    else if (word !== undefined) tokens.push({ is: "word", text: word, at });
    else if (sign !== undefined) tokens.push({ is: "sign", text: sign, at });
    at = tokenAt.lastIndex;
  }
  return [...tokens, { is: "end", text: "the end", at }];
}

function unquoted(text: string, at: number): string {
  if (/(?:^|[^\\])(?:\\\\)*\\\(/.test(text)) throw refused(at, "values in texts, as \\(...), are not read here");
  try {
    return parseJson(text) as string;
  } catch {
    throw refused(at, `${text} is no text of JSON`);
  }
}
