import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  apiVersionOf,
  displayRef,
  gvkOf,
  isManifest,
  type Manifest,
  type ResourceRef,
  refOf,
  resourceKey,
} from "../../lib/model/resource.ts";

test("the core group has no name, any other stands before the slash", () => {
  assert.deepEqual(gvkOf({ apiVersion: "v1", kind: "Pod" }), { group: "", version: "v1", kind: "Pod" });
  assert.deepEqual(gvkOf({ apiVersion: "apps/v1", kind: "Deployment" }), { group: "apps", version: "v1", kind: "Deployment" });
  assert.deepEqual(gvkOf({ apiVersion: "rbac.authorization.k8s.io/v1beta1", kind: "Role" }), {
    group: "rbac.authorization.k8s.io",
    version: "v1beta1",
    kind: "Role",
  });
});

const deployment: Manifest = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "shop" } };
const node: Manifest = { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } };

test("an object is named by group, kind, namespace and name, not by its version", () => {
  assert.equal(resourceKey(refOf(deployment)), "apps/Deployment/shop/web");
  assert.equal(resourceKey(refOf(node)), "/Node//n1");
  assert.equal(resourceKey({ ...refOf(deployment), version: "v1beta2" }), resourceKey(refOf(deployment)));
});

test("people read kind, namespace and name", () => {
  assert.equal(displayRef(refOf(deployment)), "Deployment shop/web");
  assert.equal(displayRef(refOf(node)), "Node n1");
});

const whole: readonly unknown[] = [deployment, node];
const broken: readonly unknown[] = [
  undefined,
  null,
  "v1",
  [],
  {},
  { ...node, apiVersion: "" },
  { ...node, apiVersion: 1 },
  { ...node, kind: "" },
  { ...node, kind: undefined },
  { ...node, metadata: undefined },
  { ...node, metadata: [] },
  { ...node, metadata: {} },
  { ...node, metadata: { name: "" } },
  { ...node, metadata: { name: 7 } },
  { ...node, metadata: { generateName: "n-" } },
];
test("an object has an apiVersion, a kind and a name", () => {
  assert.ok(whole.every(isManifest));
  for (const value of broken) assert.equal(isManifest(value), false, JSON.stringify(value));
});

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
const refs: fc.Arbitrary<ResourceRef> = fc.record({
  group: fc.oneof(fc.constant(""), label),
  version: fc.constantFrom("v1", "v1beta1"),
  kind: fc.stringMatching(/^[A-Z][a-zA-Z]{0,8}$/),
  namespace: fc.oneof(fc.constant(""), label),
  name: label,
});

test("an apiVersion is put together as it was taken apart", () => {
  fc.assert(fc.property(refs, (ref) => assert.deepEqual(gvkOf({ apiVersion: apiVersionOf(ref), kind: ref.kind }), pick(ref))));
});

test("two objects have one key only when they are one object", () => {
  const identity = ({ group, kind, namespace, name }: ResourceRef) => [group, kind, namespace, name];
  fc.assert(
    fc.property(refs, refs, (a, b) => {
      assert.equal(resourceKey(a) === resourceKey(b), JSON.stringify(identity(a)) === JSON.stringify(identity(b)));
    }),
  );
});

const pick = ({ group, version, kind }: ResourceRef) => ({ group, version, kind });
