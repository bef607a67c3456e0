import assert from "node:assert/strict";
import { test } from "node:test";
import type { Prevention } from "../../lib/model/prevention.ts";
import { overEachTable } from "../contracts/tables.ts";

const prevention = (cluster: string, change: Partial<Prevention> = {}): Prevention => ({
  cluster,
  digest: "d1",
  objects: [{ kind: "ValidatingAdmissionPolicy", name: "driftless-prevent-0", uid: "u1", generation: 1 }],
  problem: "",
  ...change,
});

overEachTable("prevention", (table) => {
  test("a cluster that never had any has no row", async () => {
    assert.equal(await table.stores.prevention.load("us"), undefined);
    await table.stores.prevention.remove("us");
  });

  test("what was installed is known by cluster, all together, and no more once it is removed", async () => {
    const { prevention: store } = table.stores;
    await store.save(prevention("eu"));
    await store.save(prevention("ap"));
    await store.save(prevention("eu", { problem: "no right" }));
    assert.deepEqual(await store.load("eu"), prevention("eu", { problem: "no right" }));
    assert.deepEqual(await store.list(), [prevention("ap"), prevention("eu", { problem: "no right" })]);
    await store.remove("eu");
    assert.deepEqual(await store.list(), [prevention("ap")]);
  });
});
