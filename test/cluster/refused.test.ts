import assert from "node:assert/strict";
import { test } from "node:test";
import { refusedError } from "../../lib/cluster/refused.ts";
import type { Manifest } from "../../lib/model/resource.ts";

const ref = { group: "", version: "v1", kind: "Secret", namespace: "shop", name: "key" };

function refuse(message: string, manifest: Manifest) {
  const answer = { status: 500, contentType: "application/json", body: JSON.stringify({ kind: "Status", message }) };
  return refusedError({ verb: "apply", ref, host: "api:443", answer, manifest }).message;
}

const secret = (content: object): Manifest => ({ apiVersion: "v1", kind: "Secret", metadata: { name: "key" }, ...content });

test("the server's message about a Secret loses every value of it", () => {
  const typed =
    "failed to create typed patch object (/a; /v1, Kind=Secret): .stringData.k: expected string, got &value{Value:12345678}";
  assert.match(refuse(typed, secret({ stringData: { k: 12345678 } })), /\.stringData\.k: expected string, got \[secret\]$/);
  assert.match(refuse('data[k]: Invalid value: "x \\"canary\\"": no', secret({})), /data\[k\]: Invalid value: "\[secret\]": no$/);
  assert.match(
    refuse("webhook says canary is weak", secret({ stringData: { k: "canary" } })),
    /webhook says \[secret\] is weak$/,
  );
  assert.match(refuse("webhook says canary is weak", secret({ data: { k: "Y2FuYXJ5" } })), /webhook says \[secret\] is weak$/);
});

test("other objects keep the server's words", () => {
  const manifest: Manifest = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "key" }, data: { k: "canary" } };
  assert.match(refuse("data[k]: canary is weak", manifest), /data\[k\]: canary is weak$/);
});

test("the server's message is cut at 2,000 characters", () => {
  const manifest: Manifest = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "key" } };
  const message = refuse("x".repeat(5000), manifest);
  assert.equal(message.match(/x+…$/)?.[0].length, 2000);
});

function factsOf(status: number, causes: readonly object[]) {
  const body = JSON.stringify({ kind: "Status", message: "no", details: { causes } });
  return refusedError({ verb: "apply", ref, host: "api:443", answer: { status, contentType: "application/json", body } }).facts;
}

test("a conflict's facts name each manager with its fields, for machines and for people, at most five fields each", () => {
  const cause = (manager: string, field: string) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${manager}" using apps/v1`,
    field,
  });
  const many = Array.from({ length: 7 }, (_, index) => cause("vpa", `.spec.f${index}`));
  const facts = factsOf(409, [...many, cause("kubectl-edit", ".spec.replicas")]);
  assert.equal(facts["conflict"], "kubectl-edit, vpa");
  assert.equal(
    facts["conflictOwners"],
    ".spec.replicas from kubectl-edit and .spec.f0, .spec.f1, .spec.f2, .spec.f3, .spec.f4 and 2 more from vpa",
  );
});

test("the facts of what cannot be changed name the fields, and the server's words once", () => {
  const cause = (field: string) => ({ message: "Invalid value: 3: field is immutable", field });
  const facts = factsOf(422, [cause("spec.completions"), cause("spec.template")]);
  assert.deepEqual([facts["immutable"], facts["immutableWords"]], ["spec.completions, spec.template", "field is immutable"]);
});
