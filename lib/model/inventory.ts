import type { ResourceRef } from "./resource.ts";

/** One object that an application owns, or may own because a sync is about to create it. */
export interface InventoryEntry {
  readonly ref: ResourceRef;
  /** Keyed digest of the object as last applied; "" before the first apply. */
  readonly digest: string;
  /** `metadata.uid` from the apply response; "" before the first apply. */
  readonly uid: string;
  /** `metadata.resourceVersion` from the apply response; "" before the first apply. */
  readonly resourceVersion: string;
  /** Hash of our own managedFields entry from the apply response; "" before the first apply. */
  readonly fingerprint: string;
  /** `time` of our own managedFields entry (RFC 3339, whole seconds); "" before the first apply. */
  readonly appliedAt: string;
  /** `metadata.generation` from the apply response; absent for kinds that have none. */
  readonly generation?: number;
  /** Hash of what other managers had set on the object in the apply response: a sweep looks for additions there. Absent for none. */
  readonly foreign?: string;
  /** True once the desired state has it no more: it is to be pruned, or kept by the prune guard; no drift is looked for. */
  readonly leaving?: true;
  /** Place of its wave among the steps of a sync, from 0; absent for the first. */
  readonly step?: number;
  /** True for a hook: it is run, and neither healed nor counted for health. */
  readonly hook?: true;
}

/** What one application owns in its cluster. */
export interface Inventory {
  readonly application: string;
  readonly cluster: string;
  readonly entries: readonly InventoryEntry[];
}
