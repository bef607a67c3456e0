import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { stringifyJson } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap, aCrd, aDeployment, aNamespace, aPod } from "../support/objects.ts";

const group = "order.driftless.example";

/** Plain files of one application: a JSON document is YAML too. */
const files = (folder: string, objects: readonly Manifest[]): Record<string, string> =>
  Object.fromEntries(objects.map((object) => [`${folder}/${object.kind}-${object.metadata.name}.yaml`, stringifyJson(object)]));

function configuration(applications: Readonly<Record<string, string>>): string {
  const lines = Object.entries(applications).map(
    ([name, namespace]) =>
      `  - { name: ${name}, path: ${name}, cluster: local, namespace: ${namespace}, sync: { timeout: 30s } }\n`,
  );
  return `clusters: [{ name: local, context: admin }]\napplications:\n${lines.join("")}`;
}

describe("what others stand on comes first", () => {
  const name = "order-first";
  let journey: Journey;
  before(async () => {
    journey = await startJourney();
  });
  after(async () => {
    await journey.kubectl("delete", "crd", "--ignore-not-found", `rooms.${group}`, `chairs.${group}`);
    await journey.close();
  });

  test("a Namespace and its objects, definitions and their objects in one push are synced in one run", async () => {
    const chair: Manifest = {
      apiVersion: `${group}/v1`,
      kind: "Chair",
      metadata: { name: "c" },
      spec: { id: 9007199254740993n },
    };
    const room: Manifest = { apiVersion: `${group}/v1`, kind: "Room", metadata: { name: "r" }, spec: { id: 1 } };
    const commit = await journey.push({
      "driftless.yaml": configuration({ [name]: name }),
      ...files(name, [
        chair,
        room,
        aPod("", "bare"),
        aDeployment("", "web"),
        aConfigMap("", "settings"),
        aNamespace(name),
        aCrd({ group, kind: "Chair", scope: "Namespaced" }),
        aCrd({ group, kind: "Room", scope: "Cluster" }),
      ]),
    });
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.errors, sync.counts.created, sync.counts.failed], ["Succeeded", [], 8, 0]);
    assert.equal((await journey.syncs(name)).length, 1);

    const created = journey.events
      .filter(({ event }) => event === "sync.created")
      .map(({ ref }) => String(ref).replace(/ .*/, ""));
    assert.deepEqual(created.slice(0, 3).toSorted(), ["CustomResourceDefinition", "CustomResourceDefinition", "Namespace"]);
    assert.equal(created[3], "ConfigMap");
    assert.deepEqual(created.slice(4, 6).toSorted(), ["Deployment", "Pod"]);
    assert.deepEqual(created.slice(6).toSorted(), ["Chair", "Room"]);
  });

  test("an integer beyond 2^53 reaches the cluster exactly, and is no drift there", async () => {
    const id = () => journey.field([`chairs.${group}`, name, "c"], ".spec.id");
    assert.equal(await id(), "9007199254740993");
    await journey.kubectl("patch", `chairs.${group}`, "-n", name, "c", "--type=merge", "-p", '{"spec":{"id":9007199254740992}}');
    await journey.sweep();
    await eventually("the integer is healed", async () => (await id()) === "9007199254740993");
    const { items } = await journey.installation.stores.drift.list({ application: name });
    const row = items.find(({ field }) => field === "spec.id");
    assert.deepEqual([row?.desired, row?.live], [9007199254740993n, 9007199254740992n]);
    await eventually("the row is closed", async () =>
      (await journey.installation.stores.drift.list({ application: name })).items.every(({ healedAt }) => healedAt !== ""),
    );
    assert.equal((await journey.sweep()).reports[0]?.drifted, 0);
  });
});

