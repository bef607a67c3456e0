import { DriftlessError } from "../errors.ts";
import { isJsonObject, type JsonValue, parseJson, stringifyJson } from "../model/json.ts";

/** What a YAML reader folds, trims or refuses when it stands raw inside double quotes; as `\uXXXX` it reads back exactly. */
const changedByYaml = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * The body of a server-side apply. The server reads it as YAML even when it is JSON, so every character
 * that YAML would change is escaped; integers beyond 2^53 are written digit by digit.
 * Throws `apply` for text that cannot be written at all (half of a surrogate pair).
 */
export function serialiseApply(manifest: JsonValue): string {
  const text = stringifyJson(manifest);
  if (text.includes("\\ud")) refuseLoneSurrogates(manifest, "");
  return text.replace(changedByYaml, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Reads an answer of the server; throws `cluster` when a 2xx answer is not a JSON object, as behind a captive proxy. */
export function parseAnswer(body: string): { readonly [key: string]: JsonValue | undefined } {
  let value: JsonValue;
  try {
    value = parseJson(body);
  } catch (cause) {
    throw new DriftlessError("cluster", "The API server answered with text that is not JSON; check what stands between", {
      cause,
      retryable: true,
    });
  }
  if (!isJsonObject(value)) throw new DriftlessError("cluster", "The API server answered with JSON that is not an object");
  return value;
}

function refuseLoneSurrogates(value: JsonValue | undefined, path: string): void {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new DriftlessError(
      "apply",
      `The text at ${path} has half of a surrogate pair, which is no character; correct the manifest`,
    );
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseLoneSurrogates(item, `${path}[${index}]`);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      refuseLoneSurrogates(key, `a key of ${path === "" ? "the object" : path}`);
      refuseLoneSurrogates(item, path === "" ? key : `${path}.${key}`);
    }
  }
}
