import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../lib/config/configuration.ts";

const clustersOf = (prevent: string) =>
  parseConfiguration({
    text: `clusters: [{ name: eu, context: admin${prevent} }]\napplications: []\n`,
    file: "driftless.yaml",
    repository: "https://github.com/acme/platform.git",
  }).clusters;

const eu = { name: "eu", kind: "kubeconfig", labels: {}, context: "admin" };

test("who gets through where drift is prevented is stated for each cluster", () => {
  assert.deepEqual(clustersOf(""), [eu]);
  assert.deepEqual(clustersOf(", prevent: { allow: { users: [keda] } }"), [
    { ...eu, prevent: { allow: { users: ["keda"], groups: [] }, breakGlassGroups: ["driftless:break-glass"] } },
  ]);
  assert.deepEqual(clustersOf(", prevent: { allow: { groups: [a, b] }, breakGlassGroups: [] }"), [
    { ...eu, prevent: { allow: { users: [], groups: ["a", "b"] }, breakGlassGroups: [] } },
  ]);
});

test("a name that is empty, or no text, is a mistake", () => {
  for (const prevent of [
    ', prevent: { breakGlassGroups: [""] }',
    ", prevent: { allow: { users: [1] } }",
    ", prevent: { deny: [] }",
  ]) {
    assert.throws(() => clustersOf(prevent), { code: "config" });
  }
});
