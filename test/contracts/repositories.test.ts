import assert from "node:assert/strict";
import { test } from "node:test";
import { overEachTable } from "./tables.ts";

overEachTable("repositories", (table) => {
  test("a repository that was never bound has no id", async () => {
    assert.equal(await table.stores.repositories.get("https://github.com/acme/unknown"), undefined);
  });

  test("the first id stands, under every name that the repository goes by", async () => {
    const { repositories } = table.stores;
    assert.equal(await repositories.bind("https://github.com/Acme/Shop.git", 42), 42);
    assert.equal(await repositories.bind("https://github.com/acme/shop", 77), 42);
    assert.equal(await repositories.bind("https://github.com/acme/shop", 42), 42);
    assert.equal(await repositories.get("git@github.com:acme/shop.git"), 42);
    assert.equal(await repositories.get("https://ghe.example/acme/shop"), undefined);
  });

  test("an id that is stated stands, whatever was learnt before", async () => {
    const { repositories } = table.stores;
    await repositories.bind("https://github.com/acme/moved", 42);
    await repositories.pin("https://github.com/acme/moved.git", 77);
    assert.equal(await repositories.bind("https://github.com/acme/moved", 42), 77);
  });

  test("fifty that bind at once agree on one id", async () => {
    const { repositories } = table.stores;
    const ids = Array.from({ length: 50 }, (_, index) => index + 1);
    const stand = await Promise.all(ids.map((id) => repositories.bind("https://github.com/acme/raced", id)));
    assert.equal(new Set(stand).size, 1);
    assert.equal(await repositories.get("https://github.com/acme/raced"), stand[0]);
  });
});
