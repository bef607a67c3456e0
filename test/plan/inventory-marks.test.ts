import assert from "node:assert/strict";
import { test } from "node:test";
import type { InventoryEntry } from "../../lib/model/inventory.ts";
import { type ResourceRef, resourceKey } from "../../lib/model/resource.ts";
import { markEntries, mergeEntries, type Place, placeholder, withPlaceholders } from "../../lib/plan/inventory-marks.ts";

const refOf = (name: string): ResourceRef => ({ group: "", version: "v1", kind: "ConfigMap", namespace: "shop", name });
const entry = (name: string, more: Partial<InventoryEntry> = {}): InventoryEntry => ({
  ...placeholder(refOf(name)),
  uid: `uid-${name}`,
  ...more,
});
const placesOf = (places: Readonly<Record<string, Place>>): ReadonlyMap<string, Place> =>
  new Map(Object.entries(places).map(([name, place]) => [resourceKey(refOf(name)), place]));

test("what left the desired state is marked, keeps what it was, and loses the mark when it comes back", () => {
  const before = [entry("stays"), entry("goes", { step: 2, hook: true })];
  const marked = markEntries(before, placesOf({ stays: { step: 0, hook: false } }));
  assert.deepEqual(marked, [entry("stays"), entry("goes", { step: 2, hook: true, leaving: true })]);
  const back = markEntries(marked, placesOf({ stays: { step: 0, hook: false }, goes: { step: 1, hook: false } }));
  assert.deepEqual(back, [entry("stays"), entry("goes", { step: 1 })]);
});

test("an entry that stays as it is is the same value, so that nothing is saved for it", () => {
  const before = [entry("a"), entry("b", { step: 3 }), entry("c", { hook: true }), entry("d", { leaving: true })];
  const places = placesOf({ a: { step: 0, hook: false }, b: { step: 3, hook: false }, c: { step: 0, hook: true } });
  for (const [index, marked] of markEntries(before, places).entries()) assert.equal(marked, before[index]);
});

test("an object that is about to be created has an entry with its place, and no uid, before it is", () => {
  const entries = [entry("a")];
  const places = placesOf({ a: { step: 0, hook: false }, job: { step: 0, hook: true }, later: { step: 1, hook: false } });
  assert.deepEqual(withPlaceholders(entries, { refs: ["a", "job", "later"].map(refOf), places }), [
    entry("a"),
    { ...placeholder(refOf("job")), hook: true },
    { ...placeholder(refOf("later")), step: 1 },
  ]);
  assert.equal(withPlaceholders(entries, { refs: [refOf("a")], places }), entries);
});

test("an apply changes what is known of an object, not its place", () => {
  const applied = entry("later", { uid: "new", digest: "d" });
  assert.deepEqual(mergeEntries([entry("a"), { ...placeholder(refOf("later")), step: 1 }], [applied]), [
    entry("a"),
    { ...applied, step: 1 },
  ]);
});
