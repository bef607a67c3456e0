import assert from "node:assert/strict";
import { test } from "node:test";
import { expectAll } from "../../bench/expectation.ts";

const { signal } = new AbortController();

test("the wait ends when the last name is seen, and what comes after changes nothing", async () => {
  const expectation = expectAll(["a", "b"], { what: "letters", signal });
  expectation.seen("a");
  expectation.seen("a");
  expectation.seen("other");
  assert.equal(expectation.isOpen, true);
  expectation.seen("b");
  assert.equal(expectation.isOpen, false);
  expectation.fail(new Error("too late"));
  assert.ok((await expectation.all) <= performance.now());
});

test("nothing to wait for is seen at once", async () => {
  const expectation = expectAll([], { what: "nothing", signal });
  assert.equal(expectation.isOpen, false);
  assert.ok((await expectation.all) > 0);
});

test("when the time is up, the error names what is missing and what may be the reason", async () => {
  const expectation = expectAll(["a", "b", "c"], { what: "letters", withinMs: 1, signal, hint: () => "the alphabet is short" });
  expectation.seen("b");
  await assert.rejects(expectation.all, /letters; 2 of 3 are missing, such as a, c; the alphabet is short/);
});

test("a signal that was given before ends the wait too", async () => {
  const stopped = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(expectAll(["a"], { what: "letters", signal: stopped }).all, /stopped/);
});
