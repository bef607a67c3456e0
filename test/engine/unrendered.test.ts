import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { displayRef } from "../../lib/model/resource.ts";
import type { ApplicationState, SyncBatch } from "../../lib/model/sync.ts";
import { createPreview } from "../../lib/sync/preview/preview.ts";
import { createRestartLost } from "../../lib/sync/sweep/sweep-restart.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { aName } from "../apply/open.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap } from "../support/objects.ts";
import { aClock } from "./execution.ts";
import { createFleet, type Files, fleetUrl } from "./fleet.ts";
import { type Api, openApi, openInstallation } from "./installation.ts";
import { createPlanner } from "./planner.ts";
import { createWorker } from "./worker.ts";

const unrenderable = "render";

describe("G1: an object that leaves an application while another of its branch cannot be rendered", () => {
  let api: Api;
  let namespace = "";

  before(async () => {
    api = await openApi();
    namespace = await testNamespace("unrendered");
  });

  /** Two applications of one branch; the first has `settings`, and it is synced. */
  async function open() {
    const [shop, billing, settings] = [aName("shop"), aName("billing"), aName("settings")];
    const ref = { group: "", version: "v1", kind: "ConfigMap", namespace, name: settings };
    const clock = aClock();
    const fleet = createFleet();
    const installation = await openInstallation({ api, clock, sharesDiscovery: true });
    const planner = createPlanner(installation, fleet);
    const { stores } = installation;
    let files: Files = {};
    let pushes = 0;
    let runs = 0;
    const object = (name: string) => JSON.stringify(aConfigMap(namespace, name));

    /** The configuration as it is with these applications. */
    const configuration = (...applications: readonly string[]): Files => {
      const lines = applications.map((name) => `  - { name: ${name}, path: ${name}, cluster: eu, namespace: ${namespace} }\n`);
      return { "driftless.yaml": `clusters:\n  - { name: eu, context: eu }\napplications:\n${lines.join("")}` };
    };

    /** Plans the files with this change (null deletes); returns the runs that are to be. */
    async function plan(change: Readonly<Record<string, string | null>>): Promise<readonly SyncBatch[]> {
      const next = Object.entries({ ...files, ...change }).filter((file): file is [string, string] => file[1] !== null);
      files = Object.fromEntries(next);
      fleet.push(files);
      clock.advance(60);
      pushes += 1;
      const message = { repository: fleetUrl, branch: "main", correlationId: `push-${pushes}`, after: "" };
      await createWorker().run(() => planner.planOn(createWorker())(message));
      return planner.started();
    }

    async function work(batches: readonly SyncBatch[]): Promise<void> {
      for (const batch of batches) {
        runs += 1;
        await installation.sync(batch, `${shop}-${runs}`);
      }
    }

    async function sweep(): Promise<readonly SyncBatch[]> {
      clock.advance(60);
      const batches: SyncBatch[] = [];
      const starter = { start: (batch: SyncBatch) => Promise.resolve(void batches.push(batch)) };
      const restart = createRestartLost({ stores, starter, clock, log: silentLog });
      await restart({ id: "sweep", states: await stores.applications.list() }, {});
      return batches;
    }

    const live = () => api.outside.get(ref);
    const state = async (application: string): Promise<ApplicationState> => {
      const found = await stores.applications.get(application);
      assert.ok(found);
      return found;
    };
    const owned = async (application: string): Promise<readonly string[]> => {
      const inventory = await stores.inventories.load(application);
      return (inventory?.entries ?? []).map((entry) => `${entry.ref.name}${entry.leaving === true ? " leaving" : ""}`).sort();
    };

    await work(
      await plan({
        ...configuration(shop, billing),
        [`${shop}/settings.yaml`]: object(settings),
        [`${shop}/own.yaml`]: object(`${shop}-own`),
        [`${billing}/own.yaml`]: object(`${billing}-own`),
      }),
    );
    const uid = (await live())?.metadata.uid;
    assert.ok(uid);
    return {
      planner,
      shop,
      billing,
      settings,
      ref,
      uid,
      stores,
      installation,
      object,
      configuration,
      plan,
      work,
      sweep,
      live,
      state,
      owned,
    };
  }

  /** The same once `settings` went from shop to billing, whose folder is broken since. */
  async function openMoved() {
    const fleet = await open();
    const { shop, billing, settings, object, plan, work } = fleet;
    await work(
      await plan({
        [`${shop}/settings.yaml`]: null,
        [`${billing}/settings.yaml`]: object(settings),
        [`${billing}/broken.yaml`]: unrenderable,
      }),
    );
    return fleet;
  }

  test("stays, and the row of its sync says for whom; the sweep starts nothing", async () => {
    const { shop, billing, settings, ref, uid, live, state, owned, sweep } = await openMoved();
    assert.equal((await live())?.metadata.uid, uid);
    assert.deepEqual(await owned(shop), [`${shop}-own`, `${settings} leaving`].sort());
    const { lastSync } = await state(shop);
    assert.deepEqual(
      [lastSync?.phase, lastSync?.counts.pruned, lastSync?.notes, lastSync?.keptFor],
      [
        "Succeeded",
        0,
        [`${displayRef(ref)} stays: ${billing} could not be rendered at its newest commit, and may want it`],
        [billing],
      ],
    );
    assert.deepEqual(await sweep(), []);
  });

  test("is shown as staying by the plan", async () => {
    const { shop, billing, settings, stores, installation } = await openMoved();
    const preview = createPreview({
      stores,
      clusters: installation.clustersOf(createWorker(), "preview"),
      sources: createFleet().sources,
      renderer: createFleet().renderer,
      log: silentLog,
    });
    const { changes } = await preview({ application: shop });
    assert.deepEqual(
      changes.map(({ action, ref, reason }) => [action, ref.name, reason]),
      [["keep", settings, `${billing} could not be rendered at its newest commit, and may want it`]],
    );
  });

  test("goes to the other with its uid when that one is rendered again, and leaves the inventory by the next sweep", async () => {
    const { shop, billing, settings, uid, plan, work, sweep, live, state, owned } = await openMoved();
    const runs = await plan({ [`${billing}/broken.yaml`]: null });
    const before = (await sweep()).flatMap(({ applications }) => applications.map(({ name }) => name));
    assert.ok(!before.includes(shop), "the other is not synced yet");
    await work(runs);
    assert.deepEqual([(await live())?.metadata.uid, await owned(billing)], [uid, [`${billing}-own`, settings].sort()]);
    const freed = await sweep();
    assert.deepEqual(
      freed.map(({ trigger, applications }) => [trigger, applications.map(({ name }) => name)]),
      [["heal", [shop]]],
    );
    await work(freed);
    assert.deepEqual([(await live())?.metadata.uid, await owned(shop)], [uid, [`${shop}-own`]]);
    assert.deepEqual([(await state(shop)).lastSync?.keptFor, await sweep()], [undefined, []]);
  });

  test("is pruned by the next sweep when the other is rendered again and does not want it", async () => {
    const { shop, billing, plan, work, sweep, live, state, owned } = await openMoved();
    await work(await plan({ [`${billing}/broken.yaml`]: null, [`${billing}/settings.yaml`]: null }));
    await work(await sweep());
    assert.deepEqual([await live(), await owned(shop)], [undefined, [`${shop}-own`]]);
    assert.equal((await state(shop)).lastSync?.counts.pruned, 1);
  });

  test("is pruned by the next sweep when the other leaves the configuration", async () => {
    const { shop, configuration, plan, work, sweep, live, owned } = await openMoved();
    await work(await plan(configuration(shop)));
    await work(await sweep());
    assert.deepEqual([await live(), await owned(shop)], [undefined, [`${shop}-own`]]);
  });

  test("stays when the other is new, or came back, and has never been rendered", async () => {
    const { shop, billing, settings, uid, object, configuration, plan, work, sweep, live } = await open();
    const late = aName("late");
    const broken = { [`${late}/broken.yaml`]: unrenderable, [`${late}/settings.yaml`]: object(settings) };
    await work(await plan({ ...configuration(shop, billing, late), ...broken, [`${shop}/settings.yaml`]: null }));
    assert.equal((await live())?.metadata.uid, uid);
    await work(await plan(configuration(shop, billing)));
    await work(await plan({ ...configuration(shop, billing, late), [`${shop}/more.yaml`]: object(`${shop}-more`) }));
    assert.equal((await live())?.metadata.uid, uid);
    await work(await plan(configuration(shop, billing)));
    await work(await sweep());
    assert.equal(await live(), undefined);
  });

  test("stays when the other came back before the run that was to forget it", async () => {
    const { shop, billing, settings, uid, object, configuration, plan, work, live, state } = await open();
    const late = aName("late");
    const broken = { [`${late}/broken.yaml`]: unrenderable };
    await work(await plan({ ...configuration(shop, billing, late), ...broken }));
    const removal = await plan(configuration(shop, billing));
    const move = { [`${shop}/settings.yaml`]: null, [`${late}/settings.yaml`]: object(settings) };
    const back = await plan({ ...configuration(shop, billing, late), ...move });
    await work(removal);
    assert.notEqual((await state(late)).planError, "");
    await work(back);
    assert.equal((await live())?.metadata.uid, uid);
  });

  test("stays while the plan of the other is cut off, and goes to it with its uid once that is planned", async () => {
    const { shop, billing, settings, uid, object, plan, work, live, planner, owned, sweep } = await open();
    const moved = { [`${shop}/settings.yaml`]: null, [`${billing}/settings.yaml`]: object(settings) };
    await assert.rejects(plan({ ...moved, [`${billing}/fault.yaml`]: "away" }), /the host is away/);
    await work(planner.started());
    assert.equal((await live())?.metadata.uid, uid);
    await work(await plan({ [`${billing}/fault.yaml`]: null }));
    await work(await sweep());
    assert.deepEqual([(await live())?.metadata.uid, await owned(shop)], [uid, [`${shop}-own`]]);
    assert.deepEqual(await owned(billing), [`${billing}-own`, settings].sort());
  });

  test("stays when its own application has it again at the newest commit, which cannot be rendered", async () => {
    const { shop, settings, uid, object, plan, work, live, owned } = await open();
    const late = await plan({ [`${shop}/settings.yaml`]: null });
    await plan({ [`${shop}/settings.yaml`]: object(settings), [`${shop}/broken.yaml`]: unrenderable });
    await work(late);
    assert.deepEqual([(await live())?.metadata.uid, await owned(shop)], [uid, [`${shop}-own`, `${settings} leaving`].sort()]);
    await work(await plan({ [`${shop}/broken.yaml`]: null }));
    assert.deepEqual([(await live())?.metadata.uid, await owned(shop)], [uid, [`${shop}-own`, settings].sort()]);
  });

  test("is kept, whatever else of its own application is removed", async () => {
    const { shop, billing, uid, settings, configuration, plan, work, sweep, live, state, owned } = await openMoved();
    await work(await plan(configuration(billing)));
    assert.equal((await live())?.metadata.uid, uid);
    assert.deepEqual(
      [(await state(shop)).removed, await owned(shop)],
      [true, [`${shop}-own leaving`, `${settings} leaving`].sort()],
    );
    await work(await plan({ [`${billing}/broken.yaml`]: null }));
    await work(await sweep());
    assert.deepEqual([(await live())?.metadata.uid, await owned(shop)], [uid, []]);
    assert.equal(
      await api.outside.get({ group: "", version: "v1", kind: "ConfigMap", namespace, name: `${shop}-own` }),
      undefined,
    );
  });
});
