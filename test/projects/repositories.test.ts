import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { matchesRepository } from "../../lib/projects/repositories.ts";

const acme = "https://github.com/acme/*";

const allowed: readonly (readonly [pattern: string, repository: string])[] = [
  ["*", "https://github.com/anyone/anything"],
  ["*", "/srv/git/shop"],
  [acme, "https://github.com/acme/shop"],
  [acme, "https://github.com/acme/shop.git"],
  [acme, "https://github.com/acme/shop/"],
  [acme, "https://GitHub.com/Acme/Shop"],
  [acme, "https://user@github.com/acme/shop"],
  ["https://github.com/acme/shop", "https://github.com/acme/shop.git"],
  ["https://github.com/acme/shop.git", "https://github.com/acme/shop"],
  ["https://github.com/*", "https://github.com/acme/shop"],
  ["https://*", "https://example.com/acme/shop"],
  ["https://*.example.com/*", "https://git.example.com/acme/shop"],
  ["oci://registry.example.com/charts", "oci://registry.example.com/charts"],
  ["ssh://github.com/acme/*", "git@github.com:acme/shop.git"],
  ["git@github.com:acme/*", "ssh://git@github.com/acme/shop"],
  ["/srv/git/*", "/srv/git/shop"],
];

const refused: readonly (readonly [pattern: string, repository: string])[] = [
  ["", "https://github.com/acme/shop"],
  ["https://github.com/acme/shop", "https://github.com/acme/shop-secrets"],
  [acme, "https://github.com/acme"],
  [acme, "https://github.com/acme-evil/shop"],
  [acme, "http://github.com/acme/shop"],
  [acme, "https://github.com.evil.example/acme/shop"],
  [acme, "https://github.com@evil.example/acme/shop"],
  [acme, "https://evil.example/https://github.com/acme/shop"],
  [acme, "https://github.com:8443/acme/shop"],
  [acme, "https://github.com/acme/../evil/shop"],
  [acme, "https://github.com/acme/..%2fevil/shop"],
  [acme, "https://github.com/acme/%2E%2e/evil/shop"],
  [acme, "https://github.com/acme/./shop"],
  [acme, "https://github.com\\@evil.example/acme/shop"],
  [acme, "https://github.com/acme/x?y"],
  [acme, "https://github.com/acme/x#y"],
  [acme, "https://github.com/acme/x\n"],
  ["https://github.com*", "https://github.com.evil.example/acme/shop"],
  ["https://*.example.com/*", "https://evil.test/x.example.com/shop"],
  ["https://*/acme/shop", "https://evil.test/other/acme/shop"],
  ["https://github.com/acme/shop", "git@github.com:acme/shop.git"],
  [acme, "/https://github.com/acme/shop"],
  ["/srv/git/*", "https://srv/git/shop"],
  ["/srv/git/*", "/srv/git/../secrets"],
];

suite("the repositories of a project", () => {
  for (const [pattern, repository] of allowed)
    test(`${pattern} allows ${JSON.stringify(repository)}`, () => assert.equal(matchesRepository(pattern, repository), true));
  for (const [pattern, repository] of refused)
    test(`${pattern} does not allow ${JSON.stringify(repository)}`, () =>
      assert.equal(matchesRepository(pattern, repository), false));

  test("whatever is written, a URL of https that is allowed leads to the host and below the folder of its pattern", () => {
    const part = fc.constantFrom(
      "acme",
      "github.com",
      "evil.example",
      "..",
      ".",
      "/",
      "\\",
      "@",
      ":",
      "%2e",
      "%2f",
      "#",
      "?",
      "//",
      "",
    );
    fc.assert(
      fc.property(fc.constantFrom("", "/acme", "/acme/"), fc.array(part, { maxLength: 8 }), (begin, parts) => {
        const text = `https://github.com${begin}${parts.join("")}`;
        if (!matchesRepository(acme, text) || !URL.canParse(text)) return;
        const url = new URL(text);
        assert.equal(url.host, "github.com", text);
        assert.ok(url.pathname.toLowerCase().startsWith("/acme/"), text);
      }),
      { numRuns: 5000 },
    );
  });
});
