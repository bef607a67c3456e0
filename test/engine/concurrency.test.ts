import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DriftlessError } from "../../lib/errors.ts";
import type { SyncBatch } from "../../lib/model/sync.ts";
import { createSweep } from "../../lib/sync/sweep/sweep.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { aName } from "../apply/open.ts";
import { testNamespace } from "../support/cluster.ts";
import { type ConfigMaps, configMapsIn } from "./config-maps.ts";
import { anEngineApplication, desire } from "./desire.ts";
import { aClock, createExecution } from "./execution.ts";
import { createFleet, type Files, fleetUrl } from "./fleet.ts";
import { type Api, type InstallationOptions, openApi, openInstallation } from "./installation.ts";
import { createPlanner, fleetConfiguration } from "./planner.ts";
import { createWorker } from "./worker.ts";

describe("runs that compete", () => {
  let api: Api;
  let maps: ConfigMaps;

  before(async () => {
    api = await openApi();
    maps = configMapsIn(await testNamespace("compete"), api);
  });

  const open = (options: Partial<InstallationOptions> = {}) =>
    openInstallation({ api, clock: aClock(), sharesDiscovery: true, ...options });

  test("B1: an old run that was paused before its apply ends Superseded, and what the newer one brought stays", async () => {
    const name = aName("paused");
    const installation = await open();
    const { stores, clock, sent } = installation;
    const definition = anEngineApplication(name, maps.namespace);
    const old = await desire(stores, definition, maps.of(name, { to: 3, version: 1 }));
    const [paused, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const beforeStep = (step: string): Promise<void> | undefined => {
      if (!step.startsWith("apply")) return undefined;
      paused.resolve();
      return gate.promise;
    };
    const oldRun = installation.work(old, createExecution({ id: "old", clock, beforeStep }));
    await paused.promise;
    await installation.sync(await desire(stores, definition, maps.of(name, { to: 3, version: 2 })), "new");
    gate.resolve();
    await oldRun;

    assert.deepEqual(await maps.distinct(name, { to: 3 }), ["2"]);
    assert.deepEqual(
      sent.filter(({ run, method }) => run === "old" && method !== "GET"),
      [],
    );
    const rows = (await stores.syncs.list(name)).items.map(({ generation, phase }) => `${generation} ${phase}`);
    assert.deepEqual(rows.toSorted(), ["1 Superseded", "2 Succeeded"]);
    assert.equal((await stores.applications.get(name))?.lastSync?.generation, 2);
  });

  test("B3: of fifty runs at once one works, ten times over: whoever writes holds the lease, and each state has one row", async () => {
    const name = aName("crowd");
    const fences: { readonly fence: number; readonly holder: string }[] = [];
    const intruders: string[] = [];
    let onWrite = (): void => undefined;
    const installation = await open({
      fault: async ({ method }, run) => {
        if (method === "GET") return undefined;
        onWrite();
        const lease = await stores.leases.get(name);
        fences.push({ fence: lease?.fence ?? 0, holder: lease?.holder ?? "" });
        if (lease?.holder !== run) intruders.push(`${run} wrote while ${lease?.holder} held the lease`);
        return undefined;
      },
    });
    const { stores } = installation;
    const definition = anEngineApplication(name, maps.namespace);
    // Nobody's lease runs out while requests are in the air.
    const sleep = () => delay(5);
    const crowd = (batch: SyncBatch, round: string) =>
      Promise.all(
        Array.from({ length: 25 }, (_, at) =>
          installation.work(batch, createExecution({ id: `${round}-${at}`, clock: installation.clock, sleep })),
        ),
      );
    for (let round = 1; round <= 10; round++) {
      const begun = Promise.withResolvers<void>();
      onWrite = begun.resolve;
      const first = crowd(await desire(stores, definition, maps.of(name, { to: 12, version: 2 * round - 1 })), `${round}-a`);
      await begun.promise;
      const second = crowd(await desire(stores, definition, maps.of(name, { to: 12, version: 2 * round })), `${round}-b`);
      await Promise.all([first, second]);
      assert.deepEqual(await maps.distinct(name, { to: 12 }), [String(2 * round)], `round ${round}`);
    }
    assert.deepEqual(intruders, []);
    assert.deepEqual(
      fences,
      fences.toSorted((a, b) => a.fence - b.fence),
      "no fence comes back once a later one wrote",
    );
    assert.equal(
      new Set(fences.map(({ fence, holder }) => `${fence} ${holder}`)).size,
      new Set(fences.map(({ fence }) => fence)).size,
    );
    const rows = (await stores.syncs.list(name)).items;
    assert.deepEqual(
      rows.map(({ generation }) => generation).toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
    for (const { generation, phase } of rows) if (generation % 2 === 0) assert.equal(phase, "Succeeded");
    assert.equal(await stores.leases.get(name), undefined);
  });

  test("B5: nothing of a step goes on once it is over, also when the API server went away in the middle of it", async () => {
    const name = aName("away");
    const late = Promise.withResolvers<void>();
    let refused = 0;
    const installation = await open({
      fault: async ({ method, path }) => {
        if (method !== "PATCH" || refused >= 20) return undefined;
        // Some are answered late, when the others have failed long ago.
        if (/-[0-3]\?/.test(path)) {
          await late.promise;
          return undefined;
        }
        refused += 1;
        if (refused === 4) setTimeout(late.resolve, 20);
        throw new DriftlessError("cluster", "nobody answers", { retryable: true });
      },
    });
    const { stores } = installation;
    const batch = await desire(stores, anEngineApplication(name, maps.namespace), maps.of(name, { to: 40, version: 1 }));
    // The execution itself fails where a step leaves a call behind.
    const worker = await installation.sync(batch, "cut-off");
    assert.equal(worker.inFlight, 0);
    assert.equal((await stores.syncs.list(name)).items[0]?.phase, "Failed");
    refused = 20;
    await installation.sync(batch, "again");
    assert.equal((await stores.applications.get(name))?.lastSync?.phase, "Succeeded");
    assert.deepEqual(await maps.distinct(name, { to: 40 }), ["1"]);
  });

  test("B7: a broken revision is one failed row, however often it is delivered; ten fixes after it end at the last, and others go on", async () => {
    const [poisoned, other] = [aName("poisoned"), aName("other")];
    const installation = await open();
    const { stores, clock } = installation;
    const fleet = createFleet();
    const planner = createPlanner(installation, fleet);
    const push = async (files: Files, deliveries: number): Promise<void> => {
      const line = (name: string) => `  - { name: ${name}, path: ${name}, cluster: eu, namespace: ${maps.namespace} }\n`;
      const configuration = `clusters:\n  - { name: eu, context: eu }\napplications:\n${line(poisoned)}${line(other)}`;
      fleet.push({ ...files, "driftless.yaml": configuration });
      for (let delivery = 1; delivery <= deliveries; delivery++) {
        clock.advance(1);
        const message = { repository: fleetUrl, branch: "main", correlationId: `delivery-${delivery}`, after: "" };
        await planner.planOn(createWorker())(message);
      }
      for (const batch of planner.started()) await installation.sync(batch, `${batch.revision}-${batch.correlationId}`);
    };
    const file = (name: string, version: number) => ({
      [`${name}/map.yaml`]: JSON.stringify(maps.of(name, { to: 1, version })[0]),
    });
    await push({ ...file(other, 1), [`${poisoned}/fault.yaml`]: "render" }, 3);
    assert.deepEqual(await maps.distinct(other, { to: 1 }), ["1"]);
    for (let fix = 1; fix <= 10; fix++) await push({ ...file(other, 1), ...file(poisoned, fix) }, 1);

    assert.deepEqual(await maps.distinct(poisoned, { to: 1 }), ["10"]);
    const rows = (await stores.syncs.list(poisoned)).items;
    assert.deepEqual(
      rows.filter(({ phase }) => phase === "Failed").map(({ errors }) => errors),
      [[`${poisoned}/fault.yaml is no manifest`]],
    );
    assert.equal(rows.filter(({ phase }) => phase === "Succeeded").length, 10);
    assert.equal((await stores.syncs.list(other)).items.length, 1);
  });

  test("B11: five sweeps at once heal what drifted in one run", async () => {
    const name = aName("swept");
    const installation = await open();
    const { stores, clock } = installation;
    await installation.sync(
      await desire(stores, anEngineApplication(name, maps.namespace), maps.of(name, { to: 3, version: 1 })),
      "first",
    );
    const lost = await api.outside.get(maps.ref(name, 1));
    await api.outside.delete(maps.ref(name, 1), { uid: lost?.metadata.uid ?? "" });
    clock.advance(60);

    const runs: Promise<unknown>[] = [];
    const fleet = createFleet();
    const sweeps = Array.from({ length: 5 }, (_, at) => {
      const worker = createWorker();
      return createSweep({
        stores: installation.storesOf(worker),
        clusters: installation.clustersOf(worker, `sweep-${at}`),
        sources: fleet.sources,
        queue: { send: () => Promise.resolve() },
        starter: {
          start: (batch) => {
            runs.push(installation.sync(batch, `heal-${at}`));
            return Promise.resolve();
          },
        },
        configuration: fleetConfiguration,
        newId: () => `sweep-${at}`,
        clock,
        log: silentLog,
      })();
    });
    const results = await Promise.all(sweeps);
    await Promise.all(runs);
    assert.ok(results.some(({ reports }) => reports[0]?.healing.includes(name)));
    assert.deepEqual(await maps.distinct(name, { to: 3 }), ["1"]);
    const rows = (await stores.syncs.list(name)).items;
    assert.deepEqual(
      rows.map(({ trigger, phase, counts }) => `${trigger} ${phase} ${counts.created}`),
      ["heal Succeeded 1", "push Succeeded 3"],
    );
  });
});
