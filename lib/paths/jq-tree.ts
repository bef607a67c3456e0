import type { JsonValue } from "../model/json.ts";

/** A path expression as it was read. Places come of the first six; the rest stands in conditions of `select`. */
export type Expression =
  | { readonly is: "self" }
  | { readonly is: "member"; readonly of: Expression; readonly name: string }
  | { readonly is: "item"; readonly of: Expression; readonly index: number }
  | { readonly is: "each"; readonly of: Expression }
  | { readonly is: "pipe"; readonly from: Expression; readonly to: Expression }
  | { readonly is: "comma"; readonly left: Expression; readonly right: Expression }
  | { readonly is: "select"; readonly condition: Expression }
  | { readonly is: "literal"; readonly value: JsonValue }
  | { readonly is: "compare"; readonly equal: boolean; readonly left: Expression; readonly right: Expression }
  | { readonly is: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly is: "not" }
  | { readonly is: "test"; readonly pattern: RegExp }
  | { readonly is: "startswith" | "endswith" | "contains"; readonly argument: string }
  | { readonly is: "has"; readonly argument: string | number };
