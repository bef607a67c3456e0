import type { FieldSet } from "../model/field-set.ts";
import type { JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { diffOwned, type FieldDifference } from "./diff.ts";
import { project, sameValue, stepInto } from "./walk.ts";

export interface AppliedDiffRequest {
  /** What an apply would give: the result of a server-side dry run. */
  readonly after: Manifest;
  readonly live: Manifest;
  /** Our fields in the dry run's result. */
  readonly owned: FieldSet;
  /** Our fields in the live object; undefined when it is not ours yet. */
  readonly ownedBefore: FieldSet | undefined;
}

/**
 * What an apply would change of the fields that are ours: those that it sets (`desired` is what they become), and those that
 * it gives up, which go, or fall back to what the server or another manager has. Others' fields and defaults are left out.
 */
export function diffApplied({ after, live, owned, ownedBefore }: AppliedDiffRequest): readonly FieldDifference[] {
  const kept = new Set<string>();
  collectPaths(owned, kept);
  const given = ownedBefore === undefined ? [] : givenUp(ownedBefore, { kept, live, after });
  return [...diffOwned({ desired: after, live, owned }), ...given].sort((a, b) => (a.path < b.path ? -1 : 1));
}

export interface WithdrawnRequest {
  /** Of somebody whose share goes. */
  readonly fields: FieldSet;
  /** Paths that others still own. */
  readonly kept: ReadonlySet<string>;
  readonly live: Manifest;
  /** What that one is known to have stated: what is not in it is a default of the server, and stays. */
  readonly stated: JsonValue;
}

/** What goes with somebody's share of an object, a list item whole; status is never stated. */
export function diffWithdrawn({ fields, kept, live, stated }: WithdrawnRequest): readonly FieldDifference[] {
  const keptParts = new Set([...kept].flatMap(pathAndParents));
  const under = (set: FieldSet, was: JsonValue | undefined, said: JsonValue | undefined): FieldDifference[] =>
    set.children.flatMap((child) => {
      const [value, statement] = [stepInto(was, child.element), stepInto(said, child.element)];
      if (value === undefined || statement === undefined || child.path === "status") return [];
      const isWhole = child.children.length === 0 || (child.owned && child.element.by !== "field");
      if (isWhole && !keptParts.has(child.path)) return [{ path: child.path, live: project(child, value) }];
      return under(child, value, statement);
    });
  return under(fields, live, stated);
}

/** `a.b[x].c` with `a.b[x]`, `a.b` and `a`, cut at each point and bracket. */
function pathAndParents(path: string): readonly string[] {
  return [...path.matchAll(/[.[]/g)].map(({ index }) => path.slice(0, index)).concat(path);
}

interface Sides {
  readonly kept: ReadonlySet<string>;
  readonly live: JsonValue | undefined;
  readonly after: JsonValue | undefined;
}

function givenUp(before: FieldSet, { kept, live, after }: Sides): FieldDifference[] {
  return before.children.flatMap((child) => {
    const was = stepInto(live, child.element);
    const is = stepInto(after, child.element);
    if (was === undefined) return [];
    if (is === undefined && child.owned && !kept.has(child.path)) return [{ path: child.path, live: project(child, was) }];
    if (child.children.length > 0) return givenUp(child, { kept, live: was, after: is });
    if (kept.has(child.path) || (is !== undefined && sameValue(was, is))) return [];
    return [is === undefined ? { path: child.path, live: was } : { path: child.path, live: was, desired: is }];
  });
}

function collectPaths(fields: FieldSet, paths: Set<string>): void {
  if (fields.owned) paths.add(fields.path);
  for (const child of fields.children) collectPaths(child, paths);
}
