import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { DriftlessError } from "../../lib/errors.ts";
import { aName } from "../apply/open.ts";
import { testNamespace } from "../support/cluster.ts";
import { type ConfigMaps, configMapsIn } from "./config-maps.ts";
import { anEngineApplication, batchOf, desire } from "./desire.ts";
import { aClock, createExecution } from "./execution.ts";
import { type Api, type InstallationOptions, openApi, openInstallation } from "./installation.ts";

describe("a table that throttles, or has lost something", () => {
  let api: Api;
  let maps: ConfigMaps;

  before(async () => {
    api = await openApi();
    maps = configMapsIn(await testNamespace("faults"), api);
  });

  const open = (options: Partial<InstallationOptions>) =>
    openInstallation({ api, clock: aClock(), sharesDiscovery: true, ...options });

  test("B10: three in ten calls of the table throttled, the inventory in ten parts: every sync converges", async () => {
    const name = aName("throttled");
    const chance = aChance();
    const installation = await open({ partBytes: 1024, spoils: () => chance() < 0.3 });
    const { stores, clock } = installation;
    const definition = anEngineApplication(name, maps.namespace);
    for (const [version, count] of [
      [1, 100],
      [2, 92],
    ] as const) {
      const batch = await desire(stores, definition, maps.of(name, { to: count, version }));
      const execution = createExecution({ id: `${name}-${version}`, clock });
      // What the service does with a step that failed for a passing reason: it is done again.
      for (let attempt = 1; attempt <= 50; attempt++) {
        const end = await installation.work(batch, execution).catch(retryable);
        if (end === "ended") break;
      }
      assert.equal((await stores.applications.get(name))?.lastSync?.phase, "Succeeded");
      assert.deepEqual(await maps.distinct(name, { to: count }), [String(version)]);
      assert.equal((await stores.inventories.load(name))?.entries.length, count);
    }
    assert.equal(await api.outside.get(maps.ref(name, 99)), undefined);
    assert.ok((await partsOf(installation.table, name)).length >= 5);
  });

  test("B10: an inventory that misses a part prunes nothing, says so, and holds no other application up", async () => {
    const [torn, whole] = [aName("torn"), aName("whole")];
    const installation = await open({ partBytes: 1024 });
    const { stores, table, sent } = installation;
    const definitions = [torn, whole].map((name) => anEngineApplication(name, maps.namespace));
    const syncBoth = async (count: number, version: number) => {
      for (const definition of definitions) await desire(stores, definition, maps.of(definition.name, { to: count, version }));
      const states = await Promise.all([torn, whole].map(async (name) => (await stores.applications.get(name))!));
      const [first, second] = states.map((state) => batchOf(state));
      const applications = [...first!.applications, ...second!.applications];
      await installation.sync({ ...first!, applications }, `both-${version}`);
    };
    await syncBoth(40, 1);
    const parts = await partsOf(table, torn);
    assert.ok(parts.length >= 3);
    await table.client.call("DeleteItem", { TableName: table.name, Key: parts[2]! });
    sent.splice(0);
    await syncBoth(36, 2);

    assert.deepEqual(
      sent.filter(({ method, path }) => method === "DELETE" && path.includes(torn)),
      [],
    );
    const { lastSync } = (await stores.applications.get(torn)) ?? {};
    assert.equal(lastSync?.phase, "Failed");
    assert.match(lastSync.errors.join(), /a part of the inventory of .* is missing: nothing of it can be pruned/);
    assert.deepEqual(await maps.distinct(torn, { to: 40 }), ["1"]);
    assert.equal((await stores.applications.get(whole))?.lastSync?.phase, "Succeeded");
    assert.deepEqual(await maps.distinct(whole, { to: 36 }), ["2"]);
    assert.equal(sent.filter(({ method }) => method === "DELETE").length, 4);
  });
});

/** Numbers in [0, 1), the same in every run. */
function aChance(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function retryable(error: unknown): "failed" {
  if (error instanceof DriftlessError && error.retryable) return "failed";
  throw error;
}

/** Keys of the parts of an inventory, in order. */
async function partsOf(table: Awaited<ReturnType<typeof openInstallation>>["table"], application: string) {
  const answer = await table.client.call("Query", {
    TableName: table.name,
    KeyConditionExpression: "#pk = :pk AND begins_with(#sk, :prefix)",
    ExpressionAttributeNames: { "#pk": "pk", "#sk": "sk" },
    ExpressionAttributeValues: { ":pk": { S: `inventory#${application}` }, ":prefix": { S: "part#" } },
  });
  return (answer?.Items ?? []).map(({ pk, sk }) => ({ pk: pk!, sk: sk! }));
}
