import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { InventoryEntry } from "../../lib/model/inventory.ts";
import { type ObjectMeta, type ResourceRef, resourceKey } from "../../lib/model/resource.ts";
import type { LiveObject } from "../../lib/plan/live-object.ts";
import { pruneDigest } from "../../lib/plan/plan-hash.ts";
import { type PruneGuardRequest, pruneGuard } from "../../lib/plan/prune-guard.ts";

function anEntry(name: string, ref: Partial<ResourceRef> = {}): InventoryEntry {
  return {
    ref: { group: "", version: "v1", kind: "ConfigMap", namespace: "shop", name, ...ref },
    digest: "d",
    uid: `uid-${name}`,
    resourceVersion: "1",
    fingerprint: "f",
    appliedAt: "2026-03-01T10:00:00Z",
  };
}

function liveOf(entries: readonly InventoryEntry[], change: Partial<ObjectMeta> = {}): Map<string, LiveObject> {
  const labels = { "driftless.dev/application": "shop" };
  return new Map(
    entries.map(
      ({ ref, uid }) => [resourceKey(ref), { metadata: { name: ref.name, uid, labels, ...change } }] as [string, LiveObject],
    ),
  );
}

function guard(leaving: readonly InventoryEntry[], change: Partial<PruneGuardRequest> = {}): ReturnType<typeof pruneGuard> {
  return pruneGuard({
    application: "shop",
    leaving,
    inventoryCount: 20,
    policy: { prune: true },
    removed: false,
    approved: "",
    live: liveOf(leaving),
    ...change,
  });
}

const config = anEntry("config");
const many = (count: number): InventoryEntry[] =>
  Array.from({ length: count }, (_, index) => anEntry(`c${String(index).padStart(3, "0")}`));

