import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InventoryEntry } from "../../lib/model/inventory.ts";
import type { ManagedFieldsEntry, ObjectMeta } from "../../lib/model/resource.ts";
import { fingerprintOf } from "../../lib/ownership/fingerprint.ts";
import { isSuspect } from "../../lib/ownership/suspect.ts";

const ours: ManagedFieldsEntry = {
  manager: "driftless",
  operation: "Apply",
  time: "2026-03-01T10:00:00Z",
  fieldsV1: { "f:spec": { "f:image": {}, "f:replicas": {} } },
};
const applied: ObjectMeta = { name: "web", uid: "u1", resourceVersion: "100", generation: 3, managedFields: [ours] };
const entry: InventoryEntry = {
  ref: { group: "apps", version: "v1", kind: "Deployment", namespace: "shop", name: "web" },
  digest: "d",
  uid: "u1",
  resourceVersion: "100",
  fingerprint: fingerprintOf(applied)!.fingerprint,
  appliedAt: "2026-03-01T10:00:00Z",
  generation: 3,
};

const status: ManagedFieldsEntry = {
  manager: "kube-controller-manager",
  operation: "Update",
  subresource: "status",
  time: "2026-03-01T10:00:00Z",
};
const moved: ObjectMeta = { ...applied, resourceVersion: "107", managedFields: [ours, status] };

describe("isSuspect", () => {
  it("clears an object that has not moved since our apply", () => {
    assert.equal(isSuspect(entry, applied), false);
  });

  it("suspects an object that is being deleted, whoever else wrote to it", () => {
    assert.equal(isSuspect(entry, { ...moved, deletionTimestamp: "2026-03-01T10:00:00Z" }), true);
  });

  it("clears an object that only a status writer moved, even in the second of our apply", () => {
    assert.equal(isSuspect(entry, moved), false);
  });

  it("suspects another object under the same name", () => {
    assert.equal(isSuspect(entry, { ...applied, uid: "u2" }), true);
  });

  it("suspects an object that took a field from us, or lost our entry", () => {
    const robbed = { ...ours, fieldsV1: { "f:spec": { "f:image": {} } } };
    assert.equal(isSuspect(entry, { ...moved, managedFields: [robbed, status] }), true);
    assert.equal(isSuspect(entry, { ...moved, managedFields: [status] }), true);
  });

  it("suspects a later apply under our name, which shows in the time alone", () => {
    assert.equal(isSuspect(entry, { ...moved, managedFields: [{ ...ours, time: "2026-03-01T10:00:07Z" }, status] }), true);
  });

  it("suspects a write that nobody in managedFields answers for: an apply under our name in the second of ours", () => {
    assert.equal(isSuspect(entry, { ...moved, managedFields: [ours] }), true);
    assert.equal(isSuspect(entry, { ...moved, managedFields: [ours, { ...status, time: "2026-02-01T00:00:00Z" }] }), true);
  });

  it("does not let a status writer answer for a spec that moved, but lets an autoscaler", () => {
    assert.equal(isSuspect(entry, { ...moved, generation: 4 }), true);
    // As the API server writes it: without a time.
    const { time: _none, ...scale } = { ...status, subresource: "scale" };
    assert.equal(isSuspect(entry, { ...moved, generation: 4, managedFields: [ours, status, scale] }), false);
  });

  it("suspects what was promised to the inventory and never recorded as applied", () => {
    assert.equal(isSuspect({ ...entry, uid: "" }, applied), true);
  });
});
