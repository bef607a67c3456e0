import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { listLive } from "../../lib/apply/live.ts";
import { type Detected, detectDrift, orphanRows } from "../../lib/drift/detect.ts";
import type { DriftRow } from "../../lib/model/drift.ts";
import type { InventoryEntry } from "../../lib/model/inventory.ts";
import { type Manifest, refOf, resourceKey } from "../../lib/model/resource.ts";
import { aName, applied, openCluster, prepared } from "../apply/open.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";

const now = "2026-03-01T12:00:00.000Z";

/** Objects as they stand after a sync, and how a sweep looks at them. */
async function aSyncedApplication(t: TestContext, make: (namespace: string) => readonly Manifest[]) {
  const cluster = await openCluster(t);
  const { writer } = cluster;
  const namespace = await testNamespace("drift");
  const application = aName("drift");
  const objects = make(namespace);
  const first = await applied(writer, { application, objects });
  const entries = first.flatMap(({ entry }) => (entry ? [entry] : []));
  const desired = new Map(
    (await prepared(writer, { application, objects })).map(({ ref, manifest }) => [resourceKey(ref), manifest]),
  );
  const asked: string[] = [];
  const detect = async (owned: readonly InventoryEntry[] = entries): Promise<Detected> => {
    const { live } = await listLive({ reader: writer, kinds: owned.map(({ ref }) => ref), applications: [application] });
    return detectDrift({
      reader: writer,
      application,
      cluster: "local",
      policies: { drift: "heal", additions: "report", ignoreDifferences: [] },
      entries: owned,
      live,
      now,
      desired: (ref) => {
        asked.push(ref.name);
        return Promise.resolve(desired.get(resourceKey(ref)));
      },
    });
  };
  const path = (name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const patch = async (name: string, manager: string, body: object) => {
    const options = { contentType: "application/merge-patch+json", body };
    assert.equal((await cluster.call("PATCH", `${path(name)}?fieldManager=${manager}`, options)).status, 200);
  };
  return { ...cluster, namespace, application, entries, detect, asked, path, patch };
}

const told = ({ kind, ref, field, desired, live, manager, operation }: DriftRow) => [
  kind,
  `${ref.kind} ${ref.name}`,
  field,
  desired,
  live,
  manager,
  operation,
];
const pair = (entries: readonly InventoryEntry[]): readonly [InventoryEntry, InventoryEntry] => {
  const [first, second] = entries;
  assert.ok(first && second);
  return [first, second];
};
const nothing: Detected = {
  rows: [],
  suspects: 0,
  heals: [],
  takeBack: [],
  strict: [],
  cleared: [],
  clearedAsSeen: [],
  errors: [],
};

test("what is as it was applied costs no request beside the list, and the desired state is not asked for", async (t) => {
  const { detect, writer, asked } = await aSyncedApplication(t, (at) => [
    aConfigMap(at, "a"),
    aConfigMap(at, "b"),
    aConfigMap(at, "c"),
  ]);
  const before = writer.requests;
  assert.deepEqual(await detect(), nothing);
  assert.deepEqual([writer.requests - before, asked], [1, []]);
});

test("what a controller writes to an object is no drift", async (t) => {
  const { detect, writer, entries } = await aSyncedApplication(t, (at) => [aDeployment(at, "web")]);
  await until(async () => (await writer.get(entries[0]!.ref))?.["status"] !== undefined, { what: "the controller" });
  const { rows, takeBack, errors } = await detect();
  assert.deepEqual([rows, takeBack, errors], [[], [], []]);
});

test("a value that somebody changed is a row: was, is, by whom and when", async (t) => {
  const { detect, patch, application, asked } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a"), aConfigMap(at, "b")]);
  await patch("a", "kubectl-edit", { data: { key: "2" } });
  const { rows, suspects, takeBack } = await detect();
  assert.deepEqual(rows.map(told), [["changed", "ConfigMap a", "data.key", "1", "2", "kubectl-edit", "Update"]]);
  assert.deepEqual([suspects, takeBack, asked], [1, [], ["a"]]);
  const [row] = rows;
  assert.match(row?.changedAt ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual([row?.application, row?.cluster, row?.firstSeen, row?.lastSeen], [application, "local", now, now]);
});

test("a value that somebody removed is a row without a live value", async (t) => {
  const { detect, patch } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a", { key: "1", more: "2" })]);
  await patch("a", "kubectl-edit", { data: { more: null } });
  const { rows } = await detect();
  assert.deepEqual(rows.map(told), [["changed", "ConfigMap a", "data.more", "2", undefined, "", ""]]);
});

test("an object that is gone is one row for the whole object", async (t) => {
  const { detect, call, path } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  await call("DELETE", path("a"));
  assert.deepEqual((await detect()).rows.map(told), [["missing", "ConfigMap a", "", undefined, undefined, "", ""]]);
});

test("an object that lost our label is not taken for gone", async (t) => {
  const { detect, patch, application } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  await patch("a", "kubectl-label", { metadata: { labels: { "driftless.dev/application": null } } });
  const { rows } = await detect();
  const field = 'metadata.labels["driftless.dev/application"]';
  assert.deepEqual(rows.map(told), [["changed", "ConfigMap a", field, application, undefined, "", ""]]);
});

test("a value set away and back is no row, and is taken back", async (t) => {
  const { detect, patch } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  await patch("a", "kubectl-edit", { data: { key: "2" } });
  await patch("a", "kubectl-edit", { data: { key: "1" } });
  const { rows, takeBack } = await detect();
  assert.deepEqual([rows, takeBack.map(({ name }) => name)], [[], ["a"]]);
});

test("G8 a field that others added is an addition, and no change", async (t) => {
  const { detect, patch } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a")]);
  await patch("a", "operator", { data: { theirs: "x" } });
  const { rows, takeBack } = await detect();
  assert.deepEqual(rows.map(told), [["addition", "ConfigMap a", "data.theirs", undefined, "x", "operator", "Update"]]);
  assert.deepEqual(takeBack, []);
});

test("F14 a changed value of a Secret is told of, and neither its old nor its new value", async (t) => {
  const value = Buffer.from("correct-horse").toString("base64");
  const { detect, namespace, call } = await aSyncedApplication(t, (at) => [
    { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: at }, data: { password: value } },
  ]);
  const body = { data: { password: Buffer.from("battery-staple").toString("base64") } };
  const options = { contentType: "application/merge-patch+json", body };
  await call("PATCH", `/api/v1/namespaces/${namespace}/secrets/s?fieldManager=kubectl-edit`, options);
  const { rows } = await detect();
  assert.deepEqual(rows.map(told), [
    ["changed", "Secret s", "data.password", "[secret]", "[secret, changed]", "kubectl-edit", "Update"],
  ]);
});

test("what is leaving, and what was never recorded as written, is not looked at", async (t) => {
  const { detect, entries, call, path } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a"), aConfigMap(at, "b")]);
  await call("DELETE", path("a"));
  await call("DELETE", path("b"));
  const [a, b] = pair(entries);
  assert.deepEqual(
    await detect([
      { ...a, leaving: true },
      { ...b, uid: "" },
    ]),
    nothing,
  );
});

test("one object that cannot be checked is an error by name, and the others are checked", async (t) => {
  const { detect, patch, entries, asked } = await aSyncedApplication(t, (at) => [aConfigMap(at, "a"), aConfigMap(at, "b")]);
  await patch("a", "kubectl-edit", { data: { key: "2" } });
  await patch("b", "kubectl-edit", { data: { key: "2" } });
  const [a, b] = pair(entries);
  const unknown: InventoryEntry = { ...b, ref: refOf(aConfigMap("", "nowhere")) };
  const { rows, errors } = await detect([a, unknown]);
  assert.deepEqual([rows.map(({ ref }) => ref.name), asked], [["a"], ["a", "nowhere"]]);
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? "", /^ConfigMap nowhere: ConfigMap nowhere names no namespace/);
});

