import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { matchesPath, matchesPattern } from "../../lib/projects/glob.ts";

const patterns: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
  ["*", "", true],
  ["*", "any/thing\nat all", true],
  ["shop", "shop", true],
  ["shop", "Shop", false],
  ["shop", "shopping", false],
  ["shop-*", "shop-", true],
  ["shop-*", "shop-a-b", true],
  ["shop-*", "shop", false],
  ["shop-*", "my-shop-a", false],
  ["*-shop", "a-shop", true],
  ["*-shop", "a-shop-b", false],
  ["a*b*c", "abc", true],
  ["a*b*c", "a1b2c", true],
  ["a*b*c", "acb", false],
  ["a*a", "a", false],
  ["*ab*ab*", "ab", false],
  ["*ab*ab*", "aab-abb", true],
  ["", "", true],
  ["", "a", false],
  ["a.c", "abc", false],
  ["$&*", "$&x", true],
];

const paths: readonly (readonly [glob: string, path: string, matches: boolean])[] = [
  ["deploy", "deploy", true],
  ["deploy", "deploy/a", false],
  ["deploy/*", "deploy/a", true],
  ["deploy/*", "deploy/a/b", false],
  ["deploy/*", "deploy", false],
  ["deploy/**", "deploy", true],
  ["deploy/**", "deploy/a/b", true],
  ["deploy/**", "deployment/a", false],
  ["deploy/**", "Deploy/a", false],
  ["**", "", true],
  ["**", "a/b", true],
  ["*", "", false],
  [".", "", true],
  ["**/shop", "shop", true],
  ["**/shop", "a/b/shop", true],
  ["**/shop", "a/shop/b", false],
  ["a/**/b/**/c", "a/b/c", true],
  ["a/**/b/**/c", "a/x/b/y/z/c", true],
  ["a/**/b/**/c", "a/x/c", false],
  ["apps/*-prod", "apps/eu-prod", true],
  ["./deploy/", "deploy", true],
  ["deploy/**", "./deploy//a/", true],
  ["deploy/**", "deploy/../secrets", false],
  ["**", "../secrets", false],
  ["deploy/**", "deploy/..", false],
  ["deploy/**", "deploy/..a/b..", true],
];

suite("patterns of names", () => {
  for (const [pattern, text, matches] of patterns) {
    test(`${JSON.stringify(text)} is ${matches ? "" : "not "}what ${JSON.stringify(pattern)} says`, () => {
      assert.equal(matchesPattern(pattern, text), matches);
    });
  }

  const texts = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 8 });
  const withStars = fc.string({ unit: fc.constantFrom("a", "b", "-", "*"), maxLength: 6 });

  test("a pattern says what the regular expression says in which a star is any text", () => {
    fc.assert(
      fc.property(withStars, texts, (pattern, text) => {
        assert.equal(matchesPattern(pattern, text), new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text));
      }),
    );
  });

  test("a pattern in which each star became some text is what it says", () => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 5 }), texts, (parts, between) => {
        assert.equal(matchesPattern(parts.join("*"), parts.join(between)), true);
      }),
    );
  });
});

suite("globs of paths", () => {
  for (const [glob, path, matches] of paths) {
    test(`${JSON.stringify(path)} is ${matches ? "" : "not "}what ${JSON.stringify(glob)} says`, () => {
      assert.equal(matchesPath(glob, path), matches);
    });
  }

  const folder = fc.constantFrom("a", "b", "ab");
  const globFolder = fc.constantFrom("a", "b", "*", "a*", "**");

  test("a glob says what the regular expression says in which ** is any folders and * any text without a slash", () => {
    const expression = (globs: readonly string[]): RegExp =>
      new RegExp(`^${globs.map((glob) => (glob === "**" ? "(?:[^/]+/)*" : `${glob.replaceAll("*", "[^/]*")}/`)).join("")}$`);
    fc.assert(
      fc.property(fc.array(globFolder, { maxLength: 5 }), fc.array(folder, { maxLength: 5 }), (globs, folders) => {
        const text = folders.map((name) => `${name}/`).join("");
        assert.equal(matchesPath(globs.join("/"), folders.join("/")), expression(globs).test(text));
      }),
    );
  });

  test("nothing climbs out of a glob", () => {
    fc.assert(
      fc.property(fc.array(globFolder), fc.array(folder), fc.array(folder), (globs, before, behind) => {
        assert.equal(matchesPath(globs.join("/"), [...before, "..", ...behind].join("/")), false);
      }),
    );
  });

  test("a long row of ** is no long work", () => {
    assert.equal(matchesPath(`${"**/a/".repeat(200)}b`, "a/".repeat(500)), false);
  });
});
