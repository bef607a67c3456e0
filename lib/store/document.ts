import { deflateRawSync, inflateRawSync } from "node:zlib";
import { DriftlessError } from "../errors.ts";
import { type JsonValue, parseJson, stringifyJson } from "../model/json.ts";
import { type Item, textOf } from "./attributes.ts";

/** DynamoDB takes 400 KB an item, keys and all; it bills writes by the KB. */
export const largestItem = 350 * 1024;
/** Up to here a document stays readable in the console; above it compression saves write units. */
const readable = 2048;

/** A document as attributes: `body` holds its JSON, or `packed` the same deflated when it is long. */
export function pack(document: object): Item {
  const json = stringifyJson(document as JsonValue);
  if (json.length <= readable) return { body: json };
  const packed = deflateRawSync(json);
  if (packed.length > largestItem) {
    const kilobytes = Math.ceil(packed.length / 1024);
    throw new DriftlessError(
      "store",
      `a row of ${kilobytes} KB does not fit the table, which takes ${largestItem / 1024} KB a row`,
    );
  }
  return { packed };
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
