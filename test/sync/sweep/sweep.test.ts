import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { parseConfiguration } from "../../../lib/config/configuration.ts";
import { DriftlessError } from "../../../lib/errors.ts";
import type { SweepShard } from "../../../lib/model/drift.ts";
import { createSweep, type SweepDeps } from "../../../lib/sync/sweep/sweep.ts";
import { createSweepPrevention } from "../../../lib/sync/sweep/sweep-prevention.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { silentMetrics } from "../../../lib/telemetry/metrics.ts";
import { aName } from "../../apply/open.ts";
import { type ConfigMaps, configMapsIn } from "../../engine/config-maps.ts";
import { createFleet } from "../../engine/fleet.ts";
import { type Api, openApi } from "../../engine/installation.ts";
import { fleetConfiguration } from "../../engine/planner.ts";
import { clearLeftovers, testNamespace } from "../../support/cluster.ts";
import { edit, openSweeping, type Sweeping } from "./sweeping.ts";

describe("a sweep of several clusters", () => {
  let api: Api;
  let maps: ConfigMaps;
  before(async () => {
    api = await openApi();
    await clearLeftovers();
    maps = configMapsIn(await testNamespace("shards"), api);
  });

  const deliver = (sweeping: Sweeping, name: string, cluster: string) =>
    sweeping.deliver(name, maps.of(name, { to: 2, version: 1 }), { cluster });
  const sweepOf = ({ deps }: Sweeping, more: Partial<SweepDeps>) => {
    let sweeps = 0;
    return createSweep({
      ...(deps as SweepDeps),
      metrics: silentMetrics,
      sources: createFleet().sources,
      queue: { send: () => Promise.resolve() },
      configuration: fleetConfiguration,
      newId: () => `sweep-${++sweeps}`,
      ...more,
    });
  };
  const handedOn = () => {
    const shards: SweepShard[] = [];
    const start = async (shard: SweepShard): Promise<void> => void shards.push(shard);
    return { shards, start };
  };
  const reportsOf = async ({ installation }: Sweeping, cluster: string) => (await installation.stores.sweeps.list(cluster)).items;

  test("hands each to an invocation of its own, which sweeps it and no other", async () => {
    const [eu, us] = [aName("eu"), aName("us")];
    const sweeping = await openSweeping(api);
    await deliver(sweeping, eu, "eu");
    await deliver(sweeping, us, "us");
    await edit(maps.ref(us, 0), { data: { version: "2" } });
    const { shards, start } = handedOn();
    const sweep = sweepOf(sweeping, { shards: { start } });
    const result = await sweep();
    assert.deepEqual([result.reports, result.shards], [[], ["eu", "us"]]);
    assert.deepEqual(shards, [
      { sweep: "sweep-1", cluster: "eu" },
      { sweep: "sweep-1", cluster: "us" },
    ]);
    for (const event of shards) await sweep({ event });
    const told = async (cluster: string) =>
      (await reportsOf(sweeping, cluster)).map(({ id, applications, healing }) => ({ id, applications, healing }));
    assert.deepEqual(await told("eu"), [{ id: "sweep-1", applications: 1, healing: [] }]);
    assert.deepEqual(await told("us"), [{ id: "sweep-1", applications: 1, healing: [us] }]);
  });

  test("sweeps in place where there is only one", async () => {
    const name = aName("one");
    const sweeping = await openSweeping(api);
    await deliver(sweeping, name, "eu");
    const { shards, start } = handedOn();
    const { reports } = await sweepOf(sweeping, { shards: { start } })();
    assert.deepEqual([reports.map(({ cluster }) => cluster), shards], [["eu"], []]);
  });

  test("that opens none itself hands on every cluster, also a single one, and those that only have something to plan or to take out", async () => {
    const name = aName("one");
    const sweeping = await openSweeping(api);
    const { stores } = sweeping.installation;
    await deliver(sweeping, name, "eu");
    const configuration = parseConfiguration({
      text: [
        "clusters: [{ name: eu, context: a }, { name: new, context: b }, { name: left, context: c }, { name: idle, context: d }]",
        "applications:",
        "  - { name: planned-never, repository: https://git.example/shop.git, path: ., cluster: new, namespace: shop }",
      ].join("\n"),
      file: "driftless.yaml",
      repository: "https://git.example/platform.git",
    });
    await stores.configuration.save({ configuration, revision: "a1", oid: "b2", number: 1 });
    for (const cluster of ["left", "unknown"]) await stores.prevention.save({ cluster, digest: "", objects: [], problem: "" });
    const { shards, start } = handedOn();
    const opened: string[] = [];
    const open = (cluster: string) => {
      opened.push(cluster);
      return Promise.reject(new DriftlessError("cluster", "out of reach"));
    };
    const clusters = { reader: open, writer: open };
    const prevention = createSweepPrevention({ stores, clusters, roles: [], log: silentLog });
    const sweep = sweepOf(sweeping, { shards: { start }, inPlace: false, clusters, prevention });
    const result = await sweep();
    assert.deepEqual([result.reports, opened], [[], []]);
    assert.deepEqual(shards.map(({ cluster }) => cluster).toSorted(), ["eu", "left", "new"]);
  });

  test("a cluster that nobody takes says so in its row, and the others are handed on", async () => {
    const [eu, us] = [aName("eu"), aName("us")];
    const sweeping = await openSweeping(api);
    await deliver(sweeping, eu, "eu");
    await deliver(sweeping, us, "us");
    const refuse = ({ cluster }: SweepShard): Promise<void> =>
      cluster === "eu" ? Promise.reject(new DriftlessError("queue", "Lambda is away")) : Promise.resolve();
    const { shards } = await sweepOf(sweeping, { shards: { start: refuse } })();
    assert.deepEqual(shards, ["us"]);
    assert.deepEqual(
      (await reportsOf(sweeping, "eu")).map(({ errors }) => errors),
      [["Lambda is away"]],
    );
    assert.deepEqual(await reportsOf(sweeping, "us"), []);
  });

  test("a shard that comes twice heals once; one that meets another sweep leaves the cluster to it, unless that died", async () => {
    const name = aName("twice");
    const sweeping = await openSweeping(api);
    const { stores, clock } = sweeping.installation;
    await deliver(sweeping, name, "eu");
    await edit(maps.ref(name, 0), { data: { version: "2" } });
    const sweep = sweepOf(sweeping, {});
    const event = { sweep: "sweep-9", cluster: "eu" };
    await Promise.all([sweep({ event }), sweep({ event })]);
    const names = sweeping.started().map((batch) => JSON.stringify(batch));
    assert.equal(new Set(names).size, 1);

    await stores.leases.acquire({ application: "sweep:eu", holder: "sweep-10", generation: 0, seconds: 240 });
    assert.deepEqual((await sweep({ event: { sweep: "sweep-11", cluster: "eu" } })).reports, []);
    clock.advance(300);
    assert.equal((await sweep({ event: { sweep: "sweep-12", cluster: "eu" } })).reports.length, 1);
  });
});
