import type { IgnoreDifference } from "../model/application.ts";
import type { ResourceRef } from "../model/resource.ts";
import type { IgnoredFields } from "../paths/ignored-fields.ts";
import { parseJq } from "../paths/jq-parse.ts";
import type { Expression } from "../paths/jq-tree.ts";

/** What the rules of an application, and rows whose field is in a fight, leave to others of one object; undefined when nothing. */
export function ignoredFields(
  ref: ResourceRef,
  rules: readonly IgnoreDifference[],
  paths: readonly string[] = [],
): IgnoredFields | undefined {
  const matching = rules.filter((rule) => isFor(rule, ref));
  if (matching.length === 0 && paths.length === 0) return undefined;
  return {
    pointers: matching.flatMap(({ jsonPointers }) => jsonPointers),
    expressions: matching.flatMap(({ jqPathExpressions }) => jqPathExpressions.map(expressionOf)),
    paths,
    managers: new Set(matching.flatMap(({ managedFieldsManagers }) => managedFieldsManagers)),
  };
}

function isFor(rule: IgnoreDifference, { group, kind, name, namespace }: ResourceRef): boolean {
  return (
    isLike(rule.group, group) &&
    isLike(rule.kind, kind) &&
    (rule.name === "" || rule.name === name) &&
    (rule.namespace === "" || rule.namespace === namespace)
  );
}

/** `*` stands for any text. */
function isLike(pattern: string, text: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

const expressions = new Map<string, Expression>();
/** Texts of the users' come and go with their configurations; beyond this many they are parsed anew. */
const mostExpressions = 2000;

function expressionOf(text: string): Expression {
  const known = expressions.get(text);
  if (known !== undefined) return known;
  const parsed = parseJq(text);
  if (expressions.size >= mostExpressions) expressions.clear();
  expressions.set(text, parsed);
  return parsed;
}
