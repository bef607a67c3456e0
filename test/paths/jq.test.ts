import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import type { JsonValue } from "../../lib/model/json.ts";
import { jqProblem, parseJq } from "../../lib/paths/jq-parse.ts";
import { selectPlaces } from "../../lib/paths/jq-select.ts";
import { childAt } from "../../lib/paths/place.ts";

const document: JsonValue = {
  metadata: { annotations: { "example.com/a": "1", plain: "2" }, labels: { app: "web" } },
  spec: {
    replicas: 3,
    paused: false,
    containers: [
      { name: "web", image: "registry.example/web:1", args: ["-v"], env: [{ name: "A", value: "1" }] },
      { name: "proxy", image: "mirror.example/proxy:2" },
    ],
  },
};

const selected = (expression: string): readonly string[] =>
  selectPlaces(parseJq(expression), document).map((place) => place.join("/"));

suite("path expressions of jq", () => {
  const read: readonly (readonly [string, readonly string[]])[] = [
    [".spec.replicas", ["spec/replicas"]],
    [".spec.replicas?", ["spec/replicas"]],
    [".spec | .replicas", ["spec/replicas"]],
    ['.metadata.annotations."example.com/a"', ["metadata/annotations/example.com/a"]],
    ['.metadata.annotations["example.com/a"]', ["metadata/annotations/example.com/a"]],
    ['.["metadata"].["labels"]', ["metadata/labels"]],
    ['."spec"."replicas"', ["spec/replicas"]],
    [".spec.containers[].image", ["spec/containers/0/image", "spec/containers/1/image"]],
    [".spec.containers[]?.image?", ["spec/containers/0/image", "spec/containers/1/image"]],
    [".spec.containers[0].image", ["spec/containers/0/image"]],
    [".spec.containers[-1].image", ["spec/containers/1/image"]],
    [".metadata.labels[]", ["metadata/labels/app"]],
    [".spec.replicas, .spec.paused", ["spec/replicas", "spec/paused"]],
    [".spec | (.replicas, .paused)", ["spec/replicas", "spec/paused"]],
    ['.spec.containers[] | select(.name == "web") | .image', ["spec/containers/0/image"]],
    ['.spec.containers[] | select(.name != "web").image', ["spec/containers/1/image"]],
    ['.spec.containers[] | select(.name == "web" and .image == "x")', []],
    ['.spec.containers[] | select(.name == "x" or .image == "mirror.example/proxy:2") | .name', ["spec/containers/1/name"]],
    ['.spec.containers[] | select(.name | startswith("pro"))', ["spec/containers/1"]],
    ['.spec.containers[] | select(.image | endswith(":1"))', ["spec/containers/0"]],
    ['.spec.containers[] | select(.image | test("^MIRROR[.]"; "i")) | .image', ["spec/containers/1/image"]],
    ['.spec.containers[] | select(.image | contains("example/web"))', ["spec/containers/0"]],
    ['.spec.containers[] | select(has("args") | not)', ["spec/containers/1"]],
    [".spec.containers[] | select(.args)", ["spec/containers/0"]],
    ["select(.spec.paused == false) | .spec.replicas", ["spec/replicas"]],
    ["select(.spec.missing == null) | .spec.replicas", ["spec/replicas"]],
    ["select(.spec.replicas == 3) | .spec.replicas", ["spec/replicas"]],
    [
      '.spec.containers[] | select(.env[].name == "A") | .env[] | select(.name == "A") | .value',
      ["spec/containers/0/env/0/value"],
    ],
    [".spec.nothing.here", []],
    [".spec.replicas[]", []],
  ];
  for (const [expression, places] of read) {
    test(`${expression} selects ${places.length === 0 ? "nothing" : places.join(" and ")}`, () => {
      assert.deepEqual(selected(expression), places);
    });
  }

  const refused: readonly (readonly [string, string])[] = [
    ["", "at character 1: the expression ends where a path has to follow"],
    [".", "at character 1: selects the whole object: name a field, such as .spec.replicas"],
    ["spec.replicas", 'at character 1: "spec" is not read here; '],
    ["..", 'at character 1: ".." is not read here; '],
    [".spec[", "at character 7: the expression ends where a path has to follow"],
    [".spec | map(.x)", 'at character 9: "map" is not read here; '],
    [".spec.containers[1:2]", 'at character 19: "]" is missing before ":"'],
    [".a-b", 'at character 3: a name with a dash stands in quotes: ."a-b"'],
    ['.spec.name == "x"', 'at character 12: "==" names no field: it belongs into select(...)'],
    ['"text"', 'at character 1: "text" names no field: it belongs into select(...)'],
    ['.a | test("x")', 'at character 6: "test" names no field: it belongs into select(...)'],
    [".a | select(.b", 'at character 15: ")" is missing before the end'],
    [".a | select(.b, .c)", "at character 15: a condition has one value: write or"],
    ['.a | select(test("(a+)+$"))', "at character 13: a pattern must not repeat a group"],
    ['.a | select(test(".*.*.*.*"))', "at character 13: a pattern must not have more than 3 repetitions"],
    ['.a | select(test("["))', "at character 13: Invalid regular expression"],
    ['.a | select(. == "\\(.b)")', "at character 18: values in texts, as \\(...), are not read here"],
    ['.a["b', "at character 4: the text does not end"],
    [".a.#", 'at character 4: "#" is no part of jq'],
    [`.${"a".repeat(1000)}`, "at character 1001: the expression is longer than 1000 characters"],
    ["(".repeat(60), "at character 51: is nested too deeply"],
  ];
  for (const [expression, problem] of refused) {
    test(`${expression.slice(0, 40) || "nothing"} is refused, with its place`, () => {
      const found = jqProblem(expression) ?? "";
      assert.ok(found.startsWith(problem), found);
    });
  }

  test("whatever is written is read or refused, and never a fault", () => {
    const part = fc.constantFrom(
      ".",
      ".a",
      "[]",
      "[0]",
      "|",
      ",",
      "select(",
      ")",
      "==",
      "and",
      "not",
      '"x"',
      "1",
      "?",
      "-",
      " ",
      "test(",
      "..",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const problem = jqProblem(parts.join(""));
        assert.ok(problem === undefined || problem.startsWith("at character "));
      }),
    );
  });

  test("every selected place is there, and stands once", () => {
    const step = fc.constantFrom(".spec", ".containers", "[]", "[0]", "[-1]", ".image", ".name", ".metadata", "?");
    const expression = fc.array(step, { minLength: 1, maxLength: 5 }).map((steps) => `.${steps.join("").replace(/^[.?]+/, "")}`);
    fc.assert(
      fc.property(fc.array(expression, { minLength: 1, maxLength: 3 }), (parts) => {
        const text = parts.join(", ");
        if (jqProblem(text) !== undefined) return;
        const places = selectPlaces(parseJq(text), document);
        for (const place of places) {
          const value = place.reduce<JsonValue | undefined>((inner, at) => childAt(inner, at), document);
          assert.notEqual(value, undefined);
        }
        assert.equal(new Set(places.map((place) => JSON.stringify(place))).size, places.length);
      }),
    );
  });

  test("commas after each other do not multiply what is selected", () => {
    const expression = `${Array.from({ length: 60 }, () => "(., .)").join(" | ")} | .spec.replicas`;
    assert.deepEqual(selected(expression), ["spec/replicas"]);
  });
});
