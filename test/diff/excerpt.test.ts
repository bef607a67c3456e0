import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { excerpt } from "../../lib/diff/excerpt.ts";

const long = (letter: string) => letter.repeat(1000);

describe("excerpt", () => {
  it("leaves short values as they are", () => {
    const pair = { from: { a: [1] }, to: "text" };
    assert.deepEqual(excerpt(pair), pair);
  });

  it("shows of two long texts what differs, with forty characters on either side", () => {
    assert.deepEqual(excerpt({ from: `${long("a")}1${long("b")}`, to: `${long("a")}22${long("b")}` }), {
      from: `…${"a".repeat(40)}1${"b".repeat(40)}…`,
      to: `…${"a".repeat(40)}22${"b".repeat(40)}…`,
    });
  });

  it("shows the beginning of a long value that has no other side, as JSON where it is no text", () => {
    assert.deepEqual(excerpt({ to: [long("a")] }), { to: `["${"a".repeat(398)}…` });
  });

  it("never shows two different values as the same, nor more than some five hundred characters of one", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "😀"), minLength: 0, maxLength: 1200 });
    fc.assert(
      fc.property(text, text, text, text, (start, one, other, end) => {
        fc.pre(one !== other);
        const { from, to } = excerpt({ from: `${start}${one}${end}`, to: `${start}${other}${end}` });
        assert.notEqual(from, to);
        assert.ok(from.length <= 402 && to.length <= 402, `${from.length} ${to.length}`);
      }),
    );
  });
});
