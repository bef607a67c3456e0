import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAnswer, serialiseApply } from "../../lib/cluster/wire.ts";

test("characters that a YAML reader changes are escaped, all others stand as they are", () => {
  assert.equal(
    serialiseApply({ a: "\u007f\u0085\u009f\u2028\u2029\ufeff\ufffe\uffff" }),
    '{"a":"\\u007f\\u0085\\u009f\\u2028\\u2029\\ufeff\\ufffe\\uffff"}',
  );
  assert.equal(serialiseApply({ a: "é€😀\u00a0/" }), '{"a":"é€😀\u00a0/"}');
});

test("integers beyond 2^53 are written digit by digit", () => {
  assert.equal(serialiseApply({ spec: { id: 9007199254740993n } }), '{"spec":{"id":9007199254740993}}');
});

test("half of a surrogate pair is refused with its place", () => {
  assert.throws(() => serialiseApply({ data: { list: ["fine", "\ud800"] } }), {
    code: "apply",
    message: /at data\.list\[1\] has half/,
  });
  assert.throws(() => serialiseApply({ data: { "\udc00": "" } }), { code: "apply", message: /a key of data has half/ });
  assert.equal(serialiseApply({ a: "the text \\ud800" }), '{"a":"the text \\\\ud800"}');
});

test("an answer that is no JSON object is a cluster error", () => {
  assert.throws(() => parseAnswer("<html>"), { code: "cluster", retryable: true });
  assert.throws(() => parseAnswer("[]"), { code: "cluster", retryable: false });
});
