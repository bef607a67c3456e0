import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from "../../lib/model/json.ts";

const integers: readonly (readonly [text: string, value: JsonValue])[] = [
  ["9007199254740991", 9007199254740991],
  ["9007199254740992", 9007199254740992n],
  ["9007199254740993", 9007199254740993n],
  ["-9007199254740993", -9007199254740993n],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", -9223372036854775808n],
  ["18446744073709551615", 18446744073709551615n],
];
for (const [text, value] of integers) {
  test(`the integer ${text} is read and written exactly, wherever it stands`, () => {
    assert.deepEqual(parseJson(text), value);
    assert.deepEqual(parseJson(`{"a":[${text}]}`), { a: [value] });
    assert.equal(stringifyJson({ a: [value] }), `{"a":[${text}]}`);
    assert.equal(canonicalJson({ a: [value] }), `{"a":[${text}]}`);
  });
}

test("a long number with a fraction or an exponent is a number as ever, and digits in a text stay text", () => {
  assert.deepEqual(parseJson('[0.1234567890123456, 1e20, "9007199254740993"]'), [
    0.1234567890123456,
    100000000000000000000,
    "9007199254740993",
  ]);
});

test("keys keep their order when written, and are sorted in the canonical form, at every depth", () => {
  const value = { b: 1, a: { d: [{ z: 1, y: 2 }], c: null } };
  assert.equal(stringifyJson(value), '{"b":1,"a":{"d":[{"z":1,"y":2}],"c":null}}');
  assert.equal(canonicalJson(value), '{"a":{"c":null,"d":[{"y":2,"z":1}]},"b":1}');
});

test("a key that is undefined is not there", () => {
  assert.equal(canonicalJson({ a: undefined, b: 1 }), canonicalJson({ b: 1 }));
});

for (const text of ['{"__proto__":{"x":1},"a":2}', '{"__proto__":{"x":1},"id":9007199254740993}']) {
  test(`a key named __proto__ is a key as any other: ${text}`, () => {
    const parsed = parseJson(text) as JsonObject;
    assert.equal(({} as JsonObject)["x"], undefined);
    assert.equal(parsed["x"], undefined);
    assert.equal(stringifyJson(parsed), text);
    assert.equal(canonicalJson(parsed), text);
  });
}

test("text that is no JSON is a SyntaxError, with long numbers too", () => {
  for (const text of ["", "{", "[9007199254740993", "{'a':1}", "01", "NaN"]) {
    assert.throws(() => parseJson(text), SyntaxError);
  }
});

test("only what has keys is an object", () => {
  assert.deepEqual([{}, { a: 1 }, [], null, "a", 1, 1n, true, undefined].map(isJsonObject), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "10", "9", "é", "😀"));
const large = fc.oneof(
  fc.bigInt({ min: 9007199254740992n, max: 9223372036854775807n }),
  fc.bigInt({ min: -9223372036854775808n, max: -9007199254740992n }),
);
/** A double that is an integer between 2^53 and 1e21 is written as digits, and then is a bigint. */
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => !Object.is(value, -0) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(String(value))));
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    number,
    large,
    text,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie("value")), { maxLength: 4 }).map((entries): JsonObject => Object.fromEntries(entries)),
  ),
})).value;

test("what was written reads back as it was", () => {
  fc.assert(fc.property(json, (value) => assert.deepStrictEqual(parseJson(stringifyJson(value)), value)));
});

test("the canonical form is the same value, and the same text for any order of keys", () => {
  fc.assert(
    fc.property(json, (value) => {
      const canonical = canonicalJson(value);
      assert.deepStrictEqual(parseJson(canonical), value);
      assert.equal(canonicalJson(reversed(value)), canonical);
    }),
  );
});

test("different values have different canonical forms", () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      fc.pre(stringifyJson(reversed(a)) !== stringifyJson(reversed(b)));
      assert.equal(canonicalJson(a) === canonicalJson(b), sameValue(a, b));
    }),
  );
});

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => reversed(item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, reversed(inner ?? null)] as const)
      .toReversed(),
  );
}

function sameValue(a: JsonValue, b: JsonValue): boolean {
  try {
    assert.deepStrictEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

test("a key with an escape is read as it is written, whatever keys were read before", () => {
  const spoilt = '{"place":[],"key\\\\":0}';
  assert.deepEqual(Object.keys(parseJson(spoilt) as JsonObject), ["place", "key\\"]);
  JSON.parse(spoilt);
  for (const [written, key] of [
    ['key\\"', 'key"'],
    ["key\\n", "key\n"],
    ["key\\u0041", "keyA"],
    ["\\u005f_proto__", "__proto__"],
  ]) {
    const text = `{"place": [9007199254740993, "\\\\"], "${written}" : {"${written}": "\\"${written}\\": "}}`;
    assert.equal(
      stringifyJson(parseJson(text)),
      `{"place":[9007199254740993,"\\\\"],${JSON.stringify(key)}:{${JSON.stringify(key)}:${JSON.stringify(`"${key}": `)}}}`,
    );
  }
  assert.throws(() => parseJson('{"a\\n": 1,}'), SyntaxError);
  assert.throws(() => parseJson('{"a\\n": 1} "b\\n": 2'), SyntaxError);
});

test("values with keys of any characters survive writing and reading", () => {
  const key = fc.string({
    unit: fc.constantFrom("\\", '"', "\n", ":", ",", "{", "a", "é", " ", "u", "0", "k", "v"),
    maxLength: 5,
  });
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.maxSafeInteger(),
      key,
      fc.array(tie("value")),
      fc.dictionary(key, tie("value")),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      assert.equal(stringifyJson(parseJson(stringifyJson(given))), stringifyJson(given));
      assert.equal(canonicalJson(parseJson(JSON.stringify(given, undefined, 2))), canonicalJson(given));
    }),
    { numRuns: 500 },
  );
});
