import type { ObjectMeta } from "../model/resource.ts";

/** What a plan sees of a live object: its metadata. */
export interface LiveObject {
  readonly metadata: ObjectMeta;
}
