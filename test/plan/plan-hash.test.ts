import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { PlannedAction } from "../../lib/model/plan.ts";
import type { ResourceRef } from "../../lib/model/resource.ts";
import { type HashedChange, type HashedPlan, planHash, pruneDigest } from "../../lib/plan/plan-hash.ts";

const actions: readonly PlannedAction[] = ["create", "change", "recreate", "delete", "keep", "hook", "fail"];
const name = fc.stringMatching(/^[a-z]{1,6}$/);
const ref: fc.Arbitrary<ResourceRef> = fc.record({
  group: fc.constantFrom("", "apps", "batch"),
  version: fc.constant("v1"),
  kind: fc.constantFrom("ConfigMap", "Deployment", "Job"),
  namespace: name,
  name,
});
const change: fc.Arbitrary<HashedChange> = fc.record({ action: fc.constantFrom(...actions), ref, uid: name });
const plan: fc.Arbitrary<HashedPlan> = fc.record({
  application: name,
  cluster: name,
  revision: name,
  snapshot: name,
  changes: fc.uniqueArray(change, { selector: ({ ref: { kind, namespace, name: object } }) => `${kind}/${namespace}/${object}` }),
});
const web: ResourceRef = { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" };
const aPlan: HashedPlan = { application: "shop", cluster: "eu", revision: "6dcb09b", snapshot: "s1", changes: [] };

describe("planHash", () => {
  it("is 16 hex digits, and the same on every machine", () => {
    assert.equal(planHash({ ...aPlan, changes: [{ action: "delete", ref: web, uid: "u1" }] }), "ad9b600889edde5f");
  });

  it("does not depend on the order of the changes", () => {
    fc.assert(
      fc.property(
        plan.chain((one) => fc.tuple(fc.constant(one), fc.shuffledSubarray([...one.changes], { minLength: one.changes.length }))),
        ([one, changes]) => assert.equal(planHash({ ...one, changes }), planHash(one)),
      ),
    );
  });

  it("changes with the application, the cluster, the revision and the snapshot, and tells them apart", () => {
    const key = fc.constantFrom("application", "cluster", "revision", "snapshot");
    fc.assert(
      fc.property(plan, key, name, (one, field, text) => {
        fc.pre(one[field] !== text);
        assert.notEqual(planHash({ ...one, [field]: text }), planHash(one));
      }),
    );
    assert.notEqual(planHash({ ...aPlan, revision: "a", snapshot: "bc" }), planHash({ ...aPlan, revision: "ab", snapshot: "c" }));
  });

  it("changes when a change is added, goes, or is of another object or action", () => {
    fc.assert(
      fc.property(plan, change, (one, more) => {
        fc.pre(!one.changes.some(({ ref: { name: object } }) => object === more.ref.name));
        assert.notEqual(planHash({ ...one, changes: [...one.changes, more] }), planHash(one));
        for (const action of actions.filter((candidate) => candidate !== more.action)) {
          assert.notEqual(
            planHash({ ...one, changes: [...one.changes, { ...more, action }] }),
            planHash({ ...one, changes: [...one.changes, more] }),
          );
        }
      }),
    );
  });

  it("binds deletes and recreations to the very object, and the rest to its name", () => {
    const hashOf = (action: PlannedAction, uid: string) => planHash({ ...aPlan, changes: [{ action, ref: web, uid }] });
    assert.deepEqual(
      actions.filter((action) => hashOf(action, "u1") !== hashOf(action, "u2")),
      ["recreate", "delete"],
    );
  });

  it("is the same whichever version an object is read under", () => {
    const changes = (version: string): HashedChange[] => [{ action: "change", ref: { ...web, version }, uid: "u1" }];
    assert.equal(planHash({ ...aPlan, changes: changes("v1") }), planHash({ ...aPlan, changes: changes("v1beta1") }));
  });
});

describe("pruneDigest", () => {
  const entries = fc.uniqueArray(fc.record({ ref, uid: name }), {
    selector: ({ ref: { group, kind, namespace, name: object } }) => [group, kind, namespace, object].join("/"),
  });

  it("is 64 hex digits, also of nothing", () => {
    assert.equal(pruneDigest([]), "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945");
    assert.match(pruneDigest([{ ref: web, uid: "u1" }]), /^[0-9a-f]{64}$/);
  });

  it("changes with every object and every uid, and not by order", () => {
    fc.assert(
      fc.property(entries, fc.record({ ref, uid: name }), (some, other) => {
        assert.equal(pruneDigest(some.toReversed()), pruneDigest(some));
        fc.pre(!some.some(({ ref: { name: object } }) => object === other.ref.name));
        const more = pruneDigest([...some, other]);
        assert.notEqual(more, pruneDigest(some));
        assert.notEqual(pruneDigest([...some, { ...other, uid: `${other.uid}x` }]), more);
      }),
    );
  });
});
