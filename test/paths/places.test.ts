import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { JsonValue } from "../../lib/model/json.ts";
import { placesOf } from "../../lib/paths/display-path.ts";
import { isIgnoredIn } from "../../lib/paths/ignored-fields.ts";
import { placesAt, pointerProblem } from "../../lib/paths/json-pointer.ts";

const document: JsonValue = {
  metadata: { annotations: { "a.b/c": "1", "m~n": "2" }, finalizers: ["example.com/x"] },
  spec: {
    replicas: 3,
    ports: [
      { port: 80, protocol: "TCP" },
      { port: 80, protocol: "UDP" },
    ],
    args: ["a", "b"],
  },
};
const joined = (places: readonly (readonly (string | number)[])[]) => places.map((place) => place.join(" "));

suite("JSON pointers", () => {
  const led: readonly (readonly [string, readonly string[]])[] = [
    ["/spec/replicas", ["spec replicas"]],
    ["/metadata/annotations/a.b~1c", ["metadata annotations a.b/c"]],
    ["/metadata/annotations/m~0n", ["metadata annotations m~n"]],
    ["/spec/args/1", ["spec args 1"]],
    ["/spec/args/01", []],
    ["/spec/args/2", []],
    ["/spec/args/-", []],
    ["/spec/nothing", []],
    ["/spec/replicas/deeper", []],
  ];
  for (const [pointer, places] of led) {
    test(`${pointer} leads to ${places[0] ?? "nothing"}`, () => assert.deepEqual(joined(placesAt(pointer, document)), places));
  }

  test("what is no pointer to a field is refused, with what to write", () => {
    assert.deepEqual(["", "spec.replicas", "/a/~2", "/spec/replicas"].map(pointerProblem), [
      "points at the whole object: name a field, such as /spec/replicas",
      "is no JSON pointer: it begins with a slash, as in /spec/replicas",
      "is no JSON pointer: write ~0 for a tilde, and ~1 for a slash inside of a name",
      undefined,
    ]);
  });
});

suite("paths of rows", () => {
  const led: readonly (readonly [string, readonly string[]])[] = [
    ["spec.replicas", ["spec replicas"]],
    ['metadata.annotations["a.b/c"]', ["metadata annotations a.b/c"]],
    ['metadata.finalizers[="example.com/x"]', ["metadata finalizers 0"]],
    ['spec.ports[port=80,protocol="UDP"].protocol', ["spec ports 1 protocol"]],
    ["spec.args[1]", ["spec args 1"]],
    ['spec.ports[port=81,protocol="UDP"]', []],
    ["", []],
    ["spec..replicas", []],
  ];
  for (const [path, places] of led) {
    test(`${path || "nothing"} leads to ${places[0] ?? "nothing"}`, () =>
      assert.deepEqual(joined(placesOf(path, document)), places));
  }

  test("what stands under an ignored field is ignored, and what stands around it is not", () => {
    const isIgnored = isIgnoredIn(
      {
        pointers: ["/metadata/annotations", "/spec/ports/1/protocol"],
        expressions: [],
        paths: ["spec.args"],
        managers: new Set(),
      },
      document,
    );
    const paths = [
      'metadata.annotations["m~n"]',
      "metadata",
      'spec.ports[port=80,protocol="UDP"].protocol',
      "spec.args[0]",
      "spec.replicas",
    ];
    assert.deepEqual(paths.map(isIgnored), [true, false, true, true, false]);
  });
});
