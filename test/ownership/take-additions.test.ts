import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { JsonObject } from "../../lib/model/json.ts";
import type { ManagedFieldsEntry, ObjectMeta } from "../../lib/model/resource.ts";
import { takeAdditions } from "../../lib/ownership/take-additions.ts";

function anEntry(manager: string, fieldsV1: JsonObject, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry {
  const operation = manager === "driftless" ? "Apply" : "Update";
  return { manager, operation, apiVersion: "v1", time: "2026-01-01T00:00:00Z", fieldsType: "FieldsV1", fieldsV1, ...more };
}

const object = (...managedFields: readonly ManagedFieldsEntry[]): ObjectMeta => ({ name: "web", managedFields });
const ours = anEntry("driftless", { "f:data": { "f:a": {} } });
const all = { keeps: () => false, managers: new Set<string>() };

test("what others added becomes ours, and theirs no more", () => {
  const edit = anEntry("kubectl-edit", { "f:data": { "f:a": {}, "f:b": {} } });
  assert.deepEqual(takeAdditions(object(ours, edit), all), {
    managedFields: [
      anEntry("driftless", { "f:data": { "f:a": {}, "f:b": {} } }),
      anEntry("kubectl-edit", { "f:data": { "f:a": {} } }),
    ],
    paths: ["data.b"],
    from: ["kubectl-edit"],
  });
});

test("a share of which nothing is left goes, and an item of a list goes whole", () => {
  const port = { 'k:{"port":80}': { ".": {}, "f:port": {}, "f:name": {} } };
  const edit = anEntry("kubectl-edit", {
    "f:spec": { "f:ports": { ".": {}, ...port } },
    "f:metadata": { "f:annotations": { ".": {}, "f:x": {} } },
  });
  const taken = takeAdditions(object(edit, ours), all);
  assert.deepEqual(taken?.paths, ["metadata.annotations.x", "spec.ports[port=80]"]);
  assert.deepEqual(taken?.managedFields, [
    anEntry("driftless", {
      "f:data": { "f:a": {} },
      "f:spec": { "f:ports": { ".": {}, ...port } },
      "f:metadata": { "f:annotations": { ".": {}, "f:x": {} } },
    }),
  ]);
});

test("what is kept stays theirs, also inside of an item that they added", () => {
  const item = { 'k:{"name":"x"}': { ".": {}, "f:name": {}, "f:image": {} } };
  const edit = anEntry("kubectl-edit", { "f:data": { "f:b": {}, "f:c": {} }, "f:spec": { "f:containers": item } });
  const keeps = (path: string) => path === "data.b" || path === 'spec.containers[name="x"].image';
  const taken = takeAdditions(object(edit, ours), { ...all, keeps });
  assert.deepEqual(taken?.paths, ["data.c"]);
});

test("nothing is taken of controllers, of status, of scaling, of ignored managers, nor who holds or owns the object", () => {
  const fields = { "f:data": { "f:b": {} } };
  const held = {
    "f:metadata": { "f:finalizers": { 'v:"x"': {} }, "f:ownerReferences": { 'k:{"uid":"1"}': {} } },
    "f:status": {},
  };
  const entries = [
    anEntry("kube-controller-manager", fields),
    anEntry("operator", fields, { subresource: "status" }),
    anEntry("keda", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" }),
    anEntry("injector", fields),
    anEntry("operator", held),
  ];
  assert.equal(takeAdditions(object(ours, ...entries), { ...all, managers: new Set(["injector"]) }), undefined);
});

test("inside of what we own as a whole there are no additions", () => {
  const atomic = anEntry("driftless", { "f:spec": { "f:selector": {} } });
  const edit = anEntry("kubectl-edit", { "f:spec": { "f:selector": { "f:app": {} } } });
  assert.equal(takeAdditions(object(atomic, edit), all), undefined);
});

test("an object that we have not applied is left to its owners", () => {
  assert.equal(takeAdditions(object(anEntry("kubectl-edit", { "f:data": { "f:b": {} } })), all), undefined);
});

test("a share of another version stands for ours alone until the next apply", () => {
  const old = anEntry("kubectl-edit", { "f:data": { "f:b": {} } }, { apiVersion: "v1beta1" });
  assert.deepEqual(takeAdditions(object(ours, old), all)?.managedFields, [
    anEntry("driftless", { "f:data": { "f:b": {} } }, { apiVersion: "v1beta1" }),
  ]);
});

test("taking twice takes nothing more, and what we own never shrinks", () => {
  const leaf = fc.constant<JsonObject>({});
  const fields = fc.dictionary(fc.constantFrom("f:a", "f:b", "f:c"), leaf, { minKeys: 1 });
  const tree = fc.dictionary(fc.constantFrom("f:data", "f:spec", "f:more"), fields, { minKeys: 1 });
  fc.assert(
    fc.property(tree, fc.array(tree, { maxLength: 3 }), (mine, others) => {
      const metadata = object(anEntry("driftless", mine), ...others.map((share, index) => anEntry(`m${index}`, share)));
      const taken = takeAdditions(metadata, all);
      if (taken === undefined) return;
      assert.equal(takeAdditions({ name: "web", managedFields: taken.managedFields }, all), undefined);
      const own = taken.managedFields.find(({ manager }) => manager === "driftless")?.fieldsV1 ?? {};
      for (const [name, inner] of Object.entries(mine)) {
        for (const key of Object.keys(inner)) assert.ok(Object.hasOwn(own[name] as JsonObject, key));
      }
    }),
  );
});
