import type { JsonValue } from "../model/json.ts";
import { placesOf } from "./display-path.ts";
import { looksAtValues, selectPlaces } from "./jq-select.ts";
import type { Expression } from "./jq-tree.ts";
import { placesAt } from "./json-pointer.ts";
import { covers, type PlaceTree, placeTree } from "./place.ts";

/** The fields of one object that others may set. */
export interface IgnoredFields {
  readonly pointers: readonly string[];
  readonly expressions: readonly Expression[];
  /** Paths as rows show them, of fields that are left for now though they are drift. */
  readonly paths: readonly string[];
  /** Names in managedFields: whatever these alone own. */
  readonly managers: ReadonlySet<string>;
}

/** Where these fields stand in a document. Each document has places of its own: the same item may be at another index. */
export function ignoredPlaces({ pointers, expressions, paths }: IgnoredFields, document: JsonValue): PlaceTree {
  return placeTree([
    ...pointers.flatMap((pointer) => placesAt(pointer, document)),
    ...expressions.flatMap((expression) => selectPlaces(expression, document)),
    ...paths.flatMap((path) => placesOf(path, document)),
  ]);
}

/** Tells of a display path whether the field there is ignored by its place; what belongs to ignored managers is not known by it. */
export function isIgnoredIn(ignored: IgnoredFields | undefined, document: JsonValue): (path: string) => boolean {
  if (ignored === undefined) return () => false;
  const places = ignoredPlaces(ignored, document);
  return (path) => placesOf(path, document).some((place) => covers(places, place));
}

/** True when what is ignored depends on the object's values. */
export function isByValue({ expressions }: IgnoredFields): boolean {
  return expressions.some(looksAtValues);
}
