import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { diffOwned } from "../../lib/diff/diff.ts";
import { canonicalJson, isJsonObject, type JsonObject, parseJson, stringifyJson } from "../../lib/model/json.ts";
import { fieldManager, isManifest, type Manifest } from "../../lib/model/resource.ts";
import { ownedFields } from "../../lib/ownership/field-set.ts";
import { fingerprintOf } from "../../lib/ownership/fingerprint.ts";
import { judge, parseCases } from "../../scripts/yaml-cases.ts";
import { decoder } from "./decode.ts";
import { corpora, corporaOnly } from "./helper.ts";

const { decode, decodeValue } = await decoder();

/** Read by Kubernetes, refused here: what it reads would surprise whoever wrote it, or two of the field's readers disagree. */
const refusedHereOnly = [
  "cr:map",
  "deep:200",
  "deep:5000",
  "doc:end-only",
  "doc:json-dup",
  "dup:bool",
  "dup:int",
  "dup:nested",
  "dup:simple",
  "float:key",
  "merge:order",
  "tag:js-fn",
  "tag:unknown",
];

test("E1 a document is read as Kubernetes reads it, or refused", corporaOnly, async () => {
  const cases = parseCases(readFileSync(path.join(corpora ?? "", "yaml/cases.json"), "utf8"));
  const verdicts = await Promise.all(cases.map(async (each) => ({ id: each.id, ...judge(each, await decode(each.yaml)) })));
  assert.deepEqual(
    verdicts.filter(({ verdict }) => verdict === "silent"),
    [],
  );
  const refused = verdicts.filter(({ verdict }) => verdict === "refused").map(({ id }) => id);
  assert.deepEqual(refused.sort(), refusedHereOnly);
  assert.ok(cases.length >= 171);
});

/** What looks like one thing and is another; each is the value of `v`. */
const scalars: readonly (readonly [text: string, json: string])[] = [
  ["y", "true"],
  ["Off", "false"],
  ["yEs", '"yEs"'],
  ["[SE, NO]", '["SE",false]'],
  ["0644", "420"],
  ["-0777", "-511"],
  ["0o777", "511"],
  ["0X1f", "31"],
  ["08", "8"],
  ["0b101", "5"],
  ["1_000.5", "1000.5"],
  ["190:20:30", '"190:20:30"'],
  ["9007199254740993", "9007199254740993"],
  ["-9223372036854775808", "-9223372036854775808"],
  ["9223372036854775808", "9223372036854776000"],
  ["1e3", "1000"],
  ["5.", "5"],
  ["12e45678", '"12e45678"'],
  ["100m", '"100m"'],
  ["2001-12-14", '"2001-12-14"'],
  ["!!binary aGVsbG8=", '"hello"'],
  ["! 12", '"12"'],
  ["!!str 1_0", '"1_0"'],
  ['"\\u0085\\u2028\\U0001F600"', '"\u0085\u2028😀"'],
  [">\n  a\n  b\n\n   c\n", '"a b\\n\\n c\\n"'],
];

test("E1 a scalar has the value that Kubernetes gives it", async () => {
  for (const [text, json] of scalars) {
    const [document = ""] = await decodeValue(`v: ${text}\n`);
    assert.equal(stringifyJson(parseJson(document)), `{"v":${json}}`, text);
  }
});

test("E1 keys become the texts that Kubernetes makes of them", async () => {
  assert.deepEqual(await decodeValue("on: 1\n010: 2\n9007199254740993: 3\n2001-12-14: 4\n"), [
    '{"2001-12-14":4,"8":2,"9007199254740993":3,"true":1}',
  ]);
});

test("E2 a bomb of aliases is refused at once, with the place", async () => {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const previous = level === 0 ? "x" : `*a${level - 1}`;
    return `a${level}: &a${level} [${Array.from({ length: 9 }, () => previous).join(",")}]\n`;
  });
  assert.deepEqual(await decode(`# c\n${levels.join("")}`), {
    refusal: "case.yaml:2: too many aliases: the document would grow beyond all bounds",
  });
  assert.deepEqual(await decodeValue("a: 1\n"), ['{"a":1}']);
});

