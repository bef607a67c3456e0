import { isJsonObject, type JsonValue, stringifyJson } from "../lib/model/json.ts";

/** Text that no reader of YAML takes for anything else, with or without quotes. */
const plainText = /^[A-Za-z/][\w./@+-]*(?::[\w./@+-]+)*(?: [A-Za-z(][\w./@+()-]*(?::[\w./@+-]+)*)*$/;
const reservedWord = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** Several lines, each of characters that are printed as they are, the first of them not indented. */
const blockText = /^(?![\t\n ])(?:[\t\n\x20-\x7e\u00a1-\u1fff\u3000-\ud7ff](?!\n\t))+$/;

/** YAML of JSON values, a document each, that every reader of YAML 1.1 and 1.2 takes for the same values. */
export function yamlText(values: readonly JsonValue[]): string {
  return values.map((value) => `${lines(value, "").trimStart()}\n`).join("---\n");
}

/** A map or list begins with a line break; anything else is the rest of a line. */
function lines(value: JsonValue, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return value.map((item: JsonValue) => `\n${indent}- ${lines(item, `${indent}  `).trimStart()}`).join("");
  }
  if (isJsonObject(value)) {
    const entries = Object.entries(value);
    if (entries.length === 0) return "{}";
    return entries.map(([key, item = null]) => `\n${indent}${keyText(key, indent)}:${field(item, indent)}`).join("");
  }
  return typeof value === "string" ? text(value, indent) : stringifyJson(value);
}

/** A reader looks for the colon of a plain key in its first 1024 characters only. */
function keyText(key: string, indent: string): string {
  const written = oneLine(key);
  return written.length < 1000 ? written : `? ${written}\n${indent}`;
}

function field(value: JsonValue, indent: string): string {
  // A list may stand as far left as its key.
  const inner = lines(value, Array.isArray(value) ? indent : `${indent}  `);
  return inner.startsWith("\n") ? inner : ` ${inner}`;
}

function text(value: string, indent: string): string {
  if (!value.includes("\n") || !blockText.test(value) || value.endsWith("\n\n")) return oneLine(value);
  const whole = value.endsWith("\n");
  const body = (whole ? value.slice(0, -1) : value).split("\n").map((line) => (line === "" ? "" : indent + line));
  return `|${whole ? "" : "-"}\n${body.join("\n")}`;
}

function oneLine(value: string): string {
  if (plainText.test(value) && !reservedWord.test(value)) return value;
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u00a0\u2000-\u2fff\ue000-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
