import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriftQuery } from "../../lib/store/store.ts";
import { spoil } from "../contracts/faults.ts";
import { aRow } from "../contracts/rows.ts";
import { overEachTable } from "../contracts/tables.ts";

const healed = { at: "2025-03-01T11:59:40.000Z", by: "run-9" };

overEachTable("drift rows and crashes", (table) => {
  for (const request of [1, 2, 3]) {
    for (const fault of ["refused", "lost"] as const) {
      test(`a heal cut off at request ${request} (${fault}) neither loses nor doubles the row, and can be done again`, async () => {
        const application = `cut-${request}-${fault}`;
        const { drift } = table.stores;
        const client = table.anotherClient();
        await drift.record(aRow({ application, cluster: application }));
        await drift.record(
          aRow({ application, cluster: application, field: "metadata.labels.app", firstSeen: "2025-03-01T11:57:00.000Z" }),
        );
        // From that request on, nothing comes back: so the client's own retries do not help.
        spoil(client, ({ number }) => (number === request ? fault : number > request ? "refused" : undefined));
        await assert.rejects(table.storesWith({ client }).drift.heal([aRow({ application })], healed));
        const marked = request > 1 || fault === "lost";
        for (const query of [{ application }, { cluster: application }]) {
          for (const limit of [1, 50]) {
            const rows = await listed(query, limit);
            assert.deepEqual(rows.toSorted(), ["metadata.labels.app ", `spec.replicas ${marked ? healed.at : ""}`]);
          }
        }
        await drift.heal([aRow({ application })], { at: "2025-03-01T11:59:50.000Z", by: "run-10" });
        for (const query of [{ application }, { cluster: application }]) {
          assert.deepEqual(await listed(query, 1), [
            "metadata.labels.app ",
            `spec.replicas ${marked ? healed.at : "2025-03-01T11:59:50.000Z"}`,
          ]);
        }
        assert.equal((await table.rawItems()).filter((item) => item["pk"]?.S === `drift#${application}`).length, 2);
      });
    }
  }

  test("drift that returns after a heal was cut off is a new row beside the healed one", async () => {
    const application = "returns";
    const { drift } = table.stores;
    const client = table.anotherClient();
    await drift.record(aRow({ application }));
    spoil(client, ({ operation }) => (operation === "UpdateItem" ? undefined : "refused"));
    await assert.rejects(table.storesWith({ client }).drift.heal([aRow({ application })], healed));
    assert.deepEqual(await drift.open(application), []);
    await drift.record(aRow({ application, firstSeen: "2025-03-01T12:00:00.000Z", lastSeen: "2025-03-01T12:00:00.000Z" }));
    const { items } = await drift.list({ application });
    assert.deepEqual(
      items.map((row) => [row.firstSeen, row.healedAt]),
      [
        ["2025-03-01T12:00:00.000Z", ""],
        ["2025-03-01T11:58:30.000Z", healed.at],
      ],
    );
  });

  async function listed(query: DriftQuery, limit: number): Promise<string[]> {
    const rows: string[] = [];
    let from: string | undefined;
    do {
      const page = await table.stores.drift.list({ ...query, limit, ...(from !== undefined && { from }) });
      rows.push(...page.items.map((row) => `${row.field} ${row.healedAt}`));
      from = page.next;
    } while (from !== undefined && rows.length < 20);
    return rows;
  }
});
