import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../model/json.ts";
import type { PageRequest } from "../../store/store.ts";

export interface ApiRequest {
  readonly method: string;
  /** Path below the API's root: `/applications/guestbook-qa/syncs`. */
  readonly path: string;
  readonly query: { readonly [name: string]: string | undefined };
  /** JSON text of a POST; "" or absent for none. */
  readonly body?: string;
  readonly contentType?: string;
  /** Who asks, as the platform knows them; only who is known may act. */
  readonly by?: string;
  /** Absent: "". */
  readonly correlationId?: string;
}

export function pageOf({ query }: ApiRequest, options: CallOptions): PageRequest {
  const limit = Number(query["limit"] ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) throw wrongRequest("limit must be a whole number from 1 to 500");
  const from = query["from"];
  return { ...options, limit, ...(from === undefined ? {} : { from }) };
}

export function instantOf(name: string, text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw wrongRequest(`${name} must be a time such as 2026-01-31T12:00:00Z`);
  return new Date(time).toISOString();
}

export interface Fields {
  /** Throws `config` when it is absent or blank. */
  text(name: string): string;
  /** "" when it is absent. */
  optionalText(name: string): string;
  flag(name: string): boolean;
}

/** Characters of one text of a body: it comes back in tables and log lines. */
const longestText = 500;

/** The fields of a body; throws `config` for what is no JSON object, and for a field that is not among `known`. */
export function fieldsOf({ body = "" }: ApiRequest, known: readonly string[]): Fields {
  const fields = parsed(body);
  const stranger = Object.keys(fields).find((name) => !known.includes(name));
  if (stranger !== undefined) throw wrongRequest(`the body has a field ${stranger}; it may have: ${known.join(", ") || "none"}`);
  const optionalText = (name: string): string => {
    const value = fields[name] ?? "";
    if (typeof value !== "string" || value.length > longestText)
      throw wrongRequest(`${name} must be a text of at most ${longestText} characters`);
    return value.trim();
  };
  return {
    optionalText,
    text(name) {
      const value = optionalText(name);
      if (value === "") throw wrongRequest(`${name} is missing`);
      return value;
    },
    flag(name) {
      const value = fields[name] ?? false;
      if (typeof value !== "boolean") throw wrongRequest(`${name} must be true or false`);
      return value;
    },
  };
}

function parsed(body: string): JsonObject {
  if (body.trim() === "") return {};
  try {
    const value = parseJson(body);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw wrongRequest("the body must be a JSON object");
}

/** What the request says cannot be: 400. */
export function wrongRequest(message: string): DriftlessError {
  return new DriftlessError("config", message);
}
