import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { inflateRawSync } from "node:zlib";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { isDriftlessError } from "../../lib/errors.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { createItems } from "../../lib/store/items.ts";
import { expiryAttribute } from "../../lib/store/table.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { spoil } from "../contracts/faults.ts";
import { aConfigMap, aDelivery, anInventory, aRow, aState, aSweep, aSync } from "../contracts/rows.ts";
import { overEachTable } from "../contracts/tables.ts";

overEachTable("what lies in the table", (table) => {
  test("no value of a Secret lies there in clear, in base64 or compressed", async () => {
    const { snapshots } = table.stores;
    await snapshots.save([aSecret("correct-horse-battery-staple")]);
    await table.storesWith({ partBytes: 64 }).snapshots.save([aSecret("another-horse-battery-staple")]);
    const items = await table.rawItems();
    assert.ok(items.length >= 4);
    for (const text of items.flatMap(textsOf)) {
      assert.doesNotMatch(text, /horse-battery-staple/);
      assert.ok(!text.includes(Buffer.from("correct-horse-battery-staple").toString("base64").slice(0, 20)));
      assert.ok(!text.includes(Buffer.from("another-horse-battery-staple").toString("base64").slice(0, 20)));
    }
  });

  test("history expires, what decides something does not", async () => {
    const { stores } = table;
    await stores.deliveries.receive(aDelivery());
    await stores.applications.put(aState());
    await stores.heads.put("https://github.com/acme/shop", "main", "c1");
    await stores.inventories.save(anInventory(2), { fence: 1 });
    await stores.leases.acquire({ application: "shop", holder: "run-1", generation: 1, seconds: 60 });
    await stores.syncs.put(aSync());
    await stores.sweeps.put(aSweep());
    await stores.drift.record(aRow());
    await stores.drift.record(aRow({ field: "spec.paused" }));
    await stores.drift.heal([aRow({ field: "spec.paused" })], { at: "2025-03-01T12:00:00.000Z", by: "" });
    const expiring = (await table.rawItems()).flatMap((item) => {
      const seconds = item[expiryAttribute]?.N;
      return seconds === undefined ? [] : [`${item["pk"]?.S} ${new Date(Number(seconds) * 1000).toISOString()}`];
    });
    assert.deepEqual(expiring.toSorted(), [
      "delivery#0b5a9c1e-1 2025-03-08T11:59:00.000Z",
      "drift#shop 2025-05-30T12:00:00.000Z",
      "sweep#eu 2025-03-31T11:58:00.000Z",
      "sync#shop 2025-05-30T11:59:01.000Z",
    ]);
  });

  test("a row that cannot fit is refused before it is sent, with its size", async () => {
    const noise = randomBytes(600_000).toString("base64");
    await assert.rejects(
      table.stores.applications.put(aState({ application: "huge", planError: noise })),
      (error) => isDriftlessError(error, "store") && !error.retryable && /\d{3} KB/.test(error.message),
    );
  });
});

