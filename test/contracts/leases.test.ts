import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease, LeaseStore } from "../../lib/store/store.ts";
import { overEachTable } from "./tables.ts";

async function taken(leases: LeaseStore, application: string, holder: string, generation = 1, seconds = 60): Promise<Lease> {
  const answer = await leases.acquire({ application, holder, generation, seconds });
  assert.ok(answer.acquired, `${holder} did not get the lease`);
  return answer.lease;
}

overEachTable("leases", (table) => {
  test("a free lease is taken with its generation, and until then", async () => {
    const lease = await taken(table.stores.leases, "free", "run-1", 4);
    assert.deepEqual(lease, {
      application: "free",
      holder: "run-1",
      fence: 1,
      generation: 4,
      phase: "applying",
      expiresAt: "2025-03-01T12:01:00.000Z",
    });
    assert.deepEqual(await table.stores.leases.get("free"), lease);
  });

  test("B3: fifty runs at once: one holder a round, and each round a higher fence", async () => {
    const { leases } = table.stores;
    let last = 0;
    for (let round = 0; round < 5; round += 1) {
      const runs = Array.from({ length: 50 }, (_, n) => ({
        application: "race",
        holder: `${round}-${n}`,
        generation: 1,
        seconds: 60,
      }));
      const answers = await Promise.all(runs.map((run) => leases.acquire(run)));
      const winners = answers.flatMap((answer) => (answer.acquired ? [answer.lease] : []));
      assert.equal(winners.length, 1);
      for (const answer of answers) if (!answer.acquired) assert.deepEqual(answer.held, winners[0]);
      assert.ok(winners[0]!.fence > last);
      last = winners[0]!.fence;
      await leases.release(winners[0]!);
      assert.equal(await leases.get("race"), undefined);
    }
    assert.equal(last, 5);
  });

  test("B4: an expired lease goes to one of many, and its old holder can neither renew nor release it", async () => {
    const { leases } = table.stores;
    const start = table.time;
    const old = await taken(leases, "late", "sleeper");
    table.time = new Date(start.getTime() + 60_000);
    const runs = Array.from({ length: 50 }, (_, n) =>
      leases.acquire({ application: "late", holder: `r${n}`, generation: 1, seconds: 60 }),
    );
    const winners = (await Promise.all(runs)).flatMap((answer) => (answer.acquired ? [answer.lease] : []));
    assert.deepEqual(
      winners.map((lease) => lease.fence),
      [2],
    );
    assert.equal(await leases.renew(old, { phase: "applying", seconds: 60 }), false);
    await leases.release(old);
    assert.deepEqual(await leases.get("late"), winners[0]);
    table.time = start;
  });

  test("a holder that takes its own lease again keeps its fence, even when it had expired", async () => {
    const { leases } = table.stores;
    const start = table.time;
    await taken(leases, "again", "run-1", 1);
    assert.equal((await taken(leases, "again", "run-1", 2)).fence, 1);
    table.time = new Date(start.getTime() + 3_600_000);
    const lease = await taken(leases, "again", "run-1", 2);
    assert.equal(lease.fence, 1);
    assert.equal(lease.expiresAt, "2025-03-01T13:01:00.000Z");
    table.time = start;
  });

  test("a waiting run gives way to a newer generation, not to the same one", async () => {
    const { leases } = table.stores;
    const waiting = await taken(leases, "waits", "old", 3);
    assert.equal(await leases.renew(waiting, { phase: "waiting", seconds: 300 }), true);
    assert.equal((await leases.acquire({ application: "waits", holder: "same", generation: 3, seconds: 60 })).acquired, false);
    const newer = await taken(leases, "waits", "new", 4);
    assert.deepEqual([newer.fence, newer.phase], [2, "applying"]);
    assert.equal(await leases.renew(waiting, { phase: "applying", seconds: 60 }), false);
  });

  test("a holder at work is asked to end by a newer generation: its next renewal is refused, and the other gets the lease", async () => {
    const { leases } = table.stores;
    const old = await taken(leases, "asked", "old", 3);
    const ask = (holder: string, generation: number) => leases.acquire({ application: "asked", holder, generation, seconds: 60 });
    assert.equal((await ask("same", 3)).acquired, false);
    assert.equal(await leases.renew(old, { phase: "applying", seconds: 60 }), true, "one of its own generation asks for nothing");
    assert.equal((await ask("new", 4)).acquired, false);
    assert.equal(await leases.renew(old, { phase: "applying", seconds: 60 }), false);
    await leases.release(old);
    const newer = await taken(leases, "asked", "new", 4);
    assert.equal(await leases.renew(newer, { phase: "applying", seconds: 60 }), true, "the wish is fulfilled");
  });

  test("a holder can look whether the lease is still its own, and nobody newer asks for it", async () => {
    const { leases } = table.stores;
    const old = await taken(leases, "looks", "old", 3);
    assert.equal(await leases.holds(old), true);
    const start = table.time;
    table.time = new Date(start.getTime() + 3_600_000);
    assert.equal(await leases.holds(old), true, "it expired, and nobody took it");
    table.time = start;
    await leases.acquire({ application: "looks", holder: "new", generation: 4, seconds: 60 });
    assert.equal(await leases.holds(old), false, "a newer generation asks for it");
    await leases.release(old);
    assert.equal(await leases.holds(old), false, "it is free");
    const newer = await taken(leases, "looks", "new", 4);
    assert.deepEqual([await leases.holds(old), await leases.holds(newer)], [false, true]);
    await leases.release(newer);
    const again = await taken(leases, "looks", "new", 5);
    assert.deepEqual(
      [await leases.holds(newer), await leases.holds(again)],
      [false, true],
      "a holder of that name under an older fence",
    );
  });

  test("an applying run gives way to nobody", async () => {
    const { leases } = table.stores;
    const applying = await taken(leases, "busy", "old", 3);
    assert.deepEqual(await leases.acquire({ application: "busy", holder: "new", generation: 9, seconds: 60 }), {
      acquired: false,
      held: applying,
    });
  });

  test("the fence counts on over a release", async () => {
    const { leases } = table.stores;
    await leases.release(await taken(leases, "counts", "run-1"));
    assert.equal((await taken(leases, "counts", "run-2")).fence, 2);
    assert.equal(await leases.get("never"), undefined);
  });
});
