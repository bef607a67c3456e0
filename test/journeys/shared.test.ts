import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap } from "../support/objects.ts";
import { filesOf, plainConfiguration } from "../support/single-files.ts";

describe("an object that two applications state", () => {
  const [shop, billing] = ["shared-shop", "shared-billing"];
  const policy = "sync: { createNamespace: true, timeout: 30s }";
  let journey: Journey;

  const owner = (): Promise<string> =>
    journey.field(["configmap", shop, "settings"], ".metadata.labels.driftless\\.dev/application");

  before(async () => {
    journey = await startJourney();
    const commit = await journey.push({
      "driftless.yaml": plainConfiguration({ [shop]: policy, [billing]: policy }),
      ...filesOf(shop, [aConfigMap("", "settings", { of: "shop" })]),
      ...filesOf(billing, [aConfigMap("", "own")]),
    });
    for (const name of [shop, billing]) assert.equal((await journey.synced(name, commit)).phase, "Succeeded");
  });
  after(() => journey.close());

  test("stays with the one that has it; the other's sync fails and names both, and applies the rest", async () => {
    const commit = await journey.push(
      filesOf(billing, [aConfigMap(shop, "settings", { of: "billing" }), aConfigMap("", "more")]),
    );
    const sync = await journey.synced(billing, commit);
    assert.deepEqual(
      [sync.phase, sync.errors, sync.counts.created],
      [
        "Failed",
        [
          "ConfigMap shared-shop/settings belongs to application shared-shop, which states it too: keep it in one of the two, or give it another name",
        ],
        1,
      ],
    );
    assert.deepEqual([await owner(), await journey.field(["configmap", shop, "settings"], ".data.of")], [shop, "shop"]);
  });

  test("goes to the other, with its uid, once the first states it no more", async () => {
    const uid = await journey.field(["configmap", shop, "settings"], ".metadata.uid");
    const commit = await journey.push({ [`${shop}/ConfigMap-settings.yaml`]: null, ...filesOf(shop, [aConfigMap("", "left")]) });
    await journey.synced(shop, commit);
    await journey.push(filesOf(billing, [aConfigMap("", "more", { key: "2" })]));
    const [state] = [await journey.git("rev-parse", "HEAD")];
    assert.equal((await journey.synced(billing, state)).phase, "Succeeded");
    assert.equal(await journey.field(["configmap", shop, "settings"], ".metadata.uid"), uid);
    assert.equal(await owner(), billing);
  });

  test("stays while the other that is to have it cannot be rendered, and goes to it, with its uid, once that is mended", async () => {
    const moved = aConfigMap("", "moved");
    const first = await journey.push(filesOf(shop, [moved]));
    assert.equal((await journey.synced(shop, first)).phase, "Succeeded");
    const uid = () => journey.field(["configmap", shop, "moved"], ".metadata.uid");
    const before = await uid();
    const commit = await journey.push({
      [`${shop}/ConfigMap-moved.yaml`]: null,
      ...filesOf(billing, [aConfigMap(shop, "moved")]),
      [`${billing}/broken.yaml`]: "kind: [\n",
    });
    const { phase, notes } = await journey.synced(shop, commit);
    assert.deepEqual(
      [phase, notes],
      [
        "Succeeded",
        ["ConfigMap shared-shop/moved stays: shared-billing could not be rendered at its newest commit, and may want it"],
      ],
    );
    assert.equal(await uid(), before);
    const mended = await journey.push({ [`${billing}/broken.yaml`]: null });
    assert.equal((await journey.synced(billing, mended)).phase, "Succeeded");
    await eventually("the sweep lets it go", async () => {
      await journey.sweep();
      const inventory = await journey.installation.stores.inventories.load(shop);
      return inventory?.entries.every(({ ref }) => ref.name !== "moved");
    });
    assert.equal(await uid(), before);
    assert.equal(await journey.field(["configmap", shop, "moved"], ".metadata.labels.driftless\\.dev/application"), billing);
  });
});
