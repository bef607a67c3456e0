import { isJsonObject, type JsonValue } from "../model/json.ts";

/** Where a value stands in a document: names of members and indexes of list items, from the root. */
export type Place = readonly (string | number)[];

/** A value with the place where it stands. */
export interface Located {
  readonly place: Place;
  readonly value: JsonValue;
}

/** Places as a tree, by which one walk through a document finds them all. */
export interface PlaceTree {
  /** True when this very place is one of them, with all that is under it. */
  readonly whole: boolean;
  readonly children: ReadonlyMap<string | number, PlaceTree>;
}

export function placeTree(places: Iterable<Place>): PlaceTree {
  interface Node extends PlaceTree {
    whole: boolean;
    readonly children: Map<string | number, Node>;
  }
  const root: Node = { whole: false, children: new Map() };
  for (const place of places) {
    let node = root;
    for (const step of place) {
      const next: Node = node.children.get(step) ?? { whole: false, children: new Map() };
      node.children.set(step, next);
      node = next;
    }
    node.whole = true;
  }
  return root;
}

/** True when a place is one of the tree's, or lies under one. */
export function covers(tree: PlaceTree, place: Place): boolean {
  let node: PlaceTree | undefined = tree;
  for (const step of place) {
    if (node.whole) return true;
    node = node.children.get(step);
    if (node === undefined) return false;
  }
  return node.whole;
}

export function isEmptyTree(tree: PlaceTree): boolean {
  return !tree.whole && tree.children.size === 0;
}

/** What stands one step further down; undefined when nothing does. */
export function childAt(value: JsonValue | undefined, step: string | number): JsonValue | undefined {
  if (typeof step === "number") return Array.isArray(value) ? (value as readonly JsonValue[])[step] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}
