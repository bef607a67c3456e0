import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "../../bench/options.ts";
import { DriftlessError } from "../../lib/errors.ts";

test("without options every case runs on 100 applications, and a table is printed", () => {
  const { only, ...options } = parseOptions([]);
  assert.deepEqual(options, { applications: 100, objects: [1000, 10_000], json: false, help: false });
  assert.ok(only.test("first-sync"));
});

test("options are read", () => {
  const { only, ...options } = parseOptions([
    "--json",
    "--only",
    "^one|sweep$",
    "--applications",
    "12",
    "--objects",
    "500,20",
    "--write",
    "page.md",
  ]);
  assert.deepEqual(options, { applications: 12, objects: [20, 500], json: true, help: false, write: "page.md" });
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
    [["--objects", "100,lots"], /whole numbers from 1 to 50000 with commas between them, not "100,lots"/],
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
