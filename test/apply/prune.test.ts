import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pruneObjects } from "../../lib/apply/prune.ts";
import type { InventoryEntry } from "../../lib/model/inventory.ts";
import { displayRef, type Manifest, refOf } from "../../lib/model/resource.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment, aPolicy } from "../support/objects.ts";
import { aName, applied, enforce, openCluster } from "./open.ts";

/** Objects of one application as its inventory knows them after a sync. */
async function aSyncedApplication(t: TestContext, make: (namespace: string) => readonly Manifest[]) {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("prune");
  const application = aName("prune");
  const objects = make(namespace);
  const results = await applied(cluster.writer, { application, objects });
  const entries = results.flatMap(({ entry }) => (entry ? [entry] : []));
  assert.equal(entries.length, objects.length);
  const prune = (leaving: readonly InventoryEntry[] = entries) =>
    pruneObjects({ writer: cluster.writer, application, entries: leaving });
  const path = (name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  return { ...cluster, namespace, application, entries, prune, path };
}

const names = (entries: readonly InventoryEntry[]) => entries.map(({ ref }) => ref.name);
const merge = (body: object) => ({ contentType: "application/merge-patch+json", body });

test("what is deleted is pruned, and leaves the inventory when it is gone", async (t) => {
  const { writer, prune, entries } = await aSyncedApplication(t, (namespace) => [
    aConfigMap(namespace, "a"),
    aConfigMap(namespace, "b"),
  ]);
  const { changes, gone, terminating } = await prune();
  assert.deepEqual(
    changes.map(({ action, ref }) => `${action} ${ref.name}`),
    ["pruned b", "pruned a"],
  );
  assert.deepEqual([names(gone), terminating], [["b", "a"], []]);
  for (const { ref } of entries) assert.equal(await writer.get(ref), undefined);
});

test("a workload goes before what it needs, and its pods go with it", async (t) => {
  const { prune, call, namespace } = await aSyncedApplication(t, (at) => [aConfigMap(at, "settings"), aDeployment(at, "web")]);
  const pods = async () => JSON.parse((await call("GET", `/api/v1/namespaces/${namespace}/pods`)).text) as { items: object[] };
  await until(async () => (await pods()).items.length === 1, { what: "the pod" });
  const { changes } = await prune();
  assert.deepEqual(
    changes.map(({ action, ref }) => `${action} ${displayRef(ref)}`),
    [`pruned Deployment ${namespace}/web`, `pruned ConfigMap ${namespace}/settings`],
  );
  await until(async () => (await pods()).items.length === 0, { what: "the pod to be gone" });
});

test("G6 another object that has taken the name is kept, and ours leaves the inventory", async (t) => {
  const { writer, prune, call, path, namespace, application } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  await call("DELETE", path("a"));
  const metadata = { name: "a", labels: { "driftless.dev/application": application } };
  assert.equal((await call("POST", `/api/v1/namespaces/${namespace}/configmaps`, { body: { metadata } })).status, 201);
  const { changes, gone, terminating } = await prune();
  assert.deepEqual([changes, names(gone), terminating], [[], ["a"], []]);
  assert.ok(await writer.get(refOf(aConfigMap(namespace, "a"))));
});

test("an object that another application took over meanwhile is kept, and leaves the inventory", async (t) => {
  const { writer, prune, call, path, entries } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  await call("PATCH", path("a"), merge({ metadata: { labels: { "driftless.dev/application": "another" } } }));
  const { changes, gone } = await prune();
  assert.deepEqual([changes, names(gone)], [[], ["a"]]);
  assert.equal((await writer.get(entries[0]!.ref))?.metadata.uid, entries[0]?.uid);
});

test("what is gone already leaves the inventory without a word", async (t) => {
  const { prune, call, path } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a"), aConfigMap(at, "b")]);
  await call("DELETE", path("a"));
  const { changes, gone } = await prune();
  assert.deepEqual(
    changes.map(({ action, ref }) => `${action} ${ref.name}`),
    ["pruned b"],
  );
  assert.deepEqual(names(gone).toSorted(), ["a", "b"]);
});

test("an object whose write was never recorded is pruned when it carries the application's label", async (t) => {
  const { prune, entries, writer } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  const { gone } = await prune(entries.map((entry) => ({ ...entry, uid: "" })));
  assert.deepEqual(names(gone), ["a"]);
  assert.equal(await writer.get(entries[0]!.ref), undefined);
});

test("a finalizer at work is named and waited for; the object leaves the inventory when it is gone, and is counted once", async (t) => {
  const { prune, call, path } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  await call("PATCH", path("a"), merge({ metadata: { finalizers: ["shop.example/hold"] } }));
  const first = await prune();
  assert.deepEqual(
    [first.changes.map(({ action }) => action), first.gone, first.terminating.map(({ finalizers }) => finalizers)],
    [["pruned"], [], [["shop.example/hold"]]],
  );
  const second = await prune();
  assert.deepEqual([second.changes, second.gone, second.terminating.length], [[], [], 1]);
  await call("PATCH", path("a"), merge({ metadata: { finalizers: null } }));
  const third = await prune();
  assert.deepEqual([third.changes, names(third.gone), third.terminating], [[], ["a"], []]);
});

test("G2 a delete that the server refuses is a failure with its reason, is never forgotten, and keeps no other back", async (t) => {
  const synced = await aSyncedApplication(t, (at) => [aConfigMap(at, "a"), aDeployment(at, "web")]);
  const { prune, call, namespace } = synced;
  const lift = await enforce(t, synced, aPolicy({ namespace, operation: "DELETE", resource: "configmaps" }));
  const dryRun = () => call("DELETE", `/api/v1/namespaces/${namespace}/configmaps/a?dryRun=All`);
  await until(async () => (await dryRun()).status === 422, { what: "the policy to be in force" });
  const { changes, gone } = await prune();
  assert.deepEqual(names(gone), ["web"]);
  const failed = changes.filter((change) => change.action === "failed");
  assert.deepEqual(
    failed.map(({ ref }) => ref.name),
    ["a"],
  );
  assert.match(failed[0]?.error ?? "", /refused to delete ConfigMap .*\/a: .*not here/);
  await lift();
  await until(async () => (await dryRun()).status === 200, { what: "the policy to be gone" });
  assert.deepEqual(names((await prune()).gone).toSorted(), ["a", "web"]);
});
