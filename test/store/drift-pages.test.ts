import "../support/properties.ts";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import type { DriftRow } from "../../lib/model/drift.ts";
import { openKeyOf } from "../../lib/store/drift-items.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { DriftQuery, DriftStore } from "../../lib/store/store.ts";
import type { TableAnswer, TableClient } from "../../lib/store/table-client.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aRow } from "../contracts/rows.ts";
import { createMemoryTable } from "../support/memory-table.ts";

const snapshotKey = new Secret(randomBytes(32).toString("base64"));
const begin = Date.parse("2025-03-01T12:00:00.000Z");

interface Bed {
  readonly drift: DriftStore;
  /** The same rows through a client that stands between: it may do something before or after a call, or refuse it. */
  readonly through: (
    around: (
      operation: string,
      call: () => Promise<TableAnswer | undefined>,
      request: object,
    ) => Promise<TableAnswer | undefined>,
  ) => DriftStore;
  /** Moves the time on, in milliseconds, and returns it. */
  readonly tick: (by?: number) => string;
  readonly calls: () => number;
}

async function bed(): Promise<Bed> {
  const table = createMemoryTable();
  await table.call("CreateTable", { TableName: "driftless" });
  let now = begin;
  let calls = 0;
  const clock = { now: () => new Date(now) };
  const stores = (client: TableClient) => createDynamoStores({ client, table: "driftless", clock, snapshotKey });
  const call: TableClient["call"] = (...request) => {
    calls += 1;
    return table.call(...request);
  };
  return {
    drift: stores({ ...table, call }).drift,
    through: (around) => stores({ ...table, call: (...asked) => around(asked[0], () => table.call(...asked), asked[1]) }).drift,
    tick: (by = 1) => new Date((now += by)).toISOString(),
    calls: () => calls,
  };
}

function refusing(refused: string) {
  return (operation: string, call: () => Promise<TableAnswer | undefined>) =>
    operation === refused ? Promise.reject(new Error("cut off")) : call();
}

/** What happens between two pages: to which row, and how long before its writing a heal says that it was. */
const event = fc.record({
  what: fc.constantFrom("heal", "cut-off", "again", "new"),
  row: fc.nat({ max: 11 }),
  late: fc.constantFrom(0, 1, 900, 100_000),
});
const queries: readonly DriftQuery[] = [
  {},
  { application: "shop" },
  { cluster: "eu" },
  { manager: "kubectl-scale", namespace: "shop" },
  { application: "shop", kind: "apps/Deployment" },
];
const name = ({ field, firstSeen }: DriftRow): string => `${field} ${firstSeen}`;

test("a row that is healed, or drifts again, between two pages is neither passed over nor listed twice, and the order holds", async () => {
  const history = fc.record({
    query: fc.constantFrom(...queries),
    limit: fc.integer({ min: 1, max: 4 }),
    healed: fc.array(fc.nat({ max: 11 }), { maxLength: 6 }),
    between: fc.array(fc.array(event, { maxLength: 4 }), { minLength: 1, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ query, limit, healed, between }) => {
      const { drift, through, tick } = await bed();
      const cutOff = through(refusing("PutItem"));
      const rows = Array.from({ length: 12 }, (_, at) => aRow({ field: `f${at}`, firstSeen: tick(), lastSeen: tick() }));
      for (const row of rows) await drift.record(row);
      for (const at of healed) await drift.heal([rows[at]!], { at: tick(60_000), by: "run-1" });
      tick(60_000);
      const expected = (await drift.list({ ...query, limit: 500 })).items.map(name);

      const listed: DriftRow[] = [];
      let from: string | undefined;
      for (let page = 0; page < 30; page += 1) {
        const { items, next } = await drift.list({ ...query, limit, ...(from !== undefined && { from }) });
        listed.push(...items);
        from = next;
        if (from === undefined) break;
        for (const { what, row: at, late } of between[page % between.length] ?? []) {
          const now = tick();
          const row = rows[at]!;
          const by = { at: new Date(Date.parse(now) - late).toISOString(), by: "run-2" };
          if (what === "heal") await drift.heal([row], by);
          else if (what === "cut-off") await cutOff.heal([row], by).catch(() => undefined);
          else if (what === "again") await drift.record({ ...row, lastSeen: now, firstSeen: now });
          else await drift.record({ ...row, field: `new-${now}`, firstSeen: now });
        }
      }
      assert.equal(from, undefined);
      assert.deepEqual(listed.map(name), expected);
    }),
    { numRuns: 200 },
  );
});

