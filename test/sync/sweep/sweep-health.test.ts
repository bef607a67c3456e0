import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { aName } from "../../apply/open.ts";
import { type ConfigMaps, configMapsIn } from "../../engine/config-maps.ts";
import { type Api, openApi } from "../../engine/installation.ts";
import { clearLeftovers, testNamespace } from "../../support/cluster.ts";
import { edit, openSweeping, type Sweeping } from "./sweeping.ts";

/** ConfigMaps that say of themselves how they are. */
const healthCheckExprs = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    current: "!has(data.state) || data.state == 'well'",
    failed: "has(data.state) && data.state == 'broken'",
  },
];

describe("a sweep refreshes health", () => {
  let api: Api;
  let maps: ConfigMaps;
  before(async () => {
    api = await openApi();
    await clearLeftovers();
    maps = configMapsIn(await testNamespace("health"), api);
  });

  const delivered = async (name: string) => {
    const sweeping = await openSweeping(api);
    await sweeping.deliver(name, maps.of(name, { to: 3, version: 1 }), { additions: "ignore" });
    return sweeping;
  };
  const health = async (sweeping: Sweeping, name: string) => (await sweeping.installation.stores.applications.get(name))?.health;
  const sweep = (sweeping: Sweeping) => sweeping.sweep({ healthCheckExprs });
  const setState = (name: string, state: string) => edit(maps.ref(name, 1), { data: { state } });

  test("without a request while nothing changes", async () => {
    const name = aName("still");
    const sweeping = await delivered(name);
    await sweep(sweeping);
    const { requests, healthChanged } = await sweep(sweeping);
    assert.deepEqual([requests, healthChanged], [1, []]);
  });

  test("a failure and a recovery are each in the row after one sweep", async () => {
    const name = aName("fails");
    const sweeping = await delivered(name);
    await sweep(sweeping);
    await setState(name, "broken");
    assert.deepEqual((await sweep(sweeping)).healthChanged, [name]);
    const failed = await health(sweeping, name);
    assert.equal(failed?.status, "Degraded");
    assert.match(failed?.message ?? "", new RegExp(`${name}-1`));
    assert.equal((await sweep(sweeping)).requests, 1);
    await setState(name, "well");
    assert.deepEqual((await sweep(sweeping)).healthChanged, [name]);
    assert.deepEqual(await health(sweeping, name), { status: "Healthy", message: "" });
  });

  test("what is on its way is looked at again though nothing moved", async () => {
    const name = aName("waits");
    const sweeping = await delivered(name);
    await setState(name, "starting");
    await sweep(sweeping);
    assert.equal((await health(sweeping, name))?.status, "Progressing");
    assert.equal((await sweep(sweeping)).requests, 2);
  });

  test("is left to the sync while one runs", async () => {
    const name = aName("runs");
    const sweeping = await delivered(name);
    const { stores } = sweeping.installation;
    await sweep(sweeping);
    const state = await stores.applications.get(name);
    assert.ok(state?.lastSync);
    const lastSync = { ...state.lastSync, phase: "Waiting" as const };
    await stores.applications.put({ ...state, lastSync, version: state.version + 1 });
    await setState(name, "broken");
    assert.deepEqual((await sweep(sweeping)).healthChanged, []);
    assert.equal((await health(sweeping, name))?.status, "Healthy");
  });

  test("is judged anew when the rules are others", async () => {
    const name = aName("rules");
    const sweeping = await delivered(name);
    await setState(name, "broken");
    await sweeping.sweep();
    assert.equal((await health(sweeping, name))?.status, "Healthy");
    await sweep(sweeping);
    assert.equal((await health(sweeping, name))?.status, "Degraded");
  });
});
