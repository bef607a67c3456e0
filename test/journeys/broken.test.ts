import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

describe("a broken rollout", () => {
  const prefix = "broken";
  let journey: Journey;

  before(async () => {
    journey = await startJourney();
    await journey.synced("broken-qa", await journey.push(guestbook({ prefix, environments: ["qa"], timeout: "120s" })));
  });
  after(() => journey.close());

  test("is Degraded with the pod's reason in the row while it is waited for; the fix pushed meanwhile is live at once", async () => {
    const bad = await journey.push({ "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "broken-1" }) });
    const state = await eventually("Degraded", async () => {
      const seen = await journey.state("broken-qa");
      return seen?.desired?.revision === bad && seen.health.status === "Degraded" ? seen : undefined;
    });
    assert.match(state.health.message, /ImagePullBackOff/);
    assert.match(state.health.message, /Deployment broken-qa\/guestbook/);
    assert.equal(state.lastSync?.phase, "Waiting");

    const good = await journey.push({ "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "1.2" }) });
    const sync = await journey.synced("broken-qa", good);
    assert.deepEqual([sync.phase, sync.health.status], ["Succeeded", "Healthy"]);
    assert.equal(
      await journey.field(["deployment", "broken-qa", "guestbook"], ".spec.template.spec.containers[0].image"),
      "registry.example/guestbook:1.2",
    );
    const superseded = await journey.synced("broken-qa", bad);
    assert.equal(superseded.phase, "Superseded");
    assert.equal((await journey.state("broken-qa"))?.lastSync?.revision, good);
  });

  test("that is never fixed fails at its deadline and says why; nothing is pruned", async () => {
    const short = guestbook({ prefix, environments: ["qa"], timeout: "3s" });
    const bad = await journey.push({
      "driftless.yaml": short["driftless.yaml"] ?? "",
      "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "broken-2" }).replace(", ../../base", ""),
    });
    const sync = await journey.synced("broken-qa", bad);
    assert.deepEqual([sync.phase, sync.health.status], ["Failed", "Degraded"]);
    assert.match(sync.errors[0] ?? "", /not healthy after 3 s: Degraded: .*ImagePullBackOff/);
    assert.equal(await journey.field(["service", "broken-qa", "guestbook"], ".metadata.name"), "guestbook");
  });
});
