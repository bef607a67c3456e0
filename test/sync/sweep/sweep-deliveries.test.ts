import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { DriftlessError } from "../../../lib/errors.ts";
import type { Delivery } from "../../../lib/model/delivery.ts";
import { branchKey } from "../../../lib/plan/affected.ts";
import { createReplayDeliveries } from "../../../lib/sync/sweep/sweep-deliveries.ts";
import { aDelivery } from "../../contracts/rows.ts";
import { type Bench, openBench } from "./opened-stores.ts";

const repository = "https://github.com/acme/shop.git";

describe("deliveries that were given up", () => {
  let bench: Bench;
  let sent: string[];
  let isAway: boolean;
  beforeEach(async () => {
    bench = await openBench();
    sent = [];
    isAway = false;
  });

  const receive = (change: Partial<Delivery> = {}) =>
    bench.stores.deliveries.receive(aDelivery({ receivedAt: bench.clock.now().toISOString(), ...change }));
  const rowOf = async (id = "0b5a9c1e-1"): Promise<Delivery | undefined> =>
    (await bench.stores.deliveries.list()).items.find((row) => row.id === id);
  const sweep = (movedHeads: readonly string[] = []) =>
    createReplayDeliveries({
      ...bench,
      queue: {
        send: ({ branch, correlationId, after }, { deduplicationId }) => {
          if (isAway) return Promise.reject(new DriftlessError("queue", "away", { retryable: true }));
          sent.push(`${branch} ${after.slice(0, 4)} ${correlationId} ${deduplicationId}`);
          return Promise.resolve();
        },
      },
    })({ id: "sweep-1", movedHeads }, {});

  for (const state of ["received", "queued"] as const) {
    test(`one that is ${state} for fifteen minutes has its branch queued again, under its own id`, async () => {
      await receive({ state });
      bench.advance(14);
      assert.deepEqual(await sweep(), []);
      bench.advance(1);
      assert.deepEqual(await sweep(), ["0b5a9c1e-1"]);
      assert.deepEqual(sent, ["main 6dcb 0b5a9c1e-1 0b5a9c1e-1/replay-1"]);
      assert.deepEqual(
        [(await rowOf())?.state, (await rowOf())?.replayed],
        ["queued", { times: 1, at: "2025-03-01T12:15:00.000Z" }],
      );
      assert.deepEqual(await sweep(), []);
    });
  }

  test("one that failed for a reason that may pass is queued again; one that failed for good, was planned or ignored is not", async () => {
    await receive({ id: "a", branch: "a" });
    await bench.stores.deliveries.update("a", { state: "failed", reason: "not queued: away", retryable: true });
    for (const [id, state] of [
      ["b", "failed"],
      ["c", "planned"],
      ["d", "ignored"],
    ] as const) {
      await receive({ id, branch: id });
      await bench.stores.deliveries.update(id, { state, reason: "it is so" });
    }
    bench.advance(15);
    assert.deepEqual(await sweep(), ["a"]);
    assert.deepEqual(
      [(await rowOf("a"))?.state, (await rowOf("a"))?.reason, (await rowOf("a"))?.retryable],
      ["queued", "", undefined],
    );
    assert.equal((await rowOf("b"))?.reason, "it is so");
  });

  test("after three times, each with more patience, it is failed, and the reason says what to do", async () => {
    await receive({ state: "queued" });
    const at: number[] = [];
    for (let minute = 0; minute <= 300; minute += 5) {
      if ((await sweep()).length > 0) at.push(minute);
      bench.advance(5);
    }
    assert.deepEqual(at, [15, 45, 105]);
    const row = await rowOf();
    assert.equal(row?.state, "failed");
    assert.match(row?.reason ?? "", /queued 3 times more.*dead letter queue.*push to main or redeliver/);
    assert.deepEqual(
      bench.lines.map(({ event, level }) => [event, level]),
      [
        ["sweep.delivery-replayed", "warn"],
        ["sweep.delivery-replayed", "warn"],
        ["sweep.delivery-replayed", "warn"],
        ["sweep.delivery-failed", "error"],
      ],
    );
  });

  test("one whose commit was planned without it is closed, and not queued", async () => {
    await receive({ state: "queued" });
    await bench.stores.heads.put(repository, "main", "6dcb09b5b57875f334f61aebed695e2e4193db5e");
    bench.advance(15);
    assert.deepEqual(await sweep(), []);
    assert.deepEqual(sent, []);
    assert.deepEqual(
      [(await rowOf())?.state, (await rowOf())?.reason],
      ["planned", "its commit was planned without it, by a sweep or a later delivery"],
    );
  });

  test("of several of one branch the newest is queued, and stands for the others", async () => {
    await receive({ id: "old", state: "queued" });
    bench.advance(1);
    await receive({ id: "new", state: "queued" });
    bench.advance(15);
    assert.deepEqual(await sweep(), ["new"]);
    assert.equal(sent.length, 1);
    assert.deepEqual([(await rowOf("old"))?.state, (await rowOf("new"))?.state], ["ignored", "queued"]);
    assert.match((await rowOf("old"))?.reason ?? "", /^superseded: the newer delivery new /);
  });

  test("a branch that this sweep has queued already is not queued twice", async () => {
    await receive({ state: "queued" });
    bench.advance(15);
    assert.deepEqual(await sweep([branchKey(repository, "main")]), []);
    assert.deepEqual(sent, []);
  });

  test("one sweep queues twenty branches at most; the next goes on", async () => {
    for (let at = 0; at < 25; at += 1) await receive({ id: `d${at}`, branch: `b${at}`, state: "queued" });
    bench.advance(15);
    assert.deepEqual([(await sweep()).length, (await sweep()).length], [20, 5]);
  });

  test("a queue that is away costs a try and no more: the next sweep but one tries again", async () => {
    await receive({ state: "queued" });
    bench.advance(15);
    isAway = true;
    assert.deepEqual(await sweep(), []);
    assert.deepEqual([(await rowOf())?.state, (await rowOf())?.replayed?.times], ["queued", 1]);
    isAway = false;
    bench.advance(30);
    assert.deepEqual(await sweep(), ["0b5a9c1e-1"]);
  });

  test("a delivery that was planned while the sweep looked stays planned", async () => {
    await receive({ state: "queued" });
    await bench.stores.deliveries.update("0b5a9c1e-1", { state: "planned", applications: ["shop"] });
    await bench.stores.deliveries.update("0b5a9c1e-1", { state: "failed", reason: "late" }, { standing: "queued" });
    assert.deepEqual([(await rowOf())?.state, (await rowOf())?.applications], ["planned", ["shop"]]);
  });
});
