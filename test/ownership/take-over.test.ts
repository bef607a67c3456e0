import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { FieldSet } from "../../lib/model/field-set.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import type { ManagedFieldsEntry, ObjectMeta } from "../../lib/model/resource.ts";
import { ownedFields } from "../../lib/ownership/field-set.ts";
import { takeOver } from "../../lib/ownership/take-over.ts";

function anEntry(manager: string, fieldsV1: JsonObject, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry {
  const operation = manager === "driftless" ? "Apply" : "Update";
  return { manager, operation, apiVersion: "v1", time: "2026-01-01T00:00:00Z", fieldsType: "FieldsV1", fieldsV1, ...more };
}

const object = (...managedFields: readonly ManagedFieldsEntry[]): ObjectMeta => ({ name: "web", managedFields });
const ours = anEntry("driftless", { "f:data": { "f:a": {} } });

test("what a former deployer stated becomes ours, whatever we state of it", () => {
  const helm = anEntry("helm", { "f:data": { ".": {}, "f:a": {}, "f:b": {} } });
  const taken = takeOver(object(helm, ours));
  assert.deepEqual(taken?.from, ["helm"]);
  assert.deepEqual(taken?.managedFields, [anEntry("driftless", { "f:data": { ".": {}, "f:a": {}, "f:b": {} } })]);
});

test("the shares of several deployers are joined at once, each named once", () => {
  const applied = anEntry("kubectl", { "f:data": { "f:b": {} } }, { operation: "Apply" });
  const edited = anEntry("kubectl", { "f:data": { "f:c": {} } });
  const argo = anEntry("argocd-controller", { "f:metadata": { "f:annotations": { "f:x": {} } } });
  const taken = takeOver(object(applied, edited, argo, ours));
  assert.deepEqual(taken?.from, ["kubectl", "argocd-controller"]);
  assert.deepEqual(taken?.managedFields, [
    anEntry("driftless", { "f:data": { "f:a": {}, "f:b": {}, "f:c": {} }, "f:metadata": { "f:annotations": { "f:x": {} } } }),
  ]);
});

test("nothing is taken from controllers, autoscalers, hand edits, or through a subresource", () => {
  const others = ["kube-controller-manager", "vpa-updater", "kubectl-edit", "kubectl-scale", "Go-http-client", "helmet"].map(
    (manager) => anEntry(manager, { "f:data": { "f:a": {} } }),
  );
  const scaled = anEntry("kubectl", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" });
  assert.equal(takeOver(object(...others, scaled, ours)), undefined);
});

test("an object that we have not applied is nobody's to take", () => {
  assert.equal(takeOver(object(anEntry("helm", { "f:data": {} }))), undefined);
  assert.equal(takeOver({ name: "web" }), undefined);
});

test("who owns an object, and how it is, is not a deployer's to state", () => {
  const helm = anEntry("helm", {
    "f:data": { "f:a": {} },
    "f:metadata": { "f:ownerReferences": { 'k:{"uid":"1"}': {} }, "f:labels": { "f:app": {} } },
    "f:status": { "f:phase": {} },
  });
  const taken = takeOver(object(helm, ours));
  assert.deepEqual(taken?.managedFields[0]?.fieldsV1, { "f:data": { "f:a": {} }, "f:metadata": { "f:labels": { "f:app": {} } } });
});

test("of what nobody knows the owner, only what we state too becomes ours alone", () => {
  const unknown = anEntry("before-first-apply", { "f:data": { ".": {}, "f:a": {}, "f:b": {} }, "f:spec": { "f:clusterIP": {} } });
  const taken = takeOver(object(unknown, ours));
  assert.deepEqual(taken?.managedFields, [
    anEntry("before-first-apply", { "f:data": { ".": {}, "f:b": {} }, "f:spec": { "f:clusterIP": {} } }),
    ours,
  ]);
  assert.equal(takeOver(object(...(taken?.managedFields ?? []))), undefined, "once is enough");
});

test("where the unstated shall stay, it stays with the deployer", () => {
  const kubectl = anEntry("kubectl-create", { "f:data": { "f:a": {}, "f:b": {} } });
  const taken = takeOver(object(kubectl, ours), { keepUnstated: true });
  assert.deepEqual(taken?.managedFields, [anEntry("kubectl-create", { "f:data": { "f:b": {} } }), ours]);
  assert.equal(takeOver(object(...(taken?.managedFields ?? [])), { keepUnstated: true }), undefined);
  const same = anEntry("kubectl-create", { "f:data": { "f:a": {} } });
  assert.deepEqual(takeOver(object(same, ours), { keepUnstated: true })?.managedFields, [ours], "an empty share goes");
});

test("a share of another version stands for ours until the next apply", () => {
  const old = anEntry("helm", { "f:spec": { "f:b": {} } }, { apiVersion: "v1beta1" });
  const taken = takeOver(object(old, ours));
  assert.deepEqual(taken?.managedFields, [anEntry("driftless", { "f:spec": { "f:b": {} } }, { apiVersion: "v1beta1" })]);
});

const fieldNames = fc.constantFrom("f:a", "f:b", 'k:{"name":"x"}');
const { fields } = fc.letrec<{ readonly fields: JsonObject }>((tie) => ({
  fields: fc.oneof(
    { maxDepth: 3 },
    fc.constant({}),
    fc.dictionary(fieldNames, tie("fields"), { minKeys: 1, maxKeys: 3 }),
    fc.dictionary(fieldNames, tie("fields"), { minKeys: 1, maxKeys: 3 }).map((children) => ({ ".": {}, ...children })),
  ),
}));

/** Paths of all members of a set. */
function members(set: JsonObject): ReadonlySet<string> {
  const walk = ({ path, owned, children }: FieldSet): readonly string[] => [
    ...(owned && path !== "" ? [path] : []),
    ...children.flatMap(walk),
  ];
  return new Set(walk(ownedFields({ "f:root": set })));
}

test("joined, the two shares have the members of both; parted, the other keeps exactly what is not ours", () => {
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      const mine = anEntry("driftless", { "f:root": a });
      const theirs = anEntry("helm", { "f:root": b });
      const joined = takeOver(object(theirs, mine))?.managedFields[0]?.fieldsV1 ?? {};
      assert.deepEqual(members(joined["f:root"] as JsonObject), new Set([...members(a), ...members(b)]));

      const parted = takeOver(object(theirs, mine), { keepUnstated: true });
      const both = [...members(b)].filter((path) => members(a).has(path));
      assert.equal(parted === undefined, both.length === 0);
      if (parted === undefined) return;
      const left = parted.managedFields.find(({ manager }) => manager === "helm")?.fieldsV1?.["f:root"] as JsonObject | undefined;
      const rest = [...members(b)].filter((path) => !members(a).has(path));
      assert.deepEqual(left === undefined ? new Set() : members(left), new Set(rest));
    }),
  );
});
