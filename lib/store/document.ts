import { inflateRawSync } from "node:zlib";
import { DriftlessError } from "../errors.ts";
import { type JsonValue, parseJson, stringifyJson } from "../model/json.ts";
import { type Item, textOf } from "./attributes.ts";
import { deflateNow } from "./deflated.ts";

/** DynamoDB takes 400 KB an item, keys and all; it bills writes by the KB. */
export const largestItem = 350 * 1024;
/** Up to here a document stays readable in the console; above it compression saves write units. */
const readable = 2048;

/** A document as attributes: `body` holds its JSON, or `packed` the same deflated when it is long. */
export function pack(document: object): Item {
  const item = deflated(document);
  if (sizeOf(item) <= largestItem) return item;
  const kilobytes = Math.ceil(sizeOf(item) / 1024);
  throw new DriftlessError(
    "store",
    `a row of ${kilobytes} KB does not fit the table, which takes ${largestItem / 1024} KB a row`,
  );
}

/** The same; undefined for a document that one row has no room for. */
export function packIfFits(document: object): Item | undefined {
  const item = deflated(document);
  return sizeOf(item) <= largestItem ? item : undefined;
}

type Packed = { readonly body: string } | { readonly packed: Buffer };

function sizeOf(item: Packed): number {
  return "packed" in item ? item.packed.length : item.body.length;
}

function deflated(document: object): Packed {
  const json = stringifyJson(document as JsonValue);
  return json.length <= readable ? { body: json } : { packed: deflateNow(json) };
}

/** The document of an item that `pack` made. */
export function unpack(item: Item): unknown {
  const packed = item["packed"];
  try {
    const json = packed instanceof Uint8Array ? inflateRawSync(packed).toString("utf8") : textOf(item, "body");
    return parseJson(json);
  } catch (cause) {
    throw new DriftlessError("store", `row ${textOf(item, "pk")} ${textOf(item, "sk")} cannot be read`, { cause });
  }
}
