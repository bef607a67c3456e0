import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attribution, DriftRow } from "../../lib/model/drift.ts";
import { spoil } from "./faults.ts";
import { aRow } from "./rows.ts";
import { overEachTable } from "./tables.ts";

const ada: Attribution = { user: "ada", sourceIp: "192.0.2.7", userAgent: "kubectl/v1.35.0", at: "2025-03-01T11:58:00.120Z" };
const bob: Attribution = { ...ada, user: "bob", breakGlass: true };
const always = () => true;

overEachTable("who made a change", (table) => {
  const told = async (application: string) =>
    (await table.stores.drift.list({ application })).items.map(({ field, by }) => [field, by?.user ?? ""]);

  test("the matching open rows of the object say it, once, and go on saying it when a sweep meets them again", async () => {
    const { drift } = table.stores;
    const application = "told";
    const other = aRow({ application, ref: { ...aRow().ref, name: "api" }, field: "c" });
    for (const row of [aRow({ application, field: "a" }), aRow({ application, field: "b" }), other]) await drift.record(row);
    const version = { ...aRow().ref, version: "v1beta1" };
    assert.equal(await drift.attribute(application, version, ada, ({ field }) => field !== "b"), 1);
    assert.equal(await drift.attribute(application, aRow().ref, bob, ({ field }) => field === "a"), 0);
    await drift.record(aRow({ application, field: "a", live: 7 }));
    const { items } = await drift.list({ application });
    const row = items.find(({ field }) => field === "a");
    assert.deepEqual([row?.live, row?.by], [7, ada]);
    assert.deepEqual(
      new Map((await told(application)) as [string, string][]),
      new Map([
        ["a", "ada"],
        ["b", ""],
        ["c", ""],
      ]),
    );
  });

  test("a change by another manager is somebody else's, unless the new row says whose", async () => {
    const { drift } = table.stores;
    const application = "changed";
    await drift.record(aRow({ application, by: ada }));
    await drift.record(aRow({ application, manager: "" }));
    assert.deepEqual(await told(application), [["spec.replicas", ""]]);
    await drift.record(aRow({ application, manager: "", by: ada }));
    await drift.record(aRow({ application, manager: "" }));
    assert.deepEqual(await told(application), [["spec.replicas", "ada"]]);
    await drift.record(aRow({ application, manager: "kubectl-edit", by: bob }));
    assert.deepEqual(await drift.open(application), [aRow({ application, manager: "kubectl-edit", by: bob })]);
    const { items } = await drift.list({ manager: "kubectl-edit" });
    assert.deepEqual(
      items.map(({ by }) => by),
      [bob],
    );
  });

  test("a row healed within the last fifteen minutes says it too, an older one no more", async () => {
    const { drift } = table.stores;
    const application = "late";
    for (const [field, at] of [
      ["just", "2025-03-01T11:45:00.001Z"],
      ["long", "2025-03-01T11:44:59.000Z"],
    ] as const) {
      await drift.record(aRow({ application, field }));
      await drift.heal([aRow({ application, field })], { at, by: "run-9" });
    }
    assert.equal(await drift.attribute(application, aRow().ref, ada, always), 1);
    assert.deepEqual(await told(application), [
      ["just", "ada"],
      ["long", ""],
    ]);
  });

  for (const request of [2, 3]) {
    test(`a row whose heal was cut off before request ${request} says it, and keeps it once the heal is done`, async () => {
      const { drift } = table.stores;
      const application = `told-cut-${request}`;
      await drift.record(aRow({ application }));
      const client = table.anotherClient();
      spoil(client, ({ number }) => (number >= request ? "refused" : undefined));
      const healed = { at: "2025-03-01T11:59:00.000Z", by: "run-9" };
      await assert.rejects(table.storesWith({ client }).drift.heal([aRow({ application })], healed));
      assert.equal(await drift.attribute(application, aRow().ref, ada, always), 1);
      await drift.heal([aRow({ application })], healed);
      assert.deepEqual((await drift.list({ application })).items, [
        aRow({ application, by: ada, healedAt: healed.at, healedBy: "run-9" }),
      ]);
    });
  }

  test("a fight is as the last sweep found it", async () => {
    const { drift } = table.stores;
    const application = "fight";
    const fight = { managers: ["driftless", "hpa"], reverts: 4 };
    await drift.record(aRow({ application, fight }));
    assert.deepEqual(await drift.open(application), [aRow({ application, fight })]);
    await drift.record(aRow({ application }));
    assert.deepEqual(await drift.open(application), [aRow({ application })]);
  });

  test("what our syncs healed since a time is told, neither what others put right nor what was refused", async () => {
    const { drift } = table.stores;
    const application = "since";
    const heals: readonly (readonly [field: string, at: string, by: string])[] = [
      ["early", "2025-03-01T10:59:59.999Z", "run-1"],
      ["first", "2025-03-01T11:00:00.000Z", "run-2"],
      ["others", "2025-03-01T11:10:00.000Z", ""],
      ["last", "2025-03-01T11:20:00.000Z", "run-3"],
    ];
    for (const [field, at, by] of heals) {
      await drift.record(aRow({ application, field }));
      await drift.heal([aRow({ application, field })], { at, by });
    }
    await drift.record(aRow({ application, field: "refused", kind: "prevented" }));
    await drift.record(aRow({ application, field: "open" }));
    const fields = (await drift.healedSince(application, "2025-03-01T11:00:00Z")).map(({ field, healedBy }) => [field, healedBy]);
    assert.deepEqual(fields, [
      ["last", "run-3"],
      ["first", "run-2"],
    ]);
  });

  test("what the cluster refused is closed from the beginning, once for each time, and listed with what was healed", async () => {
    const { drift } = table.stores;
    const refused = (change: Partial<DriftRow> = {}) =>
      aRow({ application: "refused", kind: "prevented", manager: "kubectl-edit", cluster: "guarded", by: ada, ...change });
    await drift.record(refused());
    await drift.record(refused());
    await drift.record(refused({ firstSeen: "2025-03-01T11:59:00.000Z", healedAt: "2025-03-01T11:59:00.000Z" }));
    await drift.record(aRow({ application: "refused", cluster: "guarded" }));
    assert.deepEqual(
      (await drift.open("refused")).map(({ kind }) => kind),
      ["changed"],
    );
    for (const query of [{ application: "refused" }, { cluster: "guarded" }]) {
      assert.deepEqual((await drift.list(query)).items, [
        aRow({ application: "refused", cluster: "guarded" }),
        refused({ firstSeen: "2025-03-01T11:59:00.000Z", healedAt: "2025-03-01T11:59:00.000Z" }),
        refused({ healedAt: "2025-03-01T11:58:30.000Z" }),
      ]);
    }
  });
});