test("E2 more values than an object can have are refused", async () => {
  assert.deepEqual(await decode(`a: [${"x,".repeat(500_001)}]\n`), {
    refusal: "case.yaml:1: the document has more than 500000 values",
  });
});

test("E3 a map of 100,000 keys and 10,000 aliases is read", async () => {
  const [keys = ""] = await decodeValue(Array.from({ length: 100_000 }, (_, index) => `key-${index}: ${index}\n`).join(""));
  const map = parseJson(keys) as JsonObject;
  assert.equal(Object.keys(map).length, 100_000);
  assert.equal(map["key-99999"], 99_999);
  const aliases = `base: &base {a: 1}\nlist:\n${"- *base\n".repeat(10_000)}`;
  const [list = ""] = await decodeValue(aliases);
  assert.equal(list, `{"base":{"a":1},"list":[${Array.from({ length: 10_000 }, () => '{"a":1}').join(",")}]}`);
});

test("E4 nesting of any depth is refused as an error of that file, and the next file is read", async () => {
  const shapes = {
    flow: (depth: number) => `v: ${"[".repeat(depth)}${"]".repeat(depth)}\n`,
    map: (depth: number) => `v: ${"{a: ".repeat(depth)}1${"}".repeat(depth)}\n`,
    list: (depth: number) => `${"- ".repeat(depth)}x\n`,
    json: (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}\n`,
    unclosed: (depth: number) => "[".repeat(depth),
  };
  for (const [shape, write] of Object.entries(shapes)) {
    for (const depth of [5_000, 20_000, 100_000]) {
      const reading = await decode(write(depth));
      assert.match("refusal" in reading ? reading.refusal : "accepted", /^case\.yaml:1: /, `${shape} ${depth}`);
    }
  }
  const deepest = `v: ${"[".repeat(127)}${"]".repeat(127)}\n`;
  assert.deepEqual(await decodeValue(deepest), [`{"v":${"[".repeat(127)}${"]".repeat(127)}}`]);
});

test("E5 keys that mean something to JavaScript are data to every step", async () => {
  const text = [
    "apiVersion: v1",
    "kind: ConfigMap",
    "metadata: {name: a}",
    "data: {__proto__: {x: 1}, constructor: a, toString: b, hasOwnProperty: c, 10: d}",
  ].join("\n");
  const [json = ""] = await decodeValue(text);
  const object = parseJson(json);
  assert.ok(isManifest(object) && isJsonObject(object["data"]));
  const keys = ["10", "__proto__", "constructor", "hasOwnProperty", "toString"];
  assert.deepEqual(Object.keys(object["data"]).sort(), keys);
  assert.equal(stringifyJson(object), json);
  assert.equal(canonicalJson(object), json);

  const fields = { "f:data": Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) };
  const owned = ownedFields(parseJson(stringifyJson(fields)) as JsonObject);
  const live: Manifest = { ...object, data: {} };
  assert.deepEqual(
    diffOwned({ desired: object, live, owned }).map(({ path: field, desired }) => `${field} ${stringifyJson(desired ?? null)}`),
    ['data.10 "d"', 'data.__proto__ {"x":1}', 'data.constructor "a"', 'data.hasOwnProperty "c"', 'data.toString "b"'],
  );
  assert.deepEqual(diffOwned({ desired: object, live: object, owned }), []);
  const fingerprint = (fieldsV1: string): string | undefined =>
    fingerprintOf({
      name: "a",
      managedFields: [{ manager: fieldManager, operation: "Apply", fieldsV1: parseJson(fieldsV1) as JsonObject }],
    })?.fingerprint;
  assert.notEqual(fingerprint('{"f:data":{"__proto__":{}}}'), fingerprint('{"f:data":{}}'));
  assert.notEqual(fingerprint('{"f:data":{"__proto__":{}}}'), fingerprint('{"f:data":{"__proto__":{"f:x":{}}}}'));
  assert.equal(({} as { readonly x?: unknown }).x, undefined);
});
