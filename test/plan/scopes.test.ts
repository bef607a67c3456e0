import assert from "node:assert/strict";
import { test } from "node:test";
import { scopeOf, scopesOfDefinitions } from "../../lib/plan/scopes.ts";

test("of Kubernetes' own kinds it is known without a cluster whether they have a namespace", () => {
  assert.equal(scopeOf({ group: "", kind: "ConfigMap" }), true);
  assert.equal(scopeOf({ group: "", kind: "Namespace" }), false);
  assert.equal(scopeOf({ group: "apps", kind: "Deployment" }), true);
  assert.equal(scopeOf({ group: "rbac.authorization.k8s.io", kind: "RoleBinding" }), true);
  assert.equal(scopeOf({ group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding" }), false);
  assert.equal(scopeOf({ group: "admissionregistration.k8s.io", kind: "ValidatingWebhookConfiguration" }), false);
  assert.equal(scopeOf({ group: "shop.example", kind: "Order" }), undefined);
});

test("of other kinds it is known where their definition comes along", () => {
  const definition = (kind: string, scope: string) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.toLowerCase()}s.shop.example` },
    spec: { group: "shop.example", names: { kind }, scope },
  });
  const scopes = scopesOfDefinitions([definition("Order", "Namespaced"), definition("Region", "Cluster")]);
  assert.deepEqual(
    [...scopes],
    [
      ["shop.example/Order", true],
      ["shop.example/Region", false],
    ],
  );
});
