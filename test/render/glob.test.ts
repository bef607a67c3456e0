import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { compileGlobs } from "../../lib/render/glob.ts";

const matches = (glob: string, path: string): boolean => compileGlobs([glob], "directory.include")(path);

test("a glob is held to the whole path", () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["a.yaml", ["a.yaml"], ["b/a.yaml", "a.yaml.bak", "A.yaml", ""]],
    ["*.yaml", ["a.yaml", "b/a.yaml", ".yaml"], ["a.yml"]],
    ["env/**", ["env/a", "env/b/c"], ["env", "other/env/a"]],
    ["**/a.yaml", ["b/a.yaml", "b/c/a.yaml"], ["a.yaml"]],
    ["?.yaml", ["a.yaml", "é.yaml", "😀.yaml"], ["ab.yaml", ".yaml"]],
    ["[a-c].yaml", ["a.yaml", "c.yaml"], ["d.yaml", "-.yaml"]],
    ["[!a-c]x", ["dx"], ["ax"]],
    ["[^ab]x", ["cx"], ["bx"]],
    ["[a-]x", ["ax", "-x"], ["bx"]],
    ["{a,b}.yaml", ["a.yaml", "b.yaml"], ["c.yaml", "a,b.yaml"]],
    ["{*.yml,*.yaml}", ["a.yml", "b/a.yaml"], ["a.json"]],
    ["{a,b{1,2}}/x", ["a/x", "b1/x", "b2/x"], ["b/x"]],
    ["x{,.bak}", ["x", "x.bak"], ["x."]],
    ["\\*.yaml", ["*.yaml"], ["a.yaml"]],
    ["a\\{b", ["a{b"], ["ab"]],
    ["", [""], ["a"]],
  ];
  for (const [glob, yes, no] of cases) {
    for (const path of yes) assert.equal(matches(glob, path), true, `${glob} and ${path}`);
    for (const path of no) assert.equal(matches(glob, path), false, `${glob} and ${path}`);
  }
});

test("a glob that can't be meant is an error that names the option", () => {
  const refused = (glob: string, message: string) =>
    assert.throws(() => matches(glob, "a"), { name: "DriftlessError", code: "render", message });
  refused("{a,b", 'directory.include: the glob "{a,b" has a { without }: close it, or write \\{');
  refused("[ab", 'directory.include: the glob "[ab" has a [ without ]: close it, or write \\[');
  refused("{a,b}".repeat(7), `directory.include: the glob "${"{a,b}".repeat(7)}" stands for more than 64 globs: write several`);
});

test("no glob takes long, however many stars it has", () => {
  assert.equal(matches(`${"*a".repeat(400)}b`, "a".repeat(4000)), false);
});

test("text without special characters matches itself and nothing else", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(
    fc.property(text, text, (glob, path) => {
      const escaped = glob.replace(/[\\*?[{]/g, "\\$&");
      assert.equal(matches(escaped, glob), true);
      assert.equal(matches(escaped, path), path === glob);
    }),
  );
});
