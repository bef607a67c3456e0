import { isJsonObject, type JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";

/** What the API server takes at most, in bytes of UTF-8. */
const mostContent = 1024 * 1024;
const mostAnnotations = 256 * 1024;

/**
 * Why the API server would refuse the object for its size; undefined when it would not. It counts the values of a ConfigMap or
 * Secret, decoded and without their keys, and the annotations with their names.
 */
export function oversize({ apiVersion, kind, metadata, ...object }: Manifest): string | undefined {
  const annotations = Object.entries(metadata.annotations ?? {}).reduce(
    (sum, [name, value]) => sum + utf8Bytes(name) + utf8Bytes(value),
    0,
  );
  if (annotations > mostAnnotations) return tooMuch("its annotations have", annotations, mostAnnotations);
  const content = apiVersion === "v1" ? contentBytes(kind, object) : 0;
  return content > mostContent ? `${tooMuch("its values have", content, mostContent)}; split it` : undefined;
}

function contentBytes(kind: string, object: { readonly [key: string]: JsonValue | undefined }): number {
  switch (kind) {
    case "ConfigMap":
      return valueBytes(object["data"], utf8Bytes) + valueBytes(object["binaryData"], decodedBytes);
    case "Secret":
      return valueBytes(object["data"], decodedBytes);
    default:
      return 0;
  }
}

function valueBytes(values: JsonValue | undefined, bytesOf: (text: string) => number): number {
  if (!isJsonObject(values)) return 0;
  return Object.values(values).reduce<number>((sum, value) => (typeof value === "string" ? sum + bytesOf(value) : sum), 0);
}

function utf8Bytes(text: unknown): number {
  return typeof text === "string" ? Buffer.byteLength(text) : 0;
}

/** Line breaks in base64 count for nothing, so it is decoded where the difference could matter. */
function decodedBytes(text: string): number {
  return text.length <= 1024 ? Buffer.byteLength(text, "base64") : Buffer.from(text, "base64").length;
}

function tooMuch(what: string, bytes: number, most: number): string {
  return `${what} ${bytes} bytes, and the API server takes at most ${most}`;
}
