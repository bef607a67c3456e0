import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStat } from "../../bench/processes.ts";

test("CPU seconds are read past a program name with blanks and parentheses", () => {
  const text = "42 (a (very) odd name) S 1 42 42 0 -1 4194560 5 6 7 8 250 150 30 20 20 0 11 0 100 200 300\n";
  assert.deepEqual(parseStat(text), { own: 4, children: 0.5 });
});
