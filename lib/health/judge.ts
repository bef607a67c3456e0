import { evaluate, fieldsOf } from "../cel/expressions.ts";
import type { Health, HealthStatus } from "../model/health.ts";
import { isJsonObject } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { assessByConditions } from "./conditions.ts";
import { conditionsOf, health, healthy, textAt, valueAt, wordsOf } from "./read.ts";

/** Expressions over the live object; `suspended` and `otherwise` are of the table alone. */
export interface Expressions {
  readonly suspended?: string;
  readonly inProgress?: string;
  readonly failed?: string;
  readonly current?: string;
  readonly otherwise?: HealthStatus;
}

const inOrder = [
  ["suspended", "Suspended"],
  ["inProgress", "Progressing"],
  ["failed", "Degraded"],
  ["current", "Healthy"],
] as const;

/**
 * The first expression that is true decides; as for Flux, one that cannot be evaluated ends in Progressing.
 * Undefined when none is true, and neither `current` nor `otherwise` says what that means.
 */
export function assessByExpressions(live: Manifest, expressions: Expressions): Health | undefined {
  const fields = fieldsOf(live);
  for (const [name, status] of inOrder) {
    const text = expressions[name];
    if (text === undefined) continue;
    const verdict = evaluate(text, fields);
    if (typeof verdict === "object") {
      return health("Progressing", `its expression \`${name}\` cannot be evaluated: ${verdict.problem}`);
    }
    if (verdict) return status === "Healthy" ? healthy : health(status, reasonOf(live, name));
  }
  if (expressions.otherwise !== undefined) return health(expressions.otherwise, reasonOf(live, "current"));
  return expressions.current === undefined ? undefined : health("Progressing", reasonOf(live, "current"));
}

/** Why an object is not healthy, in its own words. */
function reasonOf(live: Manifest, name: string): string {
  const general = assessByConditions(live)?.message ?? "";
  if (general !== "") return general;
  const open = conditionsOf(live).find(({ status, message, reason }) => status !== "True" && (message !== "" || reason !== ""));
  if (open !== undefined) return wordsOf(open);
  const words = ["message", "reason", "phase", "state"].map((field) => textAt(live, "status", field)).find((text) => text !== "");
  if (words !== undefined) return words;
  if (isSilent(live)) return "its controller has not reported on it yet";
  return name === "current" ? "its status does not say yet that it is as it should be" : `its status says so (\`${name}\`)`;
}

function isSilent(live: Manifest): boolean {
  const status = valueAt(live, "status");
  return !isJsonObject(status) || Object.keys(status).length === 0;
}
