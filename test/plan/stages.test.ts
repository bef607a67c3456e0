import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { ResourceRef } from "../../lib/model/resource.ts";
import { applyStages, compareRefs, kindOrder, pruneStages } from "../../lib/plan/stages.ts";

function aRef(kind: string, group = "", name = "x"): { readonly ref: ResourceRef } {
  return { ref: { group, version: "v1", kind, namespace: "shop", name } };
}

const kinds = (stages: readonly (readonly { readonly ref: ResourceRef }[])[]): string[][] =>
  stages.map((stage) => stage.map(({ ref }) => ref.kind));

const everything = [
  aRef("APIService", "apiregistration.k8s.io"),
  aRef("ValidatingAdmissionPolicy", "admissionregistration.k8s.io"),
  aRef("ValidatingWebhookConfiguration", "admissionregistration.k8s.io"),
  aRef("MutatingWebhookConfiguration", "admissionregistration.k8s.io"),
  aRef("Certificate", "cert-manager.io"),
  aRef("Ingress", "networking.k8s.io"),
  aRef("HorizontalPodAutoscaler", "autoscaling"),
  aRef("Job", "batch"),
  aRef("Deployment", "apps"),
  aRef("Service"),
  aRef("RoleBinding", "rbac.authorization.k8s.io"),
  aRef("PersistentVolumeClaim"),
  aRef("ConfigMap"),
  aRef("Secret"),
  aRef("Role", "rbac.authorization.k8s.io"),
  aRef("StorageClass", "storage.k8s.io"),
  aRef("ServiceAccount"),
  aRef("ResourceQuota"),
  aRef("Namespace"),
  aRef("CustomResourceDefinition", "apiextensions.k8s.io"),
];

const anyRef = fc
  .record({
    group: fc.constantFrom("", "apps", "batch", "cert-manager.io", "rbac.authorization.k8s.io"),
    kind: fc.constantFrom("Namespace", "ConfigMap", "Deployment", "Role", "RoleBinding", "Certificate", "Service"),
    namespace: fc.constantFrom("", "a", "b"),
    name: fc.constantFrom("x", "y", "z"),
  })
  .map((ref): { readonly ref: ResourceRef } => ({ ref: { ...ref, version: "v1" } }));

describe("applyStages", () => {
  it("puts what others need first, custom resources after workloads, and what intercepts requests last", () => {
    assert.deepEqual(kinds(applyStages(everything)), [
      ["CustomResourceDefinition", "Namespace"],
      ["ResourceQuota", "ServiceAccount", "StorageClass", "Role"],
      ["Secret", "ConfigMap", "PersistentVolumeClaim", "RoleBinding", "Service"],
      ["Deployment", "Job"],
      ["HorizontalPodAutoscaler", "Ingress"],
      ["Certificate"],
      ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy"],
      ["APIService"],
    ]);
  });

  it("knows a kind by its group too: a Knative Service is a custom resource", () => {
    assert.ok(kindOrder(aRef("Service", "serving.knative.dev").ref) > kindOrder(aRef("Deployment", "apps").ref));
  });

  it("gives nothing for nothing", () => {
    assert.deepEqual(applyStages([]), []);
  });

  it("keeps every object once and gives one order for every order of the input", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyRef, { selector: ({ ref }) => JSON.stringify(ref) }), fc.integer(), (objects, seed) => {
        const shuffled = [...objects].sort((a, b) => hash(a.ref, seed) - hash(b.ref, seed));
        const flat = applyStages(objects).flat();
        assert.deepEqual(applyStages(shuffled).flat(), flat);
        assert.equal(flat.length, objects.length);
        assert.deepEqual(new Set(flat), new Set(objects));
      }),
    );
  });

  it("never puts an object into an earlier stage than one that it outranks", () => {
    fc.assert(
      fc.property(fc.array(anyRef), (objects) => {
        const ranks = applyStages(objects).map((stage) => stage.map(({ ref }) => kindOrder(ref)));
        for (const [index, stage] of ranks.entries()) {
          assert.ok(index === 0 || Math.max(...ranks[index - 1]!) < Math.min(...stage));
        }
      }),
    );
  });
});

describe("compareRefs", () => {
  it("is a total order", () => {
    fc.assert(
      fc.property(anyRef, anyRef, anyRef, ({ ref: a }, { ref: b }, { ref: c }) => {
        assert.equal(Math.sign(compareRefs(a, b)), -Math.sign(compareRefs(b, a)) + 0);
        if (compareRefs(a, b) === 0) assert.deepEqual(a, b);
        if (compareRefs(a, b) <= 0 && compareRefs(b, c) <= 0) assert.ok(compareRefs(a, c) <= 0);
      }),
    );
  });
});

describe("pruneStages", () => {
  it("is the apply order backwards", () => {
    fc.assert(
      fc.property(fc.array(anyRef), (objects) => {
        assert.deepEqual(pruneStages(objects).flat(), applyStages(objects).flat().toReversed());
      }),
    );
  });

  it("deletes workloads before the configuration they use, and definitions last", () => {
    assert.deepEqual(
      kinds(
        pruneStages([aRef("ConfigMap"), aRef("CustomResourceDefinition", "apiextensions.k8s.io"), aRef("Deployment", "apps")]),
      ),
      [["Deployment"], ["ConfigMap"], ["CustomResourceDefinition"]],
    );
  });
});

function hash(ref: ResourceRef, seed: number): number {
  let value = seed | 0;
  for (const char of JSON.stringify(ref)) value = (Math.imul(value, 31) + char.charCodeAt(0)) | 0;
  return value;
}
