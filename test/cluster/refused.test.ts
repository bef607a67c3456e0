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
