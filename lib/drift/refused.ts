import type { FieldDifference } from "../diff/diff.ts";
import { sameValue } from "../diff/walk.ts";
import type { FieldSet } from "../model/field-set.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { pathUnder } from "../ownership/field-set.ts";
import { ourFields } from "../ownership/fingerprint.ts";

/**
 * What somebody changed where the API server refuses even to try an apply, since the two together are no valid object: what Git
 * states, is not ours any more, and has another value. Items of lists are matched by their names, other lists by their places.
 */
export function diffRefused({
  manifest,
  live,
}: {
  readonly manifest: Manifest;
  readonly live: Manifest;
}): readonly FieldDifference[] {
  const fields = ourFields(live.metadata);
  const ours = new Set(fields === undefined ? [] : leavesOf(fields));
  const under = (path: string, stated: JsonValue, found: JsonValue | undefined): readonly FieldDifference[] => {
    if (ours.has(path) || (found !== undefined && agrees(stated, found))) return [];
    if (found === undefined) return [{ path, desired: stated }];
    const [wanted, has] = [membersOf(stated), membersOf(found)];
    if (wanted === undefined || has === undefined) return [{ path, desired: stated, live: found }];
    return [...wanted].flatMap(([step, value]) => under(pathUnder(path, step) ?? path, value, has.get(step)));
  };
  return under("", manifest, live);
}

function leavesOf({ path, children }: FieldSet): readonly string[] {
  return children.length === 0 ? [path] : children.flatMap(leavesOf);
}

/** By steps of FieldsV1; undefined for what has no members that can be told apart. */
function membersOf(value: JsonValue): ReadonlyMap<string, JsonValue> | undefined {
  if (isJsonObject(value))
    return new Map(
      Object.entries(value).flatMap(([name, inner]) => (inner === undefined ? [] : [[`f:${name}`, inner] as const])),
    );
  if (!Array.isArray(value)) return undefined;
  const items = value as readonly JsonValue[];
  const named = new Map(
    items.flatMap((item) => (isNamed(item) ? [[`k:${JSON.stringify({ name: item.name })}`, item] as const] : [])),
  );
  return named.size > 0 && named.size === items.length ? named : undefined;
}

function isNamed(item: JsonValue): item is JsonObject & { readonly name: string } {
  return isJsonObject(item) && typeof item["name"] === "string";
}

/** True when the server may have made the one of the other by adding defaults. */
function agrees(stated: JsonValue, found: JsonValue): boolean {
  if (Array.isArray(stated) && Array.isArray(found)) {
    const [wanted, has] = [stated as readonly JsonValue[], found as readonly JsonValue[]];
    return wanted.length === has.length && wanted.every((item, at) => agrees(item, has[at] as JsonValue));
  }
  if (!isJsonObject(stated) || !isJsonObject(found)) return sameValue(stated, found);
  return Object.entries(stated).every(([name, inner]) => {
    const other = found[name];
    return inner === undefined || (other !== undefined && agrees(inner, other));
  });
}
