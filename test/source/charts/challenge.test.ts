import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "../../../lib/source/charts/challenge.ts";

const read = (header: string): object =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test("a registry's challenges are read as they stand in the wild", () => {
  assert.deepEqual(
    read('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'),
    [["bearer", { realm: "https://auth.docker.io/token", service: "registry.docker.io", scope: "repository:a/b:pull,push" }]],
  );
  assert.deepEqual(read('Basic realm="a, \\"b\\"", BEARER Realm = "https://x/t" , service=plain'), [
    ["basic", { realm: 'a, "b"' }],
    ["bearer", { realm: "https://x/t", service: "plain" }],
  ]);
  assert.deepEqual(read("Basic"), [["basic", {}]]);
  assert.deepEqual(read('realm="before any scheme"'), []);
  assert.deepEqual(read(""), []);
});
