import type { InventoryEntry } from "../model/inventory.ts";
import { type Manifest, type ObjectMeta, type ResourceRef, resourceKey } from "../model/resource.ts";
import type { LiveObject } from "./live-object.ts";
import { compareRefs } from "./stages.ts";

/** A desired object as it will be sent, with the keyed digest of it. */
export interface Planned {
  readonly manifest: Manifest;
  readonly ref: ResourceRef;
  readonly digest: string;
}

/**
 * - `new`     the application does not own it yet
 * - `changed` it is not what was last applied
 * - `missing` it is gone from the cluster
 * - `suspect` live metadata does not prove that it still is as applied
 */
export type ApplyReason = "new" | "changed" | "missing" | "suspect";

export interface SyncPlanRequest<T extends Planned> {
  /** Each `resourceKey` at most once. */
  readonly objects: readonly T[];
  readonly inventory: readonly InventoryEntry[];
  /** Live objects by `resourceKey`. */
  readonly live: ReadonlyMap<string, LiveObject>;
  /** Whether live metadata leaves doubt that an object is as recorded. */
  readonly isSuspect: (entry: InventoryEntry, metadata: ObjectMeta) => boolean;
}

export interface SyncPlan<T extends Planned> {
  /** What has to be written, in apply order. */
  readonly apply: readonly { readonly object: T; readonly reason: ApplyReason }[];
  /** What needs no write, in apply order. */
  readonly unchanged: readonly T[];
  /** What the inventory has and the desired state has not, in prune order; the prune guard decides about each. */
  readonly prune: readonly InventoryEntry[];
}

/** What a sync would change. Planning what is applied gives nothing to apply and nothing to prune. */
export function planSync<T extends Planned>({ objects, inventory, live, isSuspect }: SyncPlanRequest<T>): SyncPlan<T> {
  const entries = new Map(inventory.map((entry) => [resourceKey(entry.ref), entry]));
  const desired = new Set(objects.map(({ ref }) => resourceKey(ref)));
  const judged = [...objects]
    .sort((a, b) => compareRefs(a.ref, b.ref))
    .map((object) => ({ object, reason: reasonToApply(object) }));
  return {
    apply: judged.flatMap(({ object, reason }) => (reason === undefined ? [] : [{ object, reason }])),
    unchanged: judged.flatMap(({ object, reason }) => (reason === undefined ? [object] : [])),
    prune: inventory.filter(({ ref }) => !desired.has(resourceKey(ref))).sort((a, b) => compareRefs(b.ref, a.ref)),
  };

  function reasonToApply({ ref, digest }: T): ApplyReason | undefined {
    const key = resourceKey(ref);
    const entry = entries.get(key);
    // An entry without uid was saved before its first write: the write may not have come about.
    if (entry === undefined || entry.uid === "") return "new";
    if (entry.digest !== digest) return "changed";
    const found = live.get(key);
    if (found === undefined) return "missing";
    return isSuspect(entry, found.metadata) ? "suspect" : undefined;
  }
}
