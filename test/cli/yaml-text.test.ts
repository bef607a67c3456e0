import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { yamlText } from "../../cli/yaml-text.ts";
import { canonicalJson, type JsonValue } from "../../lib/model/json.ts";
import { renderFolder, testRenderer } from "../render/helper.ts";
import { memoryTree } from "../render/tree.ts";

const renderer = await testRenderer();

/** What Kubernetes' decoder reads out of the text. */
async function readBack(specs: readonly JsonValue[]): Promise<readonly string[]> {
  const objects = specs.map((spec, index) => ({
    apiVersion: "example.com/v1",
    kind: "Box",
    metadata: { name: `box-${index}` },
    spec,
  }));
  const tree = memoryTree({ "app/all.yaml": yamlText(objects) });
  const read = (await renderFolder(renderer, { tree, path: "app" })).objects;
  return read.map((object) => canonicalJson(object["spec"] ?? null));
}

test("objects are printed as YAML that people read", () => {
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", labels: {}, annotations: { on: "yes", version: "1.10", note: "two\nlines\n" } },
    spec: {
      replicas: 3,
      ports: [{ port: 80, name: "http" }],
      args: ["--level=info", "a: b", "plain words"],
      none: null,
      empty: [],
    },
  };
  assert.equal(
    yamlText([object, { kind: "Next" }]),
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {}
  annotations:
    "on": "yes"
    version: "1.10"
    note: |
      two
      lines
spec:
  replicas: 3
  ports:
  - port: 80
    name: http
  args:
  - "--level=info"
  - "a: b"
  - plain words
  none: null
  empty: []
---
kind: Next
`,
  );
});

test("whatever a text looks like, it is read back as the same text", async () => {
  const texts = [
    "0o17",
    "017",
    "1_000",
    "1:30",
    "y",
    "No",
    "~",
    "null",
    "=",
    "<<",
    ".5",
    "1e3",
    "2020-01-01",
    "- a",
    "? a",
    "# a",
    "a #b",
    "a: b",
  ].concat([
    "",
    " a",
    "a ",
    "\ta",
    "a\n",
    "\na",
    "a\n\n",
    "a\n b\n",
    " a\nb",
    "a\r\nb",
    "a\u0085b\u2028c",
    "\ufeffa",
    "a\n\tb",
    "é\n日本\n😀",
    "x".repeat(3000),
  ]);
  const specs = texts.flatMap((text): JsonValue[] => [{ text }, { list: [text, [text]] }, { [text]: { [text]: 1 } }]);
  assert.deepEqual(await readBack(specs), specs.map(canonicalJson));
});

test("any JSON value is read back as it was", async () => {
  const value = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("a", ":", " ", "\n", "-", "#", "'", '"', "\t", "0", "|", "y") }),
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(
        fc.string({ maxLength: 8 }).filter((key) => key !== "__proto__"),
        tie("value"),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  })).value;
  const specs = fc.sample(value, { numRuns: 500, seed: 41 }).map((inner) => ({ inner }));
  assert.deepEqual(await readBack(specs), specs.map(canonicalJson));
});
