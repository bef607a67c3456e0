import type { generators } from "./generator-schema.ts";
import type { Partially, ValueOf } from "./json-schema.ts";

type WrittenGenerator = ValueOf<typeof generators>[number];
type WrittenSelector = Partially<NonNullable<WrittenGenerator["clusters"]>["selector"]>;
type WrittenRequirement = NonNullable<NonNullable<WrittenSelector["matchExpressions"]>[number]>;

/** True when every rule can be followed. */
export function checkSelector(selector: WrittenSelector, path: string, add: (path: string, message: string) => void): boolean {
  let isRight = true;
  for (const [index, requirement] of (selector.matchExpressions ?? []).entries()) {
    const problem = requirement === undefined ? undefined : valuesProblem(requirement);
    if (problem !== undefined) add(`${path}.matchExpressions[${index}]`, problem);
    if (requirement?.operator === undefined || problem !== undefined) isRight = false;
  }
  return isRight;
}

function valuesProblem({ operator, values = [] }: WrittenRequirement): string | undefined {
  if (operator === undefined) return undefined;
  const needsValues = operator === "In" || operator === "NotIn";
  if (needsValues && values.length === 0) return `operator ${operator} needs "values"`;
  return !needsValues && values.length > 0 ? `operator ${operator} has no use for "values": take them out` : undefined;
}

/** As Kubernetes reads it: NotIn is also kept by what has no such label. */
export function matchesSelector(selector: WrittenSelector, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const valueOf = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, value]) => valueOf(key) === value) &&
    matchExpressions.every((requirement) => keeps(requirement ?? {}, valueOf(requirement?.key ?? "")))
  );
}

function keeps({ operator, values = [] }: WrittenRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case undefined:
      return false;
    default:
      return operator satisfies never;
  }
}
