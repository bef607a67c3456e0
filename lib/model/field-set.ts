import type { JsonObject, JsonValue } from "./json.ts";

/** One step of a path in FieldsV1: `f:name`, `k:{"name":"web"}` (list item by its keys), `v:"x"` (set member), `i:0` (index). */
export type PathElement =
  | { readonly by: "field"; readonly name: string }
  | { readonly by: "key"; readonly key: JsonObject }
  | { readonly by: "value"; readonly value: JsonValue }
  | { readonly by: "index"; readonly index: number };

/** The fields that one manager owns, as a tree; the root has path "" and owns nothing itself. */
export interface FieldSet {
  /** As people read it, see `displayPath`. */
  readonly path: string;
  /** True when the manager owns this very path: a scalar, an atomic list or map as a whole, a list item, an emptied map. */
  readonly owned: boolean;
  /** In the order of FieldsV1. */
  readonly children: readonly FieldNode[];
}

/** Who owns what of a live object, seen by one who leaves fields to others. */
export interface Shares {
  /** Undefined when we own nothing. */
  readonly ours: FieldSet | undefined;
  /** Of everybody else, the cluster's own controllers and every subresource included. */
  readonly others: readonly FieldSet[];
  /** What managers that are ignored own, and no foreign manager beside them does. */
  readonly ignored: readonly FieldSet[];
}

export interface FieldNode extends FieldSet {
  /** The step that leads here from the parent. */
  readonly element: PathElement;
}
