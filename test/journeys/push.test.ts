import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

describe("a push becomes a synced cluster", () => {
  const prefix = "push";
  let journey: Journey;
  let first: string;

  before(async () => {
    journey = await startJourney();
    first = await journey.push(guestbook({ prefix }));
    await Promise.all([journey.synced("push-qa", first), journey.synced("push-e2e", first)]);
  });
  after(() => journey.close());

  test("both environments are rolled out and Healthy", async () => {
    for (const name of ["push-qa", "push-e2e"]) {
      const state = await journey.state(name);
      assert.deepEqual(state?.health, { status: "Healthy", message: "" });
      assert.equal(state.lastSync?.phase, "Succeeded");
      assert.equal(await journey.field(["deployment", name, "guestbook"], ".status.readyReplicas"), "1");
    }
  });

  test("the delivery, the sync and the inventory are rows of the table, tied by one correlation id", async () => {
    const { stores } = journey.installation;
    const [delivery] = (await stores.deliveries.list()).items;
    assert.equal(delivery?.state, "planned");
    assert.deepEqual([...delivery.applications].sort(), ["push-e2e", "push-qa"]);
    const [sync] = await journey.syncs("push-qa");
    assert.equal(sync?.correlationId, delivery.id);
    assert.deepEqual(sync.counts, { created: 3, configured: 0, unchanged: 0, pruned: 0, failed: 0 });
    const inventory = await stores.inventories.load("push-qa");
    assert.deepEqual(inventory?.entries.map(({ ref }) => ref.kind).sort(), ["Deployment", "Namespace", "Service"]);
    assert.ok(inventory.entries.every(({ uid, fingerprint }) => uid !== "" && fingerprint !== ""));
    const spoken = journey.events.filter(({ correlationId }) => correlationId === delivery.id).map(({ event }) => event);
    for (const event of ["webhook.queued", "plan.begun", "sync.begun", "sync.recorded"]) assert.ok(spoken.includes(event), event);
  });

  test("every line on the way of a push has its correlation id, and those of one application its name", () => {
    const onTheWay = journey.events.filter(({ event }) => /^(?:webhook|plan|sync|queue|apply)\./.test(event));
    assert.ok(onTheWay.length > 10);
    const without = (field: string) => onTheWay.filter((line) => typeof line[field] !== "string").map(({ event }) => event);
    assert.deepEqual(without("correlationId"), []);
    const ofAll = new Set(["webhook.queued", "webhook.answered", "plan.begun", "plan.started"]);
    assert.deepEqual(
      without("application").filter((event) => !ofAll.has(event)),
      [],
    );
  });

  test("each function measures what it does", async () => {
    await journey.sweep();
    const measured = journey.events.filter(({ event }) => event === "metrics");
    const values = (name: string) => measured.flatMap((line) => (name in line ? [line[name]] : []));
    assert.deepEqual(values("SyncFailed"), [0, 0]);
    assert.ok(values("SyncDuration").every((duration) => Number(duration) > 0));
    assert.ok(values("QueueAge").length > 0 && values("QueueAge").every((age) => Number(age) >= 0 && Number(age) < 60));
    assert.deepEqual(values("OldestUnsynced"), [0]);
    assert.deepEqual([values("DeliveryFailed"), values("PreviousSecretUsed")], [[], []]);
  });

  test("a push that touches one environment neither renders nor syncs the other", async () => {
    const seen = journey.events.length;
    const commit = await journey.push({ "overlays/qa/kustomization.yaml": overlay({ prefix, environment: "qa", tag: "1.1" }) });
    const sync = await journey.synced("push-qa", commit);
    assert.deepEqual(sync.counts, { created: 0, configured: 1, unchanged: 2, pruned: 0, failed: 0 });
    const later = journey.events.slice(seen);
    assert.deepEqual(
      later.filter(({ event }) => event === "plan.render").map(({ application }) => application),
      ["push-qa"],
    );
    assert.deepEqual(
      later.filter(({ event }) => event === "sync.begun").map(({ application }) => application),
      ["push-qa"],
    );
    assert.equal((await journey.state("push-e2e"))?.desired?.revision, first);
  });

  test("a changed shared base renders exactly its dependants, a file that nobody reads renders none", async () => {
    const seen = journey.events.length;
    const ignored = await journey.push({ "README.md": "Nobody renders this.\n" });
    await eventually("the delivery is ignored", async () =>
      (await journey.installation.stores.deliveries.list()).items.some(
        ({ after: head, state }) => head === ignored && state === "ignored",
      ),
    );
    assert.deepEqual(
      journey.events.slice(seen).filter(({ event }) => event === "plan.render"),
      [],
    );
    const commit = await journey.push({
      "base/kustomization.yaml": "resources: [deployment.yaml, service.yaml]\ncommonAnnotations: { team: web }\n",
    });
    await Promise.all([journey.synced("push-qa", commit), journey.synced("push-e2e", commit)]);
    assert.equal(await journey.field(["deployment", "push-e2e", "guestbook"], ".metadata.annotations.team"), "web");
  });

  test("a second sync of the same snapshot writes nothing", async () => {
    const version = () => journey.field(["deployment", "push-qa", "guestbook"], ".metadata.resourceVersion");
    const before = await version();
    const state = await journey.state("push-qa");
    const generation = state?.desired?.generation ?? 0;
    const batch = {
      cluster: "local",
      revision: "again",
      trigger: "sweep",
      correlationId: "again",
      applications: [{ name: "push-qa", generation }],
    };
    await journey.installation.lambda.invoke("sync", batch);
    const again = (await journey.syncs("push-qa")).find(({ correlationId }) => correlationId === "again");
    assert.deepEqual(again?.counts, { created: 0, configured: 0, unchanged: 3, pruned: 0, failed: 0 });
    assert.equal(await version(), before);
  });
});