overEachTable("requests to the table", (table) => {
  test("each step of a small sync is one write", async () => {
    const client = table.anotherClient();
    const stores = table.storesWith({ client });
    const { seen } = spoil(client, () => undefined);
    const writes: Record<string, string[]> = {};
    const during = async (step: string, work: () => Promise<unknown>) => {
      seen.length = 0;
      await work();
      writes[step] = [...seen];
    };
    let lease = { application: "few", holder: "r", fence: 1, generation: 1, phase: "applying", expiresAt: "" } as const;
    await during("delivery", () => stores.deliveries.receive(aDelivery({ id: "few" })));
    await during("snapshot", () => stores.snapshots.save([aConfigMap("few")]));
    await during("snapshot again", () => stores.snapshots.save([aConfigMap("few")]));
    await during("state", () => stores.applications.put(aState({ application: "few" })));
    await during("lease", () => stores.leases.acquire({ application: "few", holder: "r", generation: 1, seconds: 60 }));
    await during("inventory", () => stores.inventories.save(anInventory(4, { application: "few" }), { fence: 1 }));
    await during("sync", () => stores.syncs.put(aSync({ application: "few" })));
    await during("release", () => stores.leases.release(lease));
    await during("no drift", () => stores.drift.open("few"));
    assert.deepEqual(writes, {
      delivery: ["PutItem"],
      snapshot: ["GetItem", "PutItem"],
      "snapshot again": ["GetItem"],
      state: ["PutItem"],
      lease: ["UpdateItem"],
      inventory: ["PutItem"],
      sync: ["PutItem"],
      release: ["UpdateItem"],
      "no drift": ["Query"],
    });
  });

  test("a table that throttles now and then is asked again, one that always does is a retryable error", async () => {
    const client = table.anotherClient({ attempts: 2 });
    const { heads } = table.storesWith({ client });
    const now = spoil(client, ({ number }) => (number === 1 ? "throttled" : undefined));
    await heads.put("https://github.com/acme/shop", "main", "c1");
    assert.equal(now.seen.length, 2);
    now.stop();
    const always = spoil(client, () => "throttled");
    await assert.rejects(heads.get("https://github.com/acme/shop", "main"), isStoreError({ retryable: true }));
    always.stop();
    assert.equal(await heads.get("https://github.com/acme/shop", "main"), "c1");
  });

  test("a table that refuses us is an error that no retry mends, and so is one that is not there", async () => {
    const client = table.anotherClient();
    spoil(client, () => "refused");
    await assert.rejects(table.storesWith({ client }).configuration.load(), isStoreError({ retryable: false }));
    const elsewhere = createItems({ client: table.client, table: "driftless-nowhere" });
    await assert.rejects(elsewhere.get({ pk: "a", sk: "b" }), isStoreError({ retryable: false }));
  });

  test("a call whose deadline has passed is given up", async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(
      table.stores.heads.get("https://github.com/acme/shop", "main", { signal }),
      isStoreError({ retryable: true }),
    );
  });

  test("a writer whose answer was lost learns that it was first", async () => {
    const client = table.anotherClient();
    const { deliveries, applications, leases } = table.storesWith({ client });
    const loseFirst = () => spoil(client, ({ number }) => (number === 1 ? "lost" : undefined));
    let faults = loseFirst();
    assert.equal((await deliveries.receive(aDelivery({ id: "lost" }))).isNew, true);
    faults.stop();
    faults = loseFirst();
    assert.equal(await applications.put(aState({ application: "lost" })), true);
    faults.stop();
    faults = loseFirst();
    const answer = await leases.acquire({ application: "lost", holder: "run-1", generation: 1, seconds: 60 });
    assert.deepEqual([answer.acquired, answer.acquired && answer.lease.fence], [true, 1]);
    faults.stop();
  });
});

overEachTable("snapshots under another key", (table) => {
  test("a snapshot is an error under another key, and never other objects", async () => {
    const id = await table.stores.snapshots.save([aConfigMap("a")]);
    const other = table.storesWith({ snapshotKey: new Secret(randomBytes(32).toString("base64")) });
    await assert.rejects(other.snapshots.load(id), isStoreError({ retryable: false }));
    assert.notEqual(await other.snapshots.save([aConfigMap("a")]), id);
  });
});

function isStoreError({ retryable }: { retryable: boolean }): (error: unknown) => boolean {
  return (error) => isDriftlessError(error, "store") && error.retryable === retryable;
}

function aSecret(password: string): Manifest {
  const metadata = { name: "database" };
  const data = { password: Buffer.from(password).toString("base64") };
  return { apiVersion: "v1", kind: "Secret", metadata, stringData: { password }, data };
}

/** Every text that an item holds, its bytes read plainly and decompressed where they can be. */
function textsOf(item: Record<string, AttributeValue>): string[] {
  return Object.values(item).flatMap((value) => {
    if (!value.B) return [value.S ?? value.N ?? ""];
    const bytes = Buffer.from(value.B);
    try {
      return [bytes.toString("latin1"), inflateRawSync(bytes).toString("latin1")];
    } catch {
      return [bytes.toString("latin1")];
    }
  });
}
