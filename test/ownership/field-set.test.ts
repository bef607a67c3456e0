import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { PathElement } from "../../lib/model/field-set.ts";
import { parseJson, stringifyJson } from "../../lib/model/json.ts";
import { displayPath, ownedFields, pathsOf } from "../../lib/ownership/field-set.ts";

describe("ownedFields", () => {
  it("reads set members, indexes and 64-bit keys", () => {
    const fields = ownedFields({
      "f:metadata": { "f:finalizers": { ".": {}, 'v:"example.com/hold"': {} } },
      "f:spec": { "f:rows": { "i:3": {} }, "f:parts": { 'k:{"id":1}': { ".": {} } } },
    });
    assert.deepEqual(pathsOf(fields), [
      "metadata.finalizers",
      'metadata.finalizers[="example.com/hold"]',
      "spec.rows[3]",
      "spec.parts[id=1]",
    ]);
    const big = ownedFields({ 'k:{"id":9007199254740993}': {} });
    assert.deepEqual(pathsOf(big), ["[id=9007199254740993]"]);
  });

  it("leaves out forms it does not know and keeps the rest", () => {
    assert.deepEqual(pathsOf(ownedFields({ "x:new": {}, "k:{oops": {}, "f:spec": {} })), ["spec"]);
  });

  it("gives every set of paths back as it was written, and no two paths one text", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(path, { minLength: 1, maxLength: 12, selector: (elements) => textsOf(elements).join("/") }),
        (paths) => {
          const expected = new Set(paths.map((elements) => textsOf(elements).join("\n")));
          const displayed = new Set(paths.map(displayPath));
          assert.equal(displayed.size, expected.size);
          const parsed = pathsOf(ownedFields(fieldsV1Of(paths)));
          assert.deepEqual([...parsed].sort(), [...displayed].sort());
        },
      ),
      { numRuns: 300 },
    );
  });
});

const name = fc.oneof(fc.constantFrom("spec", "a.b/c", "0", "f:x", "__proto__", ""), fc.string({ maxLength: 6 }));
const scalar = fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean());
const element: fc.Arbitrary<PathElement> = fc.oneof(
  { weight: 4, arbitrary: name.map((text): PathElement => ({ by: "field", name: text })) },
  fc.dictionary(fc.constantFrom("name", "port", "a.b"), scalar, { minKeys: 1 }).map((key): PathElement => ({ by: "key", key })),
  scalar.map((value): PathElement => ({ by: "value", value })),
  fc.nat(9).map((index): PathElement => ({ by: "index", index })),
);
const path = fc.array(element, { minLength: 1, maxLength: 4 });

function textsOf(elements: readonly PathElement[]): string[] {
  return elements.map((step) => {
    if (step.by === "field") return `f:${step.name}`;
    if (step.by === "key") return `k:${stringifyJson(step.key)}`;
    return step.by === "value" ? `v:${stringifyJson(step.value)}` : `i:${step.index}`;
  });
}

/** Writes paths the way the API server does; Maps keep "__proto__" an ordinary key until JSON makes it one. */
function fieldsV1Of(paths: readonly (readonly PathElement[])[]): Record<string, never> {
  type Tree = Map<string, Tree>;
  const root: Tree = new Map();
  for (const elements of paths) {
    let level = root;
    for (const text of textsOf(elements)) {
      const next: Tree = level.get(text) ?? new Map();
      level.set(text, next);
      level = next;
    }
    level.set(".", new Map());
  }
  const write = (tree: Tree): string =>
    `{${[...tree].map(([text, inner]) => `${JSON.stringify(text)}:${write(inner)}`).join(",")}}`;
  return parseJson(write(root)) as Record<string, never>;
}
