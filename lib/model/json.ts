/**
 * JSON with exact integers: what does not fit a double is a bigint, on the way in and on the way out.
 * Kubernetes has int64; `JSON.parse` alone would round 9007199254740993 to ...992.
 */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Sixteen digits or more where a number can stand, and not in the middle of a digest: only then can an integer be too large for a double. */
const longNumber = /(?:^|[:,[\s])-?\d{16}/;
const integer = /^-?\d+$/;

/**
 * A key with an escape, in a text that is JSON. Those of managedFields (`k:{"name":"web"}`, `v:"x"`) are left out: only a key
 * that begins with `k:{\` could be taken for one, and they are in every live object.
 */
const escapedKey = /[{,]\s*"(?!k:\{\\"|v:)[^"\\]*(?:\\[^][^"\\]*)+"\s*:/;

/** Parses JSON text; integers beyond 2^53 become bigint. Throws SyntaxError as `JSON.parse` does. */
export function parseJson(text: string): JsonValue {
  return text.includes("\\") && escapedKey.test(text) ? parseWithEscapedKeys(text) : parseExact(text);
}

function parseExact(text: string): JsonValue {
  if (!longNumber.test(text)) return JSON.parse(text) as JsonValue;
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source;
    return source !== undefined && integer.test(source) ? BigInt(source) : value;
  }) as JsonValue;
}

const strings = /"([^"\\]*(?:\\[^][^"\\]*)*)"(\s*:)?/g;

/** V8 reads a key such as `"\n"` as `\` where it has seen that one at such a place before (nodejs/node#63785): keys with escapes are read apart. */
function parseWithEscapedKeys(text: string): JsonValue {
  JSON.parse(text); // what is no JSON throws before it is changed
  let mark = "key";
  while (text.includes(mark)) mark += "-";
  const names = new Map<string, string>();
  const without = text.replace(strings, (string, content: string, colon: string | undefined) => {
    if (colon === undefined || !content.includes("\\")) return string;
    const stand = `${mark}${names.size}`;
    names.set(stand, JSON.parse(`"${content}"`) as string);
    return `"${stand}"${colon}`;
  });
  return withNames(parseExact(without), names);
}

function withNames(value: JsonValue, names: ReadonlyMap<string, string>): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => withNames(item, names));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [names.get(key) ?? key, item === undefined ? item : withNames(item, names)]),
  );
}

/** Writes JSON text; a bigint is written as its digits. Keys keep their order. */
export function stringifyJson(value: JsonValue): string {
  return JSON.stringify(value, writeBigint);
}

/** Writes JSON text with the keys of every object sorted, so that equal values give equal texts. */
export function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (!isJsonObject(inner)) return writeBigint(key, inner);
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !rawJson.isRawJSON(value);
}

/** Part of ES2025 and of Node 24; not yet in TypeScript's library. */
const rawJson = JSON as unknown as { rawJSON(text: string): object; isRawJSON(value: object): boolean };

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? rawJson.rawJSON(value.toString()) : value;
}