test("a hook is run, and never drifts, whatever became of it", async (t) => {
  const { entries, detect, patch } = await aSyncedApplication(t, (namespace) => [
    aConfigMap(namespace, "a"),
    aConfigMap(namespace, "b"),
  ]);
  const [a, b] = pair(entries);
  await patch("a", "someone", { data: { level: "changed" } });
  const { rows, suspects } = await detect([{ ...a, hook: true }, b]);
  assert.deepEqual([rows, suspects], [[], 0]);
});

test("an object that an annotation in the cluster leaves alone does not drift", async (t) => {
  const { detect, patch } = await aSyncedApplication(t, (namespace) => [aConfigMap(namespace, "a")]);
  const annotations = { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" };
  await patch("a", "someone", { metadata: { annotations }, data: { level: "changed" } });
  const { rows, takeBack } = await detect();
  assert.deepEqual([rows, takeBack], [[], []]);
});

test("an orphan carries our label and has no owner: not what is owned, dying, made by a controller, or extraneous by its own word", () => {
  const live = (name: string, metadata: object = {}) => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "shop", ...metadata } };
    return [resourceKey(refOf(object)), object] as const;
  };
  const rows = orphanRows({
    live: new Map([
      live("owned"),
      live("stray"),
      live("dying", { deletionTimestamp: now }),
      live("child", { ownerReferences: [{ kind: "ReplicaSet", name: "web" }] }),
      live("extra", { annotations: { "argocd.argoproj.io/compare-options": "ServerSideDiff=true, IgnoreExtraneous" } }),
    ]),
    owned: new Set(["/ConfigMap/shop/owned"]),
    applicationOf: () => "web",
    refOf: ({ apiVersion, kind, metadata }) => refOf({ apiVersion, kind, metadata }),
    cluster: "local",
    now,
  });
  assert.deepEqual(rows.map(told), [["orphan", "ConfigMap stray", "", undefined, undefined, "", ""]]);
  assert.equal(rows[0]?.application, "web");
});
