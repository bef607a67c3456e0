import { expressionProblem } from "../cel/expressions.ts";
import { gvkOf } from "../model/resource.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import type { healthCheckExprs } from "./policy-schema.ts";

type WrittenExpressions = Partially<ValueOf<typeof healthCheckExprs>>;

/** What the schema cannot say about rules of health: texts that are no CEL, and kinds that have two rules. */
export function checkExpressions(
  written: WrittenExpressions | undefined,
  path: string,
  add: (path: string, message: string) => void,
): void {
  const seen = new Map<string, number>();
  for (const [index, { apiVersion, kind, ...words } = {}] of (written ?? []).entries()) {
    const at = `${path}[${index}]`;
    for (const word of ["current", "inProgress", "failed"] as const) {
      const text = words[word];
      const problem = text === undefined ? undefined : expressionProblem(text);
      if (problem !== undefined) add(`${at}.${word}`, `is no expression of CEL that tells true or false: ${problem}`);
    }
    if (apiVersion === undefined || kind === undefined) continue;
    const name = `${gvkOf({ apiVersion, kind }).group}/${kind}`;
    const earlier = seen.get(name);
    if (earlier === undefined) seen.set(name, index);
    else add(`${at}.kind`, `has a rule in ${path}[${earlier}] already, which counts for all versions: keep one`);
  }
}
