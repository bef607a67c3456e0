import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../lib/model/json.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aCrd } from "../support/objects.ts";
import { aName, applied, errorOf, openCluster } from "./open.ts";

const mebi = 1024 * 1024;
const bytes = (count: number) => Buffer.alloc(count, "x").toString("base64");
/** As `base64` writes it, with line breaks, which count for nothing. */
const folded = (count: number) => bytes(count).replace(/.{76}/g, "$&\n");

interface Case {
  readonly what: string;
  readonly object: (namespace: string, more: number) => Manifest;
  readonly error: RegExp;
}

const cases: readonly Case[] = [
  {
    what: "1 MiB of text in a ConfigMap",
    object: (namespace, more) =>
      aConfigMap(namespace, "big", { a: "x".repeat(mebi / 2), "long.key": "é".repeat(mebi / 4) + "x".repeat(more) }),
    error: /^ConfigMap .*\/big is too large: its values have 1048577 bytes, and the API server takes at most 1048576; split it$/,
  },
  {
    what: "1 MiB of text and bytes in a ConfigMap",
    object: (namespace, more) => ({
      ...aConfigMap(namespace, "big", { a: "x".repeat(mebi / 2) }),
      binaryData: { b: bytes(mebi / 2 + more) },
    }),
    error: /1048577 bytes/,
  },
  {
    what: "1 MiB in a Secret",
    object: (namespace, more) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "big", namespace },
      data: { a: folded(mebi / 2) },
      stringData: { b: "x".repeat(mebi / 2 + more) },
    }),
    error: /^Secret .*\/big is too large: its values have 1048577 bytes/,
  },
  {
    what: "256 KiB of annotations",
    object: (namespace, more) => {
      const annotations = { "a.b/c": "x".repeat(mebi / 4 - 5 + more) };
      return { ...aConfigMap(namespace, "big"), metadata: { name: "big", namespace, annotations } };
    },
    error: /^ConfigMap .*\/big is too large: its annotations have 262145 bytes, and the API server takes at most 262144$/,
  },
];

for (const { what, object, error } of cases) {
  test(`F10 ${what} is applied; a byte more is refused by name, before anything is sent`, async (t) => {
    const { writer } = await openCluster(t);
    const namespace = await testNamespace("size");
    const application = aName("size");
    const [fits] = await applied(writer, { application, objects: [object(namespace, 0)] });
    assert.equal(fits?.change.action, "created", errorOf(fits));
    const before = writer.requests;
    const [result] = await applied(writer, { application, objects: [object(namespace, 1)] });
    assert.match(errorOf(result), error);
    assert.deepEqual([result?.retryable, writer.requests - before], [false, 1]);
  });
}

/** The definition, with a spec of any fields. */
function withFreeSpec(crd: Manifest): Manifest {
  const free = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: free } } };
  const spec = crd["spec"] as JsonObject;
  return { ...crd, spec: { ...spec, versions: [{ name: "v1", served: true, storage: true, schema }] } };
}

test("F10 a body of more than 3 MiB is refused before it is sent, and what the store does not take is not tried again", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("size");
  const application = aName("size");
  const crd = withFreeSpec(aCrd({ group: `${application}.example`, kind: "Note", scope: "Namespaced" }));
  const note = (size: number): Manifest => ({
    apiVersion: `${application}.example/v1`,
    kind: "Note",
    metadata: { name: "big", namespace },
    spec: { text: "x".repeat(size) },
  });
  const [made] = await applied(writer, { application, objects: [crd] });
  t.after(() => writer.delete(refOf(crd), { uid: made?.entry?.uid ?? "" }));
  const kind = { group: `${application}.example`, version: "v1", kind: "Note" };
  await until(() => writer.resourceType(kind, { fresh: true }), { what: "the new kind" });
  assert.equal((await applied(writer, { application, objects: [note(1.3 * mebi)] }))[0]?.change.action, "created");
  const costs = [];
  for (const [size, words] of [
    [3 * mebi, /^Note .*\/big is too large: it has \d{7} bytes as JSON, and the API server takes at most 3145728$/],
    [2.5 * mebi, /refused to apply Note .*\/big: .*larger than max/],
    [1.8 * mebi, /refused to apply Note .*\/big: etcdserver: request is too large/],
  ] as const) {
    const before = writer.requests;
    const [result] = await applied(writer, { application, objects: [note(size)] });
    assert.match(errorOf(result), words);
    assert.equal(result?.retryable, false);
    costs.push(writer.requests - before);
  }
  assert.deepEqual(costs, [1, 2, 2], "the LIST, and at most one apply");
});
