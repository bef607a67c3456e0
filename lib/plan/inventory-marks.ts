import type { InventoryEntry } from "../model/inventory.ts";
import { type ResourceRef, resourceKey } from "../model/resource.ts";

/** Where the desired state has an object: in which step of a sync, and whether it is a hook there. */
export interface Place {
  readonly step: number;
  readonly hook: boolean;
}

/**
 * Marks what left the desired state, clears the mark of what came back, and notes the step of each; entries that stay as they
 * are are the same value.
 */
export function markEntries(entries: readonly InventoryEntry[], places: ReadonlyMap<string, Place>): readonly InventoryEntry[] {
  return entries.map((entry) => {
    const place = places.get(resourceKey(entry.ref));
    const { leaving: _leaving, step: _step, hook: _hook, ...kept } = entry;
    const marked = place === undefined ? { ...kept, ...flags(entry), leaving: true as const } : { ...kept, ...flagsOf(place) };
    return isSame(entry, marked) ? entry : marked;
  });
}

/** What is leaving keeps what it was. */
function flags({ step, hook }: InventoryEntry) {
  return { ...(step === undefined ? {} : { step }), ...(hook === undefined ? {} : { hook }) };
}

function flagsOf({ step, hook }: Place) {
  return { ...(step === 0 ? {} : { step }), ...(hook ? { hook: true as const } : {}) };
}

function isSame(a: InventoryEntry, b: InventoryEntry): boolean {
  return a.leaving === b.leaving && a.step === b.step && a.hook === b.hook;
}

/** The entries with an empty one for every object that is about to be created, so that a killed run forgets nothing. */
export function withPlaceholders(
  entries: readonly InventoryEntry[],
  { refs, places }: { readonly refs: readonly ResourceRef[]; readonly places: ReadonlyMap<string, Place> },
): readonly InventoryEntry[] {
  const known = new Set(entries.map(({ ref }) => resourceKey(ref)));
  const added = refs
    .filter((ref) => !known.has(resourceKey(ref)))
    .map((ref) => ({ ...placeholder(ref), ...flagsOf(places.get(resourceKey(ref)) ?? { step: 0, hook: false }) }));
  return added.length === 0 ? entries : [...entries, ...added];
}

export function placeholder(ref: ResourceRef): InventoryEntry {
  return { ref, digest: "", uid: "", resourceVersion: "", fingerprint: "", appliedAt: "" };
}

/** The entries as an apply left them; their marks stay. */
export function mergeEntries(entries: readonly InventoryEntry[], changed: readonly InventoryEntry[]): readonly InventoryEntry[] {
  if (changed.length === 0) return entries;
  const byKey = new Map(changed.map((entry) => [resourceKey(entry.ref), entry]));
  return entries.map((entry) => {
    const next = byKey.get(resourceKey(entry.ref));
    return next === undefined ? entry : { ...next, ...flags(entry) };
  });
}
