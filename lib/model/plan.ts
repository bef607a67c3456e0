import type { JsonValue } from "./json.ts";
import type { ResourceRef } from "./resource.ts";

/** One field that a sync would set; of a Secret the values are masked. */
export interface FieldChange {
  /** As people write it: `spec.template.spec.containers[name=web].image`; "" for the whole object. */
  readonly path: string;
  /** Absent where the field is not there yet. */
  readonly from?: JsonValue;
  /** Absent where the field goes. */
  readonly to?: JsonValue;
  /** Who owns the field and loses it; "" when nobody else does. */
  readonly manager: string;
}

/**
 * - `create`   it is not there
 * - `change`   fields differ
 * - `recreate` it has to be deleted and made again, and its annotations allow that
 * - `delete`   it left the desired state
 * - `keep`     it left the desired state, and stays for `reason`
 * - `hook`     it is run
 * - `fail`     the API server refuses it
 */
export type PlannedAction = "create" | "change" | "recreate" | "delete" | "keep" | "hook" | "fail";

/** What a sync would do with one object. */
export interface PlannedChange {
  readonly action: PlannedAction;
  readonly ref: ResourceRef;
  readonly fields: readonly FieldChange[];
  /** Why, for people; "" when the action says it. */
  readonly reason: string;
}

/** What a sync would change now. */
export interface SyncPreview {
  readonly application: string;
  readonly cluster: string;
  readonly revision: string;
  readonly snapshot: string;
  /** What an approval binds to: revision, snapshot, and every change and delete by object (deletes by uid too). */
  readonly hash: string;
  /** Digest of the deletes alone: see `Approval`. */
  readonly prune: string;
  /** In the order in which a sync does it. */
  readonly changes: readonly PlannedChange[];
  /** Objects that stay as they are. */
  readonly unchanged: number;
  /** Why nothing would be deleted although it left the desired state; "" when the prune may go on. */
  readonly blocked: string;
  /** True when the sync waits for `driftless approve` with this hash. */
  readonly needsApproval?: true;
  readonly warnings: readonly string[];
}
