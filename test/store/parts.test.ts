import assert from "node:assert/strict";
import { test } from "node:test";
import { isDriftlessError } from "../../lib/errors.ts";
import { spoil } from "../contracts/faults.ts";
import { aConfigMap, anInventory } from "../contracts/rows.ts";
import { overEachTable, type TestTable } from "../contracts/tables.ts";

const partBytes = 300;

overEachTable("documents in parts", (table) => {
  test("an inventory that misses a part is an error, never a shorter inventory", async () => {
    const { inventories } = table.storesWith({ partBytes });
    await inventories.save(anInventory(30, { application: "torn" }), { fence: 1 });
    const parts = await partsOf(table, "inventory#torn");
    assert.ok(parts.length > 5);
    await loseItem(table, parts[2]!);
    await assert.rejects(inventories.load("torn"), (error) => isDriftlessError(error, "store") && !error.retryable);
  });

  test("a new inventory takes the place of a torn one", async () => {
    const { inventories } = table.storesWith({ partBytes });
    const inventory = anInventory(30, { application: "mended" });
    await inventories.save(inventory, { fence: 1 });
    await loseItem(table, (await partsOf(table, "inventory#mended"))[0]!);
    await inventories.save(inventory, { fence: 1 });
    assert.deepEqual(await inventories.load("mended"), inventory);
  });

  test("a save leaves the parts of its own version only, and a removal none", async () => {
    const { inventories } = table.storesWith({ partBytes });
    await inventories.save(anInventory(30, { application: "tidy" }), { fence: 1 });
    const before = await partsOf(table, "inventory#tidy");
    await inventories.save(anInventory(31, { application: "tidy" }), { fence: 2 });
    const after = await partsOf(table, "inventory#tidy");
    assert.deepEqual(
      after.filter((part) => before.includes(part)),
      [],
    );
    await inventories.remove("tidy", { fence: 2 });
    assert.deepEqual(await partsOf(table, "inventory#tidy"), []);
  });

  test("a save refused for its fence leaves no part behind", async () => {
    const { inventories } = table.storesWith({ partBytes });
    await inventories.save(anInventory(1, { application: "refused" }), { fence: 5 });
    const before = await partsOf(table, "inventory#refused");
    await assert.rejects(inventories.save(anInventory(30, { application: "refused" }), { fence: 4 }));
    assert.deepEqual(await partsOf(table, "inventory#refused"), before);
    assert.equal((await inventories.load("refused"))?.entries.length, 1);
  });

  test("a save cut off at any request leaves the old inventory or the new one, whole", async () => {
    const client = table.anotherClient();
    const { inventories } = table.storesWith({ partBytes, client });
    let cutOff = 0;
    for (let requests = 1; requests <= 40; requests += 1) {
      const application = `cut-${requests}`;
      await inventories.save(anInventory(6, { application }), { fence: 1 });
      const faults = spoil(client, ({ number }) => (number >= requests ? "refused" : undefined));
      const failed = await inventories.save(anInventory(9, { application }), { fence: 2 }).then(
        () => false,
        () => true,
      );
      faults.stop();
      const entries = (await inventories.load(application))?.entries.length;
      assert.ok(entries === 9 || (failed && entries === 6), `cut off at request ${requests}: ${entries} entries`);
      if (!failed) break;
      cutOff += 1;
    }
    assert.ok(cutOff >= 3 && cutOff < 40, `cut off at ${cutOff} requests`);
  });

  test("a snapshot that misses a part is not found, and the next save of it mends it", async () => {
    const { snapshots } = table.storesWith({ partBytes });
    const objects = Array.from({ length: 40 }, (_, n) => aConfigMap(`m-${n}`, `${Math.imul(n + 3, 0x9e3779b1)}`));
    const id = await snapshots.save(objects);
    const parts = await partsOf(table, `snapshot#${id}`);
    assert.ok(parts.length >= 2);
    await loseItem(table, parts[1]!);
    await assert.rejects(snapshots.load(id), (error) => isDriftlessError(error, "not-found"));
    assert.equal(await snapshots.save(objects), id);
    assert.deepEqual(await snapshots.load(id), objects);
  });

  test("a snapshot or inventory any of whose answers was lost is whole", async () => {
    const client = table.anotherClient();
    const { snapshots, inventories } = table.storesWith({ partBytes, client });
    for (let request = 1; request <= 8; request += 1) {
      const objects = Array.from({ length: 40 }, (_, n) => aConfigMap(`l-${n}`, `${Math.imul(n + request * 40, 0x9e3779b1)}`));
      const inventory = anInventory(6, { application: `lost-${request}` });
      let faults = spoil(client, ({ number }) => (number === request ? "lost" : undefined));
      const id = await snapshots.save(objects);
      faults.stop();
      faults = spoil(client, ({ number }) => (number === request ? "lost" : undefined));
      await inventories.save(inventory, { fence: 1 });
      faults.stop();
      assert.deepEqual(await snapshots.load(id), objects, `answer ${request} lost`);
      assert.deepEqual(await inventories.load(inventory.application), inventory, `answer ${request} lost`);
    }
  });

  test("an inventory read while it is being replaced is the old or the new one, whole", async () => {
    const { inventories } = table.storesWith({ partBytes });
    await inventories.save(anInventory(9, { application: "busy" }), { fence: 1 });
    const reads: Promise<number | undefined>[] = [];
    for (let round = 0; round < 10; round += 1) {
      reads.push(inventories.load("busy").then((inventory) => inventory?.entries.length));
      await inventories.save(anInventory(round % 2 === 0 ? 12 : 9, { application: "busy" }), { fence: 1 });
    }
    for (const entries of await Promise.all(reads)) assert.ok(entries === 9 || entries === 12);
  });
});

async function partsOf(table: TestTable, pk: string): Promise<string[]> {
  const items = (await table.rawItems()).filter((item) => item["pk"]?.S === pk && item["sk"]?.S?.startsWith("part#"));
  return items.map((item) => `${pk} ${item["sk"]?.S}`).toSorted();
}

async function loseItem(table: TestTable, part: string): Promise<void> {
  const [pk, sk] = part.split(" ") as [string, string];
  await table.client.call("DeleteItem", { TableName: table.table, Key: { pk: { S: pk }, sk: { S: sk } } });
}
