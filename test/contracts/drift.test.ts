import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriftRow } from "../../lib/model/drift.ts";
import type { DriftStore } from "../../lib/store/store.ts";
import { aRow } from "./rows.ts";
import { overEachTable } from "./tables.ts";

async function pages(drift: DriftStore, application: string, limit: number, since?: string): Promise<DriftRow[][]> {
  const all: DriftRow[][] = [];
  let from: string | undefined;
  do {
    const page = await drift.list({
      application,
      limit,
      ...(from !== undefined && { from }),
      ...(since !== undefined && { since }),
    });
    all.push([...page.items]);
    from = page.next;
  } while (from !== undefined && all.length < 50);
  return all;
}

overEachTable("drift", (table) => {
  test("a row that each sweep meets again is one row, first seen once", async () => {
    const { drift } = table.stores;
    await drift.record(aRow());
    await drift.record(aRow({ live: 6, firstSeen: "2025-03-01T11:59:30.000Z", lastSeen: "2025-03-01T11:59:30.000Z" }));
    assert.deepEqual(await drift.open("shop"), [aRow({ live: 6, lastSeen: "2025-03-01T11:59:30.000Z" })]);
  });

  test("another field, kind or object is another row", async () => {
    const { drift } = table.stores;
    const application = "several";
    const { desired: _d, live: _l, ...whole } = aRow({ application, kind: "missing", field: "" });
    await drift.record(aRow({ application }));
    await drift.record(aRow({ application, field: "metadata.labels.app" }));
    await drift.record(aRow({ application, ref: { ...aRow().ref, name: "api" } }));
    await drift.record(whole);
    const rows = await drift.open(application);
    assert.equal(rows.length, 4);
    assert.deepEqual(
      rows.find((row) => row.kind === "missing"),
      whole,
    );
  });

  test("one object read under another version is the same row", async () => {
    const { drift } = table.stores;
    const application = "versions";
    await drift.record(aRow({ application }));
    await drift.record(aRow({ application, ref: { ...aRow().ref, version: "v1beta1" } }));
    assert.equal((await drift.open(application)).length, 1);
  });

  test("a healed row says when and by what, and is open no more", async () => {
    const { drift } = table.stores;
    const application = "healed";
    await drift.record(aRow({ application }));
    await drift.heal(await drift.open(application), { at: "2025-03-01T11:59:40.000Z", by: "run-9" });
    assert.deepEqual(await drift.open(application), []);
    assert.deepEqual(await drift.list({ application }), {
      items: [aRow({ application, healedAt: "2025-03-01T11:59:40.000Z", healedBy: "run-9" })],
    });
  });

  test("healing twice, or what never drifted, changes nothing", async () => {
    const { drift } = table.stores;
    const application = "twice";
    await drift.record(aRow({ application }));
    await drift.heal([aRow({ application })], { at: "2025-03-01T11:59:40.000Z", by: "run-9" });
    await drift.heal([aRow({ application }), aRow({ application, field: "spec.paused" })], {
      at: "2025-03-01T11:59:50.000Z",
      by: "",
    });
    const { items } = await drift.list({ application });
    assert.deepEqual(
      items.map((row) => [row.field, row.healedAt, row.healedBy]),
      [["spec.replicas", "2025-03-01T11:59:40.000Z", "run-9"]],
    );
  });

  test("the same drift after a heal is a new row beside the healed one", async () => {
    const { drift } = table.stores;
    const application = "returns";
    await drift.record(aRow({ application }));
    await drift.heal([aRow({ application })], { at: "2025-03-01T11:59:00.000Z", by: "run-9" });
    await drift.record(aRow({ application, firstSeen: "2025-03-01T11:59:30.000Z", lastSeen: "2025-03-01T11:59:30.000Z" }));
    const { items } = await drift.list({ application });
    assert.deepEqual(
      items.map((row) => [row.firstSeen, row.healedAt]),
      [
        ["2025-03-01T11:59:30.000Z", ""],
        ["2025-03-01T11:58:30.000Z", "2025-03-01T11:59:00.000Z"],
      ],
    );
  });

  test("pages of any size list open rows first, then healed ones, newest first, each once", async () => {
    const { drift } = table.stores;
    const application = "paged";
    for (const minute of [3, 0, 6, 1, 5, 2, 4]) {
      const time = `2025-03-01T10:0${minute}:00.000Z`;
      await drift.record(aRow({ application, field: `f${minute}`, firstSeen: time, lastSeen: time }));
    }
    const rows = await drift.open(application);
    await drift.heal(
      rows.filter((row) => ["f1", "f4", "f5", "f6"].includes(row.field)),
      { at: "2025-03-01T11:00:00.000Z", by: "run-9" },
    );
    for (const limit of [1, 2, 3, 4, 7, 50]) {
      const listed = await pages(drift, application, limit);
      assert.deepEqual(
        listed.flat().map((row) => row.field),
        ["f3", "f2", "f0", "f6", "f5", "f4", "f1"],
        `pages of ${limit}`,
      );
      assert.equal(listed.length, Math.ceil(7 / limit));
    }
  });

  test("rows healed before the asked time are left out, open ones never", async () => {
    const { drift } = table.stores;
    const application = "since";
    for (const field of ["open", "early", "late"]) await drift.record(aRow({ application, field }));
    await drift.heal([aRow({ application, field: "early" })], { at: "2025-03-01T11:59:00.000Z", by: "" });
    await drift.heal([aRow({ application, field: "late" })], { at: "2025-03-01T11:59:50.000Z", by: "" });
    const listed = await pages(drift, application, 1, "2025-03-01T13:59:50+02:00");
    assert.deepEqual(
      listed.flat().map((row) => row.field),
      ["open", "late"],
    );
  });

  test("a healed row is listed for ninety days", async () => {
    const { drift } = table.stores;
    const application = "old";
    await drift.record(aRow({ application, firstSeen: "2024-11-01T00:00:00.000Z", lastSeen: "2024-11-01T00:00:00.000Z" }));
    await drift.heal([aRow({ application })], { at: "2024-12-01T11:59:59.000Z", by: "" });
    assert.deepEqual(await drift.list({ application }), { items: [] });
  });
});
