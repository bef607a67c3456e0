import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { configMap, configuration, guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

describe("what changes in Git changes in the cluster", () => {
  const prefix = "change";
  let journey: Journey;

  before(async () => {
    journey = await startJourney();
    const files = guestbook({ prefix });
    const commit = await journey.push({
      ...files,
      "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", resources: ["extra.yaml"] }),
      "overlays/qa/extra.yaml": configMap("extra"),
    });
    await Promise.all([journey.synced("change-qa", commit), journey.synced("change-e2e", commit)]);
  });
  after(() => journey.close());

  test("a new image brings new pods", async () => {
    const images = () => journey.kubectl("get", "pods", "-n", "change-qa", "-o", "jsonpath={.items[*].spec.containers[*].image}");
    assert.equal(await images(), "registry.example/guestbook:1.0");
    const commit = await journey.push({
      "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "2.0", resources: ["extra.yaml"] }),
    });
    assert.equal((await journey.synced("change-qa", commit)).phase, "Succeeded");
    await eventually("only new pods", async () => (await images()) === "registry.example/guestbook:2.0");
  });

  test("an object that left the desired state is pruned, last", async () => {
    const seen = journey.events.length;
    const commit = await journey.push({
      "overlays/qa/extra.yaml": null,
      "overlays/qa/more.yaml": configMap("more"),
      "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "2.0", resources: ["more.yaml"] }),
    });
    const sync = await journey.synced("change-qa", commit);
    assert.deepEqual([sync.phase, sync.counts.created, sync.counts.pruned], ["Succeeded", 1, 1]);
    assert.equal(await journey.field(["configmap", "change-qa", "extra"], ".metadata.name"), "");
    const order = journey.events.slice(seen).filter(({ event }) => event === "sync.created" || event === "sync.pruned");
    assert.deepEqual(
      order.map(({ event, ref }) => `${event} ${String(ref)}`),
      ["sync.created ConfigMap change-qa/more", "sync.pruned ConfigMap change-qa/extra"],
    );
    const inventory = await journey.installation.stores.inventories.load("change-qa");
    assert.ok(inventory?.entries.every(({ ref }) => ref.name !== "extra"));
  });

  test("an empty or failed render prunes nothing", async () => {
    const commit = await journey.push({ "overlays/qa/kustomization.yaml": "resources: []\n" });
    const sync = await journey.synced("change-qa", commit);
    assert.equal(sync.phase, "Failed");
    assert.match(sync.errors[0] ?? "", /overlays\/qa/);
    assert.equal(await journey.field(["deployment", "change-qa", "guestbook"], ".metadata.name"), "guestbook");
    const mended = await journey.push({
      "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "2.0", resources: ["more.yaml"] }),
    });
    await eventually("the plan is mended", async () => {
      const state = await journey.state("change-qa");
      return state?.planError === "" && state.plannedRevision === mended;
    });
  });

  test("an application that left driftless.yaml is pruned by the guard's rules: its namespace stays", async () => {
    await journey.push({ "driftless.yaml": configuration({ prefix, environments: ["qa"], drift: "heal", timeout: "60s" }) });
    await eventually(
      "the deployment is gone",
      async () => (await journey.field(["deployment", "change-e2e", "guestbook"], ".metadata.name")) === "",
    );
    const last = await eventually("the sync is recorded", async () =>
      (await journey.syncs("change-e2e")).find(({ snapshot, finishedAt }) => snapshot === "" && finishedAt !== ""),
    );
    assert.deepEqual([last.phase, last.counts.pruned], ["Succeeded", 2]);
    assert.equal(await journey.kubectl("get", "namespace", "change-e2e", "-o", "jsonpath={.status.phase}"), "Active");
    assert.equal(await journey.field(["deployment", "change-qa", "guestbook"], ".metadata.name"), "guestbook");
  });

  test("more than the deletion budget is not pruned, and the row says what to do", async () => {
    const names = Array.from({ length: 14 }, (_, index) => `many-${index}`);
    const many = names.map((name) => configMap(name)).join("---\n");
    const settings = { prefix, environment: "qa", tag: "2.0" } as const;
    const with14 = await journey.push({
      "overlays/qa/many.yaml": many,
      "overlays/qa/kustomization.yaml": overlay({ ...settings, resources: ["more.yaml", "many.yaml"] }),
    });
    assert.equal((await journey.synced("change-qa", with14)).counts.created, 14);
    const without = await journey.push({ "overlays/qa/kustomization.yaml": overlay({ ...settings, resources: ["more.yaml"] }) });
    const sync = await journey.synced("change-qa", without);
    assert.deepEqual([sync.phase, sync.counts.pruned], ["Blocked", 0]);
    assert.match(sync.errors[0] ?? "", /14 of 18/);
    assert.equal(await journey.field(["configmap", "change-qa", "many-13"], ".metadata.name"), "many-13");
  });
});
