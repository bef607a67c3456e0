import type { JsonObject, JsonValue } from "../model/json.ts";

/** One step of a field's path, in the shape in which managedFields are parsed. */
export type FieldStep =
  | { readonly by: "field"; readonly name: string }
  | { readonly by: "key"; readonly key: JsonObject }
  | { readonly by: "value"; readonly value: JsonValue }
  | { readonly by: "index"; readonly index: number };

/** The fields of one manager as a tree: what a difference is asked for. Any parsed managedFields entry of this shape will do. */
export interface OwnedFields {
  /** As rows show it; "" for the root. */
  readonly path: string;
  readonly owned: boolean;
  readonly children: readonly (OwnedFields & { readonly element: FieldStep })[];
}
