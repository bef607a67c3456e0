import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Manifest } from "../../lib/model/resource.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { filesOf, plainConfiguration } from "../support/single-files.ts";

describe("an application with `rollback: auto`", () => {
  const name = "rollback-auto";
  let journey: Journey;
  let good = "";

  const objects = (tag: string, setting: string): readonly Manifest[] => [
    aDeployment("", "web", { image: `registry.example/web:${tag}` }),
    aConfigMap("", "settings", { key: setting }),
  ];
  const push = (tag: string, setting: string): Promise<string> => journey.push(filesOf(name, objects(tag, setting)));
  const liveImage = (): Promise<string> => journey.field(["deployment", name, "web"], ".spec.template.spec.containers[0].image");
  const liveSetting = (): Promise<string> => journey.field(["configmap", name, "settings"], ".data.key");

  before(async () => {
    journey = await startJourney();
    good = await journey.push({
      "driftless.yaml": plainConfiguration({ [name]: "rollback: auto, sync: { createNamespace: true, timeout: 5s }" }),
      ...filesOf(name, objects("1", "one")),
    });
    assert.equal((await journey.synced(name, good)).phase, "Succeeded");
  });
  after(() => journey.close());

  test("gets its last healthy state back, all of it, when the new one misses its deadline", async () => {
    const bad = await push("broken-1", "two");
    const failed = await journey.synced(name, bad);
    assert.deepEqual([failed.phase, failed.trigger], ["Failed", "push"]);
    const back = await eventually("rolled back", async () => {
      const [newest] = await journey.syncs(name);
      return newest?.trigger === "rollback" && newest.finishedAt !== "" ? newest : undefined;
    });
    assert.deepEqual([back.phase, back.revision, back.errors], ["Succeeded", good, []]);
    assert.deepEqual([await liveImage(), await liveSetting()], ["registry.example/web:1", "one"]);
    const state = await journey.state(name);
    assert.deepEqual([state?.health.status, state?.rejected?.revision, state?.rejected?.by], ["Healthy", bad, "driftless"]);
    assert.match(state?.rejected?.reason ?? "", /^(not healthy after 5 s|Degraded for 10 s): .*ImagePullBackOff/);
  });

  test("stays rolled back: neither the sweep nor a commit that does not touch it brings the bad state again", async () => {
    const runs = (await journey.syncs(name)).length;
    const commit = await journey.push({ "README.md": "another file\n" });
    const { heads } = journey.installation.stores;
    await eventually("the push is planned", async () => (await heads.get(journey.repository, "main")) === commit);
    await journey.sweep();
    assert.deepEqual([(await journey.syncs(name)).length, await liveImage()], [runs, "registry.example/web:1"]);
    assert.equal((await journey.state(name))?.drifted, 0);
  });

  test("takes the next commit that changes it", async () => {
    const commit = await push("2", "three");
    assert.equal((await journey.synced(name, commit)).phase, "Succeeded");
    assert.deepEqual([await liveImage(), await liveSetting()], ["registry.example/web:2", "three"]);
    assert.equal((await journey.state(name))?.rejected, undefined);
  });

  test("is not rolled back for what is no matter of health", async () => {
    const commit = await journey.push({
      [`${name}/bad.yaml`]: '{"apiVersion":"none.example/v1","kind":"Nothing","metadata":{"name":"n"}}',
    });
    assert.equal((await journey.synced(name, commit)).phase, "Failed");
    assert.deepEqual([(await journey.syncs(name))[0]?.trigger, (await journey.state(name))?.rejected], ["push", undefined]);
  });
});