describe("an object that moves from one application to another", () => {
  const [from, to] = ["order-from", "order-to"];
  let journey: Journey;
  const applications = configuration({ [from]: from, [to]: from });
  const settings = aConfigMap("", "settings");
  const uid = () => journey.field(["configmap", from, "settings"], ".metadata.uid");
  const owner = () => journey.field(["configmap", from, "settings"], ".metadata.labels.driftless\\.dev/application");
  const owned = async (application: string) =>
    (await journey.installation.stores.inventories.load(application))?.entries.map(({ ref }) => ref.name).toSorted();
  /** Moves it in one push; the other way when it was moved before. */
  const move = (source: string, target: string) =>
    journey.push({ [`${source}/ConfigMap-settings.yaml`]: null, ...files(target, [settings]) });

  before(async () => {
    journey = await startJourney();
    const commit = await journey.push({
      "driftless.yaml": applications,
      ...files(from, [aNamespace(from), settings, aConfigMap("", "stays")]),
      ...files(to, [aConfigMap("", "other")]),
    });
    assert.equal((await journey.synced(from, commit)).phase, "Succeeded");
    await eventually("both are synced", async () => {
      await journey.sweep();
      return (await journey.state(to))?.lastSync?.phase === "Succeeded";
    });
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", from);
    await journey.close();
  });

  test("keeps its uid, and is pruned by neither", async () => {
    const before = await uid();
    const commit = await move(from, to);
    const [left, taken] = await Promise.all([journey.synced(from, commit), journey.synced(to, commit)]);
    assert.deepEqual([left.phase, left.counts.pruned, taken.phase, taken.counts.configured], ["Succeeded", 0, "Succeeded", 1]);
    assert.deepEqual([await uid(), await owner()], [before, to]);
    assert.deepEqual(
      [await owned(from), await owned(to)],
      [
        [from, "stays"],
        ["other", "settings"],
      ],
    );
  });

  test("is not pruned while the application that takes it is held up, however late that comes", async () => {
    const before = await uid();
    const { leases } = journey.installation.stores;
    const held = await leases.acquire({ application: from, holder: "another run", generation: 0, seconds: 60 });
    assert.ok(held.acquired);
    const seen = journey.events.length;
    const commit = await move(to, from);
    await eventually("the prune waits", async () =>
      journey.events.slice(seen).some(({ event, application }) => event === "sync.prune-held" && application === to),
    );
    assert.deepEqual([await uid(), await owner()], [before, to]);
    await leases.release(held.lease);
    const [left, taken] = await Promise.all([journey.synced(to, commit), journey.synced(from, commit)]);
    assert.deepEqual([left.phase, left.counts.pruned, taken.phase], ["Succeeded", 0, "Succeeded"]);
    assert.deepEqual([await uid(), await owner()], [before, from]);
    assert.deepEqual([await owned(from), await owned(to)], [[from, "settings", "stays"], ["other"]]);
  });

  test("keeps its uid when the application that had it is renamed, also when the new name's first render fails", async () => {
    const before = await uid();
    const renamed = "order-renamed";
    const seen = journey.events.length;
    await journey.push({
      "driftless.yaml": configuration({ [renamed]: from, [to]: from }).replace(`path: ${renamed}`, `path: ${from}`),
      [`${from}/bad.yaml`]: "kind: [\n",
    });
    await eventually("the prune keeps it", async () => ((await journey.state(from))?.lastSync?.keptFor ?? []).includes(renamed));
    assert.deepEqual([await uid(), await owner()], [before, from]);
    const commit = await journey.push({ [`${from}/bad.yaml`]: null });
    assert.equal((await journey.synced(renamed, commit)).phase, "Succeeded");
    await eventually("the sweep forgets the old name", async () => {
      await journey.sweep();
      return (await journey.state(from)) === undefined;
    });
    assert.deepEqual([await uid(), await owner()], [before, renamed]);
    assert.deepEqual(await owned(renamed), [from, "settings", "stays"]);
    assert.ok(!journey.events.slice(seen).some(({ event }) => event === "sync.pruned"));
  });
});
