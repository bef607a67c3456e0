import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "../../bench/options.ts";
import { DriftlessError } from "../../lib/errors.ts";

test("without options every case runs on 100 applications, and a table is printed", () => {
  const { only, ...options } = parseOptions([]);
  assert.deepEqual(options, { applications: 100, json: false, help: false });
  assert.ok(only.test("first-sync"));
});

test("options are read", () => {
  const { only, ...options } = parseOptions(["--json", "--only", "^one|sweep$", "--applications", "12", "--write", "page.md"]);
  assert.deepEqual(options, { applications: 12, json: true, help: false, write: "page.md" });
  assert.deepEqual(
    ["one-changed", "all-changed", "quiet-sweep"].map((name) => only.test(name)),
    [true, false, true],
  );
});

test("a wrong option is told with what it should be", () => {
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [["--applications", "0"], /whole number from 1 to 1000, not "0"/],
    [["--applications", "ten"], /whole number from 1 to 1000, not "ten"/],
    [["--applications", "1.5"], /whole number/],
    [["--only", "("], /regular expression over the names of the cases, not "\("/],
    [["--fast"], /--fast/],
    [["one-changed"], /one-changed/],
  ];
  for (const [args, message] of refused) {
    assert.throws(
      () => parseOptions(args),
      (error: unknown) => error instanceof DriftlessError && error.code === "config" && message.test(error.message),
    );
  }
});
