import assert from "node:assert/strict";
import { test } from "node:test";
import { aRead, aState, aSync } from "./rows.ts";
import { overEachTable } from "./tables.ts";

overEachTable("applications", (table) => {
  test("a state is read as it was written, long ones and exact integers too", async () => {
    const { applications } = table.stores;
    const inputs = aRead(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`apps/shop/file-${n}.yaml`, `oid-${n}`])));
    const state = aState({ inputs, lastSync: aSync(), desired: { generation: 3, revision: "r", snapshot: "s", plannedAt: "t" } });
    assert.equal(await applications.put(state), true);
    assert.deepEqual(await applications.get("shop"), state);
  });

  test("of twenty writers of the next version one wins, and the others change nothing", async () => {
    const { applications } = table.stores;
    await applications.put(aState({ application: "raced" }));
    const writers = Array.from({ length: 20 }, (_, n) => aState({ application: "raced", version: 2, planError: `writer ${n}` }));
    const won = await Promise.all(writers.map((state) => applications.put(state)));
    assert.equal(won.filter(Boolean).length, 1);
    assert.equal((await applications.get("raced"))?.planError, `writer ${won.indexOf(true)}`);
  });

  test("a new application is not written over one that exists, nor a later version over none", async () => {
    const { applications } = table.stores;
    assert.equal(await applications.put(aState({ application: "once" })), true);
    assert.equal(await applications.put(aState({ application: "once" })), false);
    assert.equal(await applications.put(aState({ application: "never", version: 2 })), false);
    assert.equal(await applications.get("never"), undefined);
  });

  test("a removed application can begin again", async () => {
    const { applications } = table.stores;
    await applications.put(aState({ application: "back" }));
    assert.equal(await applications.remove("back", { version: 1 }), true);
    assert.equal(await applications.remove("back", { version: 1 }), false);
    assert.equal(await applications.get("back"), undefined);
    assert.equal(await applications.put(aState({ application: "back" })), true);
  });

  test("an application that came back since it was read is not removed", async () => {
    const { applications } = table.stores;
    await applications.put(aState({ application: "returned", removed: true }));
    await applications.put(aState({ application: "returned", version: 2 }));
    assert.equal(await applications.remove("returned", { version: 1 }), false);
    assert.equal((await applications.get("returned"))?.version, 2);
  });
});

overEachTable("the list of applications", (table) => {
  test("all applications are listed by name, however many pages the table makes of them", async () => {
    const { applications } = table.stores;
    const noise = Array.from({ length: 4000 }, (_, n) => Math.imul(n + 1, 0x9e3779b1).toString(36)).join("");
    const names = Array.from({ length: 40 }, (_, n) => `app-${n.toString().padStart(2, "0")}`);
    for (const application of names) await applications.put(aState({ application, planError: application + noise + noise }));
    assert.deepEqual(
      (await applications.list()).map((state) => state.application),
      names,
    );
  });
});
