import { type JsonValue, parseJson } from "../../model/json.ts";

/** Undefined for what is not JSON in UTF-8. */
export function jsonIn(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