describe("pruneGuard", () => {
  it("lets an object go that left the desired state and still is ours", () => {
    assert.deepEqual(guard([config]), { prune: [config], drop: [], skipped: [], blocked: "" });
  });

  it("deletes in the reverse of the apply order", () => {
    const deployment = anEntry("web", { group: "apps", kind: "Deployment" });
    assert.deepEqual(guard([config, deployment]).prune, [deployment, config]);
  });

  it("forgets what is gone already, without a word", () => {
    assert.deepEqual(guard([config], { live: new Map() }), { prune: [], drop: [config], skipped: [], blocked: "" });
  });

  it("keeps everything when the application does not prune", () => {
    const { prune, drop, skipped } = guard([config], { policy: { prune: false } });
    assert.deepEqual([prune, drop], [[], []]);
    assert.deepEqual(skipped, [{ action: "skipped", ref: config.ref, reason: "the application has `sync.prune: false`" }]);
  });

  const keeping: readonly (readonly [string, string])[] = [
    ["argocd.argoproj.io/sync-options", "Prune=false"],
    ["argocd.argoproj.io/sync-options", "Replace=true, Prune=false"],
    ["argocd.argoproj.io/sync-options", "Prune=confirm"],
    ["kustomize.toolkit.fluxcd.io/prune", "disabled"],
    ["helm.sh/resource-policy", "keep"],
  ];
  for (const [annotation, value] of keeping) {
    it(`keeps an object whose live annotation ${annotation} says ${value}, also of a removed application`, () => {
      for (const removed of [false, true]) {
        const { prune, drop, skipped } = guard([config], {
          removed,
          live: liveOf([config], { annotations: { [annotation]: value } }),
        });
        assert.deepEqual([prune, drop, skipped.length], [[], [], 1]);
        assert.match(skipped[0]!.reason, new RegExp(annotation.replaceAll(".", "\\.")));
      }
    });
  }

  it("honours Delete=false when the application is removed, and only then", () => {
    const live = liveOf([config], { annotations: { "argocd.argoproj.io/sync-options": "Delete=false" } });
    assert.deepEqual(guard([config], { live }).prune, [config]);
    assert.deepEqual(guard([config], { live, removed: true }).prune, []);
  });

  it("prunes when an annotation says otherwise", () => {
    const live = liveOf([config], { annotations: { "argocd.argoproj.io/sync-options": "Prune=true,Replace=true" } });
    assert.deepEqual(guard([config], { live }).prune, [config]);
  });

  it("G4 never deletes a Namespace or a CustomResourceDefinition by itself, and says how to", () => {
    const namespace = anEntry("shop", { kind: "Namespace", namespace: "" });
    const crd = anEntry("a.example.com", { group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", namespace: "" });
    for (const removed of [false, true]) {
      const { prune, drop, skipped } = guard([namespace, crd], { removed });
      assert.deepEqual([prune, drop], [[], []]);
      assert.match(skipped[0]!.reason, /kubectl delete namespace shop$/);
      assert.match(skipped[1]!.reason, /kubectl delete crd a\.example\.com$/);
    }
  });

  it("leaves an object alone that another application took over, and forgets it", () => {
    const moved = liveOf([config], { labels: { "driftless.dev/application": "billing" } });
    const { prune, drop, skipped } = guard([config], { live: moved });
    assert.deepEqual([prune, drop], [[], [config]]);
    assert.equal(skipped[0]!.reason, "it belongs to application billing now");
  });

  it("G5 leaves alone what lost our label, was recreated, or is owned by another object", () => {
    const changes: readonly Partial<ObjectMeta>[] = [
      { labels: {} },
      { uid: "another" },
      { ownerReferences: [{ apiVersion: "v1", kind: "Widget", name: "w", uid: "9" }] },
    ];
    for (const change of changes) {
      const { prune, drop, skipped } = guard([config], { live: liveOf([config], change) });
      assert.deepEqual([prune, drop, skipped.length], [[], [config], 1]);
    }
  });

  it("deletes what carries our label although the write was never recorded", () => {
    const promised = { ...config, uid: "" };
    assert.deepEqual(guard([promised], { live: liveOf([config]) }).prune, [promised]);
  });

  const budgets: readonly (readonly [number, number, boolean, boolean])[] = [
    [10, 10, false, true],
    [11, 54, false, false],
    [11, 55, false, true],
    [20, 100, false, true],
    [21, 100, false, false],
    [10, 10, true, true],
    [11, 11, true, false],
    [11, 1000, true, false],
  ];
  for (const [count, inventoryCount, removed, allowed] of budgets) {
    it(`${allowed ? "deletes" : "does not delete"} ${count} of ${inventoryCount} objects of ${removed ? "a removed" : "an"} application`, () => {
      const { prune, blocked } = guard(many(count), { inventoryCount, removed });
      assert.equal(prune.length, allowed ? count : 0);
      assert.equal(blocked === "", allowed);
    });
  }

  it("says how many would go, of which application, and what to do", () => {
    const { blocked } = guard(many(12), { inventoryCount: 12 });
    assert.equal(
      blocked,
      "12 of 12 objects of application shop would be deleted (ConfigMap shop/c011, ConfigMap shop/c010, ConfigMap shop/c009, ...), " +
        "and at most 10 objects, or 20 %, are deleted by one sync; nothing was deleted. " +
        "If it is meant, look at it with `driftless plan shop` and approve its hash; if not, revert the commit",
    );
  });

  it("lets a prune above the budget go when exactly these objects were approved, and no other", () => {
    const leaving = many(12);
    const approved = pruneDigest(leaving);
    assert.equal(guard(leaving, { inventoryCount: 12, approved }).prune.length, 12);
    assert.equal(guard(many(13), { inventoryCount: 13, approved }).prune.length, 0);
    const [first, ...others] = leaving as [InventoryEntry, ...InventoryEntry[]];
    const made = { ...first, uid: "made-again" };
    assert.equal(guard([made, ...others], { inventoryCount: 12, approved }).prune.length, 0);
  });

  it("does not count what it keeps or forgets", () => {
    const kept = many(30);
    const live = new Map([...liveOf(kept, { annotations: { "helm.sh/resource-policy": "keep" } }), ...liveOf([config])]);
    assert.deepEqual(guard([...kept, config], { inventoryCount: 31, live }).prune, [config]);
  });

  it("never deletes more than the budget, never what is not in the request, and decides about each object once", () => {
    const choice = fc.constantFrom<Partial<ObjectMeta> | undefined>(
      {},
      {},
      undefined,
      { uid: "another" },
      { labels: {} },
      { annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } },
    );
    fc.assert(
      fc.property(
        fc.array(choice, { maxLength: 40 }),
        fc.nat(200),
        fc.boolean(),
        fc.boolean(),
        (choices, others, removed, prunes) => {
          const leaving = many(choices.length);
          const live = new Map(leaving.flatMap((entry, index) => [...(choices[index] ? liveOf([entry], choices[index]) : [])]));
          const inventoryCount = leaving.length + others;
          const { prune, drop, skipped, blocked } = guard(leaving, { live, removed, inventoryCount, policy: { prune: prunes } });
          assert.ok(prune.length <= Math.max(10, removed ? 0 : inventoryCount / 5));
          assert.ok(prune.every((entry) => leaving.includes(entry) && !drop.includes(entry)));
          assert.ok(prune.every((entry) => live.get(resourceKey(entry.ref))?.metadata.uid === entry.uid));
          assert.ok(prunes || prune.length === 0);
          const decided = new Set([...prune, ...drop].map(({ ref }) => ref.name).concat(skipped.map(({ ref }) => ref.name)));
          assert.ok(blocked !== "" || decided.size === leaving.length);
        },
      ),
    );
  });
});