/** By what operation each listing has read the row as open. */
const readings: readonly (readonly [query: DriftQuery, operation: string])[] = [
  [{}, "GetItem"],
  [{ cluster: "eu" }, "GetItem"],
  [{ application: "shop" }, "Query"],
];
for (const [query, reading] of readings) {
  test(`${JSON.stringify(query)}: a row that is healed while a page is read is listed once`, async () => {
    const { drift, through } = await bed();
    await drift.record(aRow());
    let heals = 0;
    const during = through(async (operation, call) => {
      const answer = await call();
      if (operation === reading && heals++ === 0) await drift.heal([aRow()], { at: "2025-03-01T11:59:59.000Z", by: "run-1" });
      return answer;
    });
    assert.deepEqual(await during.list(query), { items: [aRow()] });
    assert.deepEqual((await drift.list(query)).items[0]?.healedBy, "run-1");
  });
}

for (const healed of [true, false]) {
  test(`an index that still has a row where it stood (${healed ? "being healed" : "open"}) lists it once, as it is now`, async () => {
    const { drift, through, tick } = await bed();
    const heal = { at: "2025-03-01T11:59:00.000Z", by: "run-1" };
    await drift.record(aRow());
    if (healed)
      await through(refusing("PutItem"))
        .heal([aRow()], heal)
        .catch(() => undefined);
    const answers = new Map<string, TableAnswer | undefined>();
    const lagging = through(async (operation, call, request) => {
      const asked = JSON.stringify(request);
      if (operation !== "Query") return call();
      if (!answers.has(asked)) answers.set(asked, await call());
      return answers.get(asked);
    });
    await lagging.list({ cluster: "eu" });
    await drift.heal([aRow()], heal);
    if (!healed) tick();
    const row = aRow({ healedAt: heal.at, healedBy: heal.by });
    assert.deepEqual(await lagging.list({ cluster: "eu" }), { items: [row] });
  });
}

test("rows whose heals were cut off before their last write are listed once, in order, in all drift", async () => {
  const { drift, through, tick } = await bed();
  const cutOff = through(refusing("DeleteItem"));
  // The newest in one partition of the index, where each stands twice.
  const isFirst = (row: DriftRow) => /^open#[08]/.test(openKeyOf(row).sk);
  const some = Array.from({ length: 120 }, (_, at) => aRow({ field: `f${at}` }));
  const rows = [...some.filter((row) => !isFirst(row)), ...some.filter(isFirst)];
  for (const row of rows) await drift.record(row);
  for (const row of rows) await cutOff.heal([row], { at: tick(), by: "run-1" }).catch(() => undefined);
  tick();
  const listed: string[] = [];
  let from: string | undefined;
  do {
    const page = await drift.list({ limit: 8, ...(from !== undefined && { from }) });
    listed.push(...page.items.map(({ field }) => field));
    from = page.next;
  } while (from !== undefined && listed.length < 200);
  assert.deepEqual(listed, rows.map(({ field }) => field).toReversed());
});

test("a question that hardly any row answers is answered in bounded pages, and in the end whole", async () => {
  const { drift, calls } = await bed();
  const rows = Array.from({ length: 4500 }, (_, at) =>
    aRow({ field: `f${at}`, cluster: at % 4000 === 7 ? "us" : "eu", firstSeen: new Date(begin - at * 1000).toISOString() }),
  );
  await Promise.all(rows.map((row) => drift.record(row)));
  const listed: string[] = [];
  const pages: number[] = [];
  let from: string | undefined;
  do {
    const before = calls();
    const page = await drift.list({ namespace: "shop", cluster: "us", ...(from !== undefined && { from }) });
    assert.ok(calls() - before < 60, `${calls() - before} requests for one page`);
    pages.push(page.items.length);
    listed.push(...page.items.map(({ field }) => field));
    from = page.next;
  } while (from !== undefined && pages.length < 10);
  assert.deepEqual(listed.toSorted(), ["f4007", "f7"]);
  assert.deepEqual(pages, [1, 1]);
});
