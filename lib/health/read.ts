import type { Health, HealthStatus } from "../model/health.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";

export const healthy: Health = { status: "Healthy", message: "" };

export function health(status: HealthStatus, message: string): Health {
  return { status, message };
}

/** The value at a path of field names; undefined when a step is not there. */
export function valueAt(value: JsonValue | undefined, ...names: readonly string[]): JsonValue | undefined {
  return names.reduce<JsonValue | undefined>(
    (inner, name) => (isJsonObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
    value,
  );
}

/** The number at a path; undefined when there is none. */
export function numberAt(value: JsonValue | undefined, ...names: readonly string[]): number | undefined {
  const found = valueAt(value, ...names);
  return typeof found === "number" || typeof found === "bigint" ? Number(found) : undefined;
}

/** The text at a path; "" when there is none. */
export function textAt(value: JsonValue | undefined, ...names: readonly string[]): string {
  const found = valueAt(value, ...names);
  return typeof found === "string" ? found : "";
}

/** The objects of the list at a path. */
export function objectsAt(value: JsonValue | undefined, ...names: readonly string[]): readonly JsonObject[] {
  const found = valueAt(value, ...names);
  return Array.isArray(found) ? (found as readonly JsonValue[]).filter(isJsonObject) : [];
}

export interface Condition {
  readonly type: string;
  /** "True", "False" or "Unknown", also where a controller writes it small or as a boolean. */
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** The generation that it was set for; undefined where the controller does not say. */
  readonly observedGeneration: number | undefined;
}

/** `status.conditions`; empty when there are none. */
export function conditionsOf(live: Manifest): readonly Condition[] {
  return conditionsIn(valueAt(live, "status"));
}

/** The `conditions` of a status, or of a part of one. */
export function conditionsIn(status: JsonValue | undefined): readonly Condition[] {
  return objectsAt(status, "conditions").map((condition) => ({
    type: textAt(condition, "type"),
    status: statusWord(valueAt(condition, "status")),
    reason: textAt(condition, "reason"),
    message: textAt(condition, "message"),
    observedGeneration: numberAt(condition, "observedGeneration"),
  }));
}

function statusWord(status: JsonValue | undefined): string {
  const word = typeof status === "boolean" ? String(status) : typeof status === "string" ? status : "";
  return word.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

export function conditionOf(live: Manifest, type: string): Condition | undefined {
  return conditionsOf(live).find((condition) => condition.type === type);
}

/** What a condition says, for people: its message, or its reason, or its type. */
export function wordsOf({ type, reason, message }: Condition): string {
  if (message !== "") return reason === "" ? message : `${reason}: ${message}`;
  return reason === "" ? type : reason;
}
