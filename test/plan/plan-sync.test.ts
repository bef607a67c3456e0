import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { InventoryEntry } from "../../lib/model/inventory.ts";
import { type ObjectMeta, type ResourceRef, resourceKey } from "../../lib/model/resource.ts";
import { fingerprintOf } from "../../lib/ownership/fingerprint.ts";
import { isSuspect } from "../../lib/ownership/suspect.ts";
import type { LiveObject } from "../../lib/plan/live-object.ts";
import { type Planned, planSync } from "../../lib/plan/plan-sync.ts";
import { compareRefs } from "../../lib/plan/stages.ts";

function anObject(kind: string, name: string, digest = "d1"): Planned {
  const ref: ResourceRef = { group: kind === "Deployment" ? "apps" : "", version: "v1", kind, namespace: "shop", name };
  return { ref, digest, manifest: { apiVersion: "v1", kind, metadata: { name, namespace: "shop" } } };
}

function metadataOf({ ref }: Planned, change: Partial<ObjectMeta> = {}): ObjectMeta {
  const ours = {
    manager: "driftless",
    operation: "Apply",
    time: "2026-03-01T10:00:00Z",
    fieldsV1: { "f:spec": { "f:replicas": {} } },
  };
  return { name: ref.name, namespace: "shop", uid: `uid-${ref.name}`, resourceVersion: "100", managedFields: [ours], ...change };
}

function entryOf(object: Planned): InventoryEntry {
  const metadata = metadataOf(object);
  const { fingerprint, appliedAt } = fingerprintOf(metadata)!;
  return {
    ref: object.ref,
    digest: object.digest,
    uid: `uid-${object.ref.name}`,
    resourceVersion: "100",
    fingerprint,
    appliedAt,
  };
}

function liveOf(...objects: readonly (readonly [Planned, ObjectMeta])[]): ReadonlyMap<string, LiveObject> {
  return new Map(objects.map(([{ ref }, metadata]) => [resourceKey(ref), { metadata }]));
}

function reasonsOf(plan: ReturnType<typeof planSync>): (readonly [string, string])[] {
  return plan.apply.map(({ object, reason }) => [object.ref.name, reason]);
}

const web = anObject("Deployment", "web");

describe("planSync", () => {
  it("applies what is new, changed or missing, and leaves the rest alone", () => {
    const [config, cache, secret] = [
      anObject("ConfigMap", "config"),
      anObject("ConfigMap", "cache", "d2"),
      anObject("Secret", "key"),
    ];
    const plan = planSync({
      objects: [web, config, cache, secret],
      inventory: [entryOf(config), entryOf({ ...cache, digest: "d1" }), entryOf(secret)],
      live: liveOf([config, metadataOf(config)], [cache, metadataOf(cache)]),
      isSuspect,
    });
    assert.deepEqual(reasonsOf(plan), [
      ["key", "missing"],
      ["cache", "changed"],
      ["web", "new"],
    ]);
    assert.deepEqual(
      plan.unchanged.map(({ ref }) => ref.name),
      ["config"],
    );
    assert.deepEqual(plan.prune, []);
  });

  it("applies what was promised to the inventory but perhaps never written", () => {
    const promised: InventoryEntry = { ref: web.ref, digest: "d1", uid: "", resourceVersion: "", fingerprint: "", appliedAt: "" };
    const plan = planSync({ objects: [web], inventory: [promised], live: liveOf([web, metadataOf(web)]), isSuspect });
    assert.deepEqual(reasonsOf(plan), [["web", "new"]]);
  });

  it("applies again what somebody recreated or took from us", () => {
    for (const change of [{ uid: "other" }, { resourceVersion: "101", managedFields: [] }] satisfies Partial<ObjectMeta>[]) {
      const plan = planSync({
        objects: [web],
        inventory: [entryOf(web)],
        live: liveOf([web, metadataOf(web, change)]),
        isSuspect,
      });
      assert.deepEqual(reasonsOf(plan), [["web", "suspect"]]);
    }
  });

  it("prunes what left the desired state, in the reverse of the apply order", () => {
    const [config, job] = [anObject("ConfigMap", "config"), anObject("Secret", "key")];
    const plan = planSync({ objects: [], inventory: [config, web, job].map(entryOf), live: new Map(), isSuspect });
    assert.deepEqual(
      plan.prune.map(({ ref }) => ref.kind),
      ["Deployment", "ConfigMap", "Secret"],
    );
  });

  it("sees one object where only the version of its API differs", () => {
    const older = entryOf(web);
    const plan = planSync({
      objects: [{ ...web, digest: "d2" }],
      inventory: [{ ...older, ref: { ...older.ref, version: "v1beta1" } }],
      live: liveOf([web, metadataOf(web)]),
      isSuspect,
    });
    assert.deepEqual(reasonsOf(plan), [["web", "changed"]]);
    assert.deepEqual(plan.prune, []);
  });

  const object = fc
    .record({
      kind: fc.constantFrom("ConfigMap", "Deployment", "Secret"),
      name: fc.stringMatching(/^[a-f]{1,2}$/),
      digest: fc.constantFrom("d1", "d2"),
    })
    .map(({ kind, name, digest }) => anObject(kind, name, digest));
  const objects = fc.uniqueArray(object, { selector: ({ ref }) => resourceKey(ref), maxLength: 12 });

  it("planning an applied state is empty", () => {
    fc.assert(
      fc.property(objects, (all) => {
        const live = liveOf(...all.map((one) => [one, metadataOf(one)] as const));
        const plan = planSync({ objects: all, inventory: all.map(entryOf), live, isSuspect });
        assert.deepEqual([plan.apply, plan.prune], [[], []]);
        assert.equal(plan.unchanged.length, all.length);
      }),
    );
  });

  it("never applies and prunes the same object, and says of every object exactly one thing", () => {
    fc.assert(
      fc.property(objects, objects, objects, (desired, owned, alive) => {
        const live = liveOf(...alive.map((one) => [one, metadataOf(one)] as const));
        const plan = planSync({ objects: desired, inventory: owned.map(entryOf), live, isSuspect });
        const told = [
          ...plan.apply.map((item) => item.object.ref),
          ...plan.unchanged.map(({ ref }) => ref),
          ...plan.prune.map(({ ref }) => ref),
        ].map(resourceKey);
        const expected = new Set([...desired, ...owned].map(({ ref }) => resourceKey(ref)));
        assert.equal(new Set(told).size, told.length);
        assert.deepEqual(new Set(told), expected);
        const wanted = new Set(desired.map(({ ref }) => resourceKey(ref)));
        assert.ok(plan.prune.every(({ ref }) => !wanted.has(resourceKey(ref))));
      }),
    );
  });

  it("orders the same, however the input is ordered", () => {
    fc.assert(
      fc.property(objects, (all) => {
        const plan = planSync({ objects: all, inventory: [], live: new Map(), isSuspect });
        const refs = plan.apply.map((item) => item.object.ref);
        assert.deepEqual(refs, refs.toReversed().sort(compareRefs));
        assert.deepEqual(planSync({ objects: all.toReversed(), inventory: [], live: new Map(), isSuspect }).apply, plan.apply);
      }),
    );
  });
});
