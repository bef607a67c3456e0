import type { FieldSet } from "../model/field-set.ts";
import type { JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { project, sameValue, stepInto } from "./walk.ts";

/** One field that is not as desired; a side that is absent has no value. */
export interface FieldDifference {
  /** Display path, as managedFields are shown: `spec.template.spec.containers[name="web"].image`. */
  readonly path: string;
  readonly desired?: JsonValue;
  readonly live?: JsonValue;
}

export interface OwnedDiffRequest {
  /** What an apply would give: the result of a server-side dry run. */
  readonly desired: Manifest;
  readonly live: Manifest;
  /** Our fields in the dry run's result. */
  readonly owned: FieldSet;
}

/**
 * The fields that we own and whose live value differs or is gone. List items are matched by their keys, atomic lists and maps
 * compared whole; an item that is gone is one difference, with the fields of it that are ours.
 */
export function diffOwned({ desired, live, owned }: OwnedDiffRequest): readonly FieldDifference[] {
  return differencesUnder(owned, desired, live);
}

function differencesUnder(fields: FieldSet, desired: JsonValue, live: JsonValue | undefined): FieldDifference[] {
  return fields.children.flatMap((child) => {
    const wanted = stepInto(desired, child.element);
    // A field that is ours but not in the result is write-only (stringData of a Secret): there is nothing to compare.
    if (wanted === undefined) return [];
    const found = stepInto(live, child.element);
    if (found === undefined && child.owned) return [{ path: child.path, desired: project(child, wanted) }];
    if (child.children.length > 0) return differencesUnder(child, wanted, found);
    return found !== undefined && sameValue(wanted, found) ? [] : [difference(child.path, wanted, found)];
  });
}

function difference(path: string, desired: JsonValue, live: JsonValue | undefined): FieldDifference {
  return live === undefined ? { path, desired } : { path, desired, live };
}

export interface AdditionsRequest {
  readonly live: Manifest;
  /**
   * The fields that are ours to set: of the dry run's result where there is one, since a field that was taken from us is
   * drift and no addition, else of the live object. Undefined when we own none.
   */
  readonly owned: FieldSet | undefined;
  /** The fields of each foreign writer. */
  readonly foreign: readonly FieldSet[];
}

/** Fields that others set and we do not, with their live values, sorted by path; a list item that is not ours is one addition. */
export function additions({ live, owned, foreign }: AdditionsRequest): readonly FieldDifference[] {
  const found = new Map<string, FieldDifference>();
  for (const fields of foreign) {
    for (const addition of additionsUnder(fields, owned, live)) {
      if (!found.has(addition.path)) found.set(addition.path, addition);
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function additionsUnder(foreign: FieldSet, ours: FieldSet | undefined, live: JsonValue): FieldDifference[] {
  return foreign.children.flatMap((child) => {
    const value = stepInto(live, child.element);
    if (value === undefined) return [];
    const own = ours?.children.find((candidate) => candidate.path === child.path);
    // What we own as a whole has no room for others' fields.
    if (own?.owned === true && own.children.length === 0) return [];
    const isItem = child.element.by !== "field";
    if (own === undefined && (child.children.length === 0 || (isItem && child.owned))) {
      return [{ path: child.path, live: project(child, value) }];
    }
    return child.children.length === 0 ? [] : additionsUnder(child, own, value);
  });
}
