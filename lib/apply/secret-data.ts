import { isJsonObject } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";

/**
 * A Secret with the texts of `stringData` in `data`, where the API server puts them too. It would note us as the owner of the
 * former, which no live object has, so that nobody could ever tell that a value has drifted.
 */
export function withSecretData(object: Manifest): Manifest {
  const { stringData, ...rest } = object;
  if (object.apiVersion !== "v1" || object.kind !== "Secret" || !isJsonObject(stringData)) return object;
  const texts = Object.entries(stringData);
  const { data = {} } = rest;
  // What is no text, the server refuses, and says so.
  const encoded = texts.flatMap(([key, text]) =>
    typeof text === "string" ? [[key, Buffer.from(text).toString("base64")] as const] : [],
  );
  if (!isJsonObject(data) || encoded.length < texts.length) return object;
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } };
}
