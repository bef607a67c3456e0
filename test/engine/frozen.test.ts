import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { SyncBatch } from "../../lib/model/sync.ts";
import { aName } from "../apply/open.ts";
import { testNamespace } from "../support/cluster.ts";
import { type ConfigMaps, configMapsIn } from "./config-maps.ts";
import { anEngineApplication, desire } from "./desire.ts";
import { aClock, createExecution } from "./execution.ts";
import { type Api, type Installation, openApi, openInstallation } from "./installation.ts";
import { createWorker } from "./worker.ts";

/** Seconds after which any lease has run out. */
const longer = 121;

describe("B4: a worker that is frozen until its lease went to another", () => {
  let api: Api;
  let maps: ConfigMaps;

  before(async () => {
    api = await openApi();
    maps = configMapsIn(await testNamespace("frozen"), api);
  });

  const open = () => openInstallation({ api, clock: aClock(), sharesDiscovery: true });

  /** Works on a batch, freezes at the call that is told, lets the lease run out, and thaws after `meanwhile`. */
  async function frozenAt(
    { installation, batch, id }: { readonly installation: Installation; readonly batch: SyncBatch; readonly id: string },
    isThere: (call: { readonly name: string; readonly number: number }) => boolean,
    meanwhile: () => Promise<void>,
  ): Promise<{ readonly wasFrozen: boolean; readonly writesAfter: number; readonly inTheAir: number; readonly at: string }> {
    const thaw = Promise.withResolvers<void>();
    const frozen = Promise.withResolvers<"frozen">();
    let at = "";
    const worker = createWorker((call) => {
      if (at !== "" || !isThere(call)) return undefined;
      at = call.name;
      frozen.resolve("frozen");
      return thaw.promise;
    });
    const run = installation.work(batch, createExecution({ id, clock: installation.clock }), worker);
    const wasFrozen = (await Promise.race([frozen.promise, run])) === "frozen";
    const writes = () => installation.sent.filter((sent) => sent.run === id && sent.method !== "GET").length;
    if (!wasFrozen) return { wasFrozen, writesAfter: 0, inTheAir: 0, at };
    installation.clock.advance(longer);
    await meanwhile();
    const [before, inTheAir] = [writes(), worker.inFlight];
    thaw.resolve();
    assert.equal(await run, "ended", at);
    return { wasFrozen, writesAfter: writes() - before, inTheAir, at };
  }

  test("writes nothing more to the cluster than what was in the air, however long its list is", async () => {
    const name = aName("list");
    const installation = await open();
    const { stores } = installation;
    const definition = anEngineApplication(name, maps.namespace);
    const batch = await desire(stores, definition, maps.of(name, { to: 60, version: 1 }));
    let patches = 0;
    const thirdWrite = ({ name: call }: { readonly name: string }) => call.startsWith("PATCH") && ++patches === 3;
    const newer = maps.of(name, { to: 60, version: 2 });
    const { writesAfter, inTheAir } = await frozenAt({ installation, batch, id: "frozen" }, thirdWrite, async () => {
      await installation.sync(await desire(stores, definition, newer), "newer");
    });

    assert.ok(inTheAir <= 8 && writesAfter <= inTheAir, `${writesAfter} writes after ${inTheAir} in the air`);
    const rows = (await stores.syncs.list(name)).items.map(({ generation, phase }) => `${generation} ${phase}`);
    assert.deepEqual(rows.toSorted(), ["1 Superseded", "2 Succeeded"]);
    // The API server knows no fences: what was in the air arrived, and the next look finds it.
    const heal = { ...batch, trigger: "heal", applications: [{ name, generation: 2 }] } as const;
    await installation.sync(heal, "heal");
    assert.deepEqual(await maps.distinct(name, { to: 60 }), ["2"]);
  });

  test("at any of its calls ends as Superseded or with nothing to say, and the table is as the newer run left it", async (t) => {
    const installation = await open();
    const { stores, clock } = installation;
    let calls = 0;
    for (let at = 1; ; at++) {
      const name = aName("any");
      const definition = anEngineApplication(name, maps.namespace);
      clock.advance(longer);
      await installation.sync(await desire(stores, definition, maps.of(name, { to: 4, version: 1 })), `${name}-first`);
      const old = await desire(stores, definition, maps.of(name, { from: 1, to: 5, version: 2 }));
      const newer = maps.of(name, { from: 2, to: 6, version: 3 });
      const frozen = { installation, batch: old, id: `${name}-frozen` };
      let left = "";
      const { wasFrozen, at: call } = await frozenAt(
        frozen,
        ({ number }) => number === at,
        async () => {
          const batch = await desire(stores, definition, newer);
          await installation.sync(batch, `${name}-newer`);
          left = await owned(name);
        },
      );
      if (!wasFrozen) break;
      calls = at;
      const where = `frozen at ${call}`;
      assert.equal(await owned(name), left, where);
      assert.equal((await stores.applications.get(name))?.lastSync?.generation, 3, where);
      assert.equal((await stores.applications.get(name))?.lastSync?.phase, "Succeeded", where);
      assert.equal(await stores.leases.get(name), undefined, where);
      const phases = (await stores.syncs.list(name)).items.filter(({ generation }) => generation === 2).map(({ phase }) => phase);
      assert.ok(
        phases.every((phase) => phase === "Superseded" || phase === "Succeeded") && phases.length <= 1,
        `${where}: ${phases.join()}`,
      );
      const heal = { ...old, trigger: "heal", applications: [{ name, generation: 3 }] } as const;
      await installation.sync(heal, `${name}-heal`);
      const [first, second, ...others] = await maps.versions(name, { to: 6 });
      assert.deepEqual([first, ...others], ["gone", "3", "3", "3", "3"], where);
      // An apply that was in the air makes anew what the newer run deleted: an orphan, as every sweep says.
      assert.ok(second === "gone" || call.startsWith("PATCH"), where);
    }
    t.diagnostic(`${calls} calls`);
    assert.ok(calls > 30, `${calls} calls`);

    /** What the inventory says, but for how its objects' versions count. */
    async function owned(name: string): Promise<string> {
      const inventory = await stores.inventories.load(name);
      return JSON.stringify(inventory?.entries.map(({ ref, uid, digest }) => [ref.name, uid, digest]));
    }
  });

  test("at the last call of a removal does not take the row of an application that is back", async () => {
    const name = aName("back");
    const installation = await open();
    const { stores } = installation;
    const definition = anEngineApplication(name, maps.namespace);
    const objects = maps.of(name, { to: 2, version: 1 });
    await installation.sync(await desire(stores, definition, objects), "first");
    const state = (await stores.applications.get(name))!;
    const removal = { ...state, removed: true, version: state.version + 1 };
    await stores.applications.put({ ...removal, desired: { generation: 2, revision: "r", snapshot: "", plannedAt: "" } });
    const batch = {
      cluster: "eu",
      project: "default",
      revision: "r",
      trigger: "removed",
      correlationId: "c",
      applications: [{ name, generation: 2 }],
    } as const;
    const { wasFrozen } = await frozenAt(
      { installation, batch, id: "removal" },
      ({ name: call }) => call === "DeleteItem application",
      async () => {
        await desire(stores, definition, objects);
      },
    );
    assert.ok(wasFrozen);
    const back = await stores.applications.get(name);
    assert.equal(back?.desired?.generation, 3);
    await installation.sync({ ...batch, trigger: "push", applications: [{ name, generation: 3 }] }, "back");
    assert.deepEqual(await maps.versions(name, { to: 2 }), ["1", "1"]);
  });
});
