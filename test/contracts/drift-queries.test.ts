import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { DriftRow } from "../../lib/model/drift.ts";
import type { DriftQuery } from "../../lib/store/store.ts";
import { spoil } from "./faults.ts";
import { aRow } from "./rows.ts";
import { overEachTable } from "./tables.ts";

const service = { group: "", version: "v1", kind: "Service", namespace: "api", name: "api" };
const role = { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole", namespace: "", name: "reader" };
const knative = { group: "serving.knative.dev", version: "v1", kind: "Service", namespace: "shop", name: "web" };

/** By field, in the order of a list: the open ones from the newest, then the healed ones. */
const rows: readonly DriftRow[] = [
  aRow({ field: "f9", application: "api", ref: service, manager: "kubectl-edit", firstSeen: "2025-03-01T11:09:00.000Z" }),
  aRow({ field: "f8", application: "shop", manager: "kubectl-edit", cluster: "us", firstSeen: "2025-03-01T11:08:00.000Z" }),
  aRow({ field: "f7", application: "base", ref: role, manager: "", firstSeen: "2025-03-01T11:07:00.000Z" }),
  aRow({ field: "f6", application: "shop", ref: knative, firstSeen: "2025-03-01T11:06:00.000Z" }),
  aRow({ field: "f5", application: "shop", firstSeen: "2025-03-01T11:05:00.000Z" }),
  // In another order healed than first seen.
  aRow({ field: "h4", application: "shop", manager: "kubectl-edit", firstSeen: "2025-03-01T11:00:00.000Z" }),
  aRow({ field: "h3", application: "api", ref: service, firstSeen: "2025-03-01T11:02:00.000Z" }),
  aRow({ field: "h2", application: "shop", cluster: "us", firstSeen: "2025-03-01T11:01:00.000Z" }),
];
const healedAt = { h4: "2025-03-01T11:40:00.000Z", h3: "2025-03-01T11:30:00.000Z", h2: "2025-03-01T11:20:00.000Z" };

const asked: readonly (readonly [query: DriftQuery, fields: string])[] = [
  [{}, "f9 f8 f7 f6 f5 h4 h3 h2"],
  [{ open: true }, "f9 f8 f7 f6 f5"],
  [{ since: "2025-03-01T12:30:00+01:00" }, "f9 f8 f7 f6 f5 h4 h3"],
  [{ cluster: "us" }, "f8 h2"],
  [{ cluster: "nowhere" }, ""],
  [{ namespace: "shop" }, "f8 f6 f5 h4 h2"],
  [{ namespace: "api", since: "2025-03-01T11:30:00.001Z" }, "f9"],
  [{ kind: "Service" }, "f9 f6 h3"],
  [{ kind: "/service" }, "f9 h3"],
  [{ kind: "Serving.knative.dev/Service" }, "f6"],
  [{ kind: "clusterrole" }, "f7"],
  [{ manager: "kubectl-edit" }, "f9 f8 h4"],
  [{ manager: "kubectl-edit", open: true }, "f9 f8"],
  [{ manager: "kubectl-edit", cluster: "eu" }, "f9 h4"],
  [{ manager: "kubectl-scale", namespace: "shop", kind: "Deployment", cluster: "us" }, "h2"],
  [{ namespace: "shop", kind: "Deployment", since: "2025-03-01T11:25:00.000Z" }, "f8 f5 h4"],
  [{ kind: "Deployment", cluster: "eu" }, "f5 h4"],
  [{ application: "shop" }, "f8 f6 f5 h4 h2"],
  [{ application: "shop", manager: "kubectl-edit" }, "f8 h4"],
  [{ application: "shop", cluster: "us", kind: "Deployment", open: true }, "f8"],
  [{ application: "nothing" }, ""],
];

overEachTable("drift, asked for by what it is about", (table) => {
  before(async () => {
    const { drift } = table.stores;
    for (const row of rows) await drift.record(row);
    for (const [field, at] of Object.entries(healedAt)) {
      await drift.heal(
        rows.filter((row) => row.field === field),
        { at, by: "run-9" },
      );
    }
  });

  for (const [query, expected] of asked) {
    test(`${JSON.stringify(query)} lists just those, in order, in pages of any size`, async () => {
      for (const limit of [1, 2, 50]) {
        const listed: string[] = [];
        let from: string | undefined;
        do {
          const page = await table.stores.drift.list({ ...query, limit, ...(from !== undefined && { from }) });
          assert.ok(page.items.length === limit || page.next === undefined, "a page is full unless it is the last");
          listed.push(...page.items.map(({ field }) => field));
          from = page.next;
        } while (from !== undefined && listed.length < 50);
        assert.deepEqual(listed.join(" "), expected, `pages of ${limit}`);
      }
    });
  }

  test("rows are as they were written, whatever they are asked for by", async () => {
    const row = { ...rows[5]!, healedAt: healedAt.h4, healedBy: "run-9" };
    for (const query of [{ application: "shop" }, { manager: "kubectl-edit" }, {}]) {
      const { items } = await table.stores.drift.list({ ...query, since: healedAt.h4 });
      assert.deepEqual(
        items.find(({ field }) => field === "h4"),
        row,
      );
    }
  });

  test("every question is answered by key queries and reads by key", async () => {
    const client = table.anotherClient();
    const { drift } = table.storesWith({ client });
    const { seen } = spoil(client, () => undefined);
    for (const [query] of asked) await drift.list(query);
    assert.deepEqual([...new Set(seen)].sort(), ["BatchGetItem", "GetItem", "Query"]);
  });

  test("a page that never was, or is an hour old, is none", async () => {
    const { next = "" } = await table.stores.drift.list({ limit: 1 });
    await assert.rejects(table.stores.drift.list({ from: "open#yesterday" }), { code: "not-found" });
    const stale = next.replace("2025-03-01T12:", "2025-03-01T11:");
    assert.notEqual(stale, next);
    await assert.rejects(table.stores.drift.list({ from: stale }), { code: "not-found" });
  });
});
