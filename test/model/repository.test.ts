import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { repositoryKey } from "../../lib/model/repository.ts";

const forms = [
  "https://github.com/acme/shop",
  "https://github.com/acme/shop.git",
  "https://github.com/acme/shop/",
  "https://github.com/acme/shop.git/",
  "https://GitHub.com/Acme/Shop.git",
  "https://x-access-token:abc@github.com/acme/shop.git",
  "https://github.com/acme/shop.git?ref=main",
  "http://github.com/acme/shop",
  "git://github.com/acme/shop.git",
  "ssh://git@github.com/acme/shop.git",
  "git@github.com:acme/shop.git",
  "git@github.com:acme/shop",
  "git@github.com:/acme/shop.git",
  "git@GITHUB.com:Acme/Shop",
];
for (const form of forms) {
  test(`${form} is the repository github.com/acme/shop`, () => assert.equal(repositoryKey(form), "github.com/acme/shop"));
}

const others = [
  "https://github.com/acme/shop-two",
  "https://github.com/acme/shop.github",
  "https://github.com/acme-two/shop",
  "https://github.example/acme/shop",
  "https://github.com:8443/acme/shop",
  "https://example.com/github.com/acme/shop",
  "https://github.com/acme/shop/../billing",
  "https://github.com.example.com/acme/shop",
];
for (const other of others) {
  test(`${other} is another repository`, () => assert.notEqual(repositoryKey(other), "github.com/acme/shop"));
}

test("a local path stays itself, case and all, less a trailing slash", () => {
  assert.equal(repositoryKey("/srv/Git/shop.git/"), "/srv/Git/shop.git");
  assert.equal(repositoryKey("/srv/Git/shop.git"), "/srv/Git/shop.git");
  assert.notEqual(repositoryKey("/srv/git/shop"), repositoryKey("/srv/Git/shop"));
});

test("all clone URLs of any repository have one key", () => {
  const name = fc
    .stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}[A-Za-z0-9]$/)
    .filter((text) => !text.toLowerCase().endsWith(".git"));
  const host = fc.stringMatching(/^[a-z0-9]{1,8}\.example$/);
  fc.assert(
    fc.property(host, name, name, (server, owner, repository) => {
      const path = `${server}/${owner}/${repository}`;
      const forms = [`https://${path}`, `https://${path}.git`, `ssh://git@${path}/`, `git@${server}:${owner}/${repository}.git`];
      assert.deepEqual([...new Set(forms.map(repositoryKey))], [path.toLowerCase()]);
    }),
  );
});

test("any text has a key", () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(typeof repositoryKey(text), "string")));
});
