import { jqProblem } from "../paths/jq-parse.ts";
import { pointerProblem } from "../paths/json-pointer.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import type { ignoreDifferences } from "./policy-schema.ts";

type WrittenRules = Partially<ValueOf<typeof ignoreDifferences>>;

/** What the schema cannot say about fields that are ignored: texts that are no pointers or paths, and rules that name no field. */
export function checkIgnored(
  written: WrittenRules | undefined,
  path: string,
  add: (path: string, message: string) => void,
): void {
  for (const [index, rule] of (written ?? []).entries()) {
    if (rule === undefined) continue;
    const at = `${path}[${index}]`;
    const { jsonPointers = [], jqPathExpressions = [], managedFieldsManagers = [] } = rule;
    // What is of a wrong type is absent, and reported already.
    if ([rule.jsonPointers, rule.jqPathExpressions, rule.managedFieldsManagers].every((list) => list?.length === 0))
      add(at, 'names no field: write "jsonPointers", "jqPathExpressions" or "managedFieldsManagers"');
    for (const [place, pointer] of jsonPointers.entries()) {
      const problem = pointer === undefined ? undefined : pointerProblem(pointer);
      if (problem !== undefined) add(`${at}.jsonPointers[${place}]`, problem);
    }
    for (const [place, expression] of jqPathExpressions.entries()) {
      const problem = expression === undefined ? undefined : jqProblem(expression);
      if (problem !== undefined) add(`${at}.jqPathExpressions[${place}]`, problem);
    }
    for (const [place, manager] of managedFieldsManagers.entries()) {
      if (manager === "driftless") add(`${at}.managedFieldsManagers[${place}]`, "is Driftless itself: name somebody else");
    }
  }
}
