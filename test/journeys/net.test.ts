import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

describe("the sweep is the net under lost webhooks", () => {
  let journey: Journey;
  before(async () => {
    journey = await startJourney({ webhooks: false });
  });
  after(() => journey.close());

  test("a repository that was never announced is synced by the first sweep", async () => {
    const commit = await journey.push(guestbook({ prefix: "net", environments: ["qa"] }));
    const { movedHeads } = await journey.sweep();
    assert.equal(movedHeads.length, 1);
    assert.equal((await journey.synced("net-qa", commit)).phase, "Succeeded");
  });

  test("a moved head is synced by the next sweep, and once only", async () => {
    const commit = await journey.push({
      "overlays/qa/kustomization.yaml": overlay({ prefix: "net", environment: "qa", tag: "1.4" }),
    });
    assert.equal((await journey.sweep()).movedHeads.length, 1);
    await journey.synced("net-qa", commit);
    assert.equal(
      await journey.field(["deployment", "net-qa", "guestbook"], ".spec.template.spec.containers[0].image"),
      "registry.example/guestbook:1.4",
    );
    assert.deepEqual((await journey.sweep()).movedHeads, []);
    assert.equal((await journey.syncs("net-qa")).filter(({ revision }) => revision === commit).length, 1);
  });

  test("a deleted branch deletes nothing", async () => {
    await journey.git("push", "--quiet", "origin", ":main");
    await journey.sweep();
    await eventually("the branch is known to be gone", async () => (await journey.sweep()).movedHeads.length === 0);
    assert.equal(await journey.field(["deployment", "net-qa", "guestbook"], ".metadata.name"), "guestbook");
    const commit = await journey.push({
      "overlays/qa/kustomization.yaml": overlay({ prefix: "net", environment: "qa", tag: "1.5" }),
    });
    await journey.sweep();
    assert.equal((await journey.synced("net-qa", commit)).phase, "Succeeded");
  });
});
