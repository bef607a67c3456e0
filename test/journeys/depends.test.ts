import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Manifest } from "../../lib/model/resource.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { filesOf, plainConfiguration } from "../support/single-files.ts";

const image = (tag: string): Manifest => aDeployment("", "web", { image: `registry.example/web:${tag}` });
const policy = "sync: { createNamespace: true, timeout: 60s }";

describe("an application that depends on others", () => {
  const [database, shop, reports] = ["depends-database", "depends-shop", "depends-reports"];
  let journey: Journey;

  before(async () => {
    journey = await startJourney();
  });
  after(() => journey.close());

  test("is not begun before they are synced and healthy, says what it waits for, and follows at once; others don't wait", async () => {
    const commit = await journey.push({
      "driftless.yaml": plainConfiguration({
        [database]: policy,
        [shop]: `${policy}, dependsOn: [${database}]`,
        [reports]: policy,
      }),
      ...filesOf(database, [image("broken-1")]),
      ...filesOf(shop, [aConfigMap("", "settings")]),
      ...filesOf(reports, [aConfigMap("", "settings")]),
    });
    assert.equal((await journey.synced(reports, commit)).phase, "Succeeded");
    const waiting = await eventually("it waits", async () => {
      const state = await journey.state(shop);
      return state?.lastSync?.phase === "Waiting" ? state : undefined;
    });
    assert.match(waiting.health.message, /^waits for depends-database \(/);
    assert.equal(await journey.field(["namespace", "", shop], ".metadata.uid"), "");

    await journey.push(filesOf(database, [image("1")]));
    const sync = await journey.synced(shop, commit);
    assert.deepEqual([sync.phase, sync.errors, sync.counts.created], ["Succeeded", [], 2]);
    const synced = journey.events.filter(({ event, phase }) => event === "sync.recorded" && phase === "Succeeded");
    assert.deepEqual(
      synced.map(({ application }) => application),
      [reports, database, shop],
    );
  });

  test("is healed whatever they are at", async () => {
    const broken = await journey.push(filesOf(database, [image("broken-2")]));
    await eventually("the other is broken", async () => (await journey.state(database))?.desired?.revision === broken);
    await journey.kubectl("delete", "configmap", "-n", shop, "settings");
    await journey.sweep();
    await eventually("healed", async () => (await journey.field(["configmap", shop, "settings"], ".data.key")) === "1");
  });
});
