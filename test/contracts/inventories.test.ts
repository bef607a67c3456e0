import assert from "node:assert/strict";
import { test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { anEntry, anInventory } from "./rows.ts";
import { overEachTable } from "./tables.ts";

overEachTable("inventories", (table) => {
  test("an application that never had an inventory has none", async () => {
    assert.equal(await table.stores.inventories.load("nobody"), undefined);
  });

  for (const entries of [0, 4, 3_000, 10_000]) {
    test(`${entries === 10_000 ? "B10: " : ""}an inventory of ${entries} entries is loaded as it was saved`, async () => {
      const { inventories } = table.stores;
      const inventory = anInventory(entries, { application: `of-${entries}` });
      await inventories.save(inventory, { fence: 1 });
      assert.deepEqual(await inventories.load(`of-${entries}`), inventory);
    });
  }

  test("a holder that lost the lease cannot save or remove, and changes nothing", async () => {
    const { inventories } = table.stores;
    const current = anInventory(2, { application: "fenced" });
    await inventories.save(current, { fence: 7 });
    for (const attempt of [
      () => inventories.save(anInventory(1, { application: "fenced" }), { fence: 6 }),
      () => inventories.remove("fenced", { fence: 6 }),
    ]) {
      await assert.rejects(attempt, (error) => isDriftlessError(error, "lease") && !error.retryable);
    }
    assert.deepEqual(await inventories.load("fenced"), current);
  });

  test("the same holder and newer ones replace it", async () => {
    const { inventories } = table.stores;
    await inventories.save(anInventory(1, { application: "replaced" }), { fence: 3 });
    await inventories.save(anInventory(2, { application: "replaced" }), { fence: 3 });
    await inventories.save(anInventory(3, { application: "replaced" }), { fence: 4 });
    assert.equal((await inventories.load("replaced"))?.entries.length, 3);
  });

  test("a removed inventory does not come back by a holder of long ago", async () => {
    const { inventories } = table.stores;
    await inventories.save(anInventory(2, { application: "gone" }), { fence: 2 });
    await inventories.remove("gone", { fence: 3 });
    assert.equal(await inventories.load("gone"), undefined);
    await assert.rejects(inventories.save(anInventory(2, { application: "gone" }), { fence: 2 }), (error) =>
      isDriftlessError(error, "lease"),
    );
    assert.equal(await inventories.load("gone"), undefined);
    await inventories.save(anInventory(1, { application: "gone" }), { fence: 4 });
    assert.deepEqual((await inventories.load("gone"))?.entries, [anEntry(0)]);
  });
});
