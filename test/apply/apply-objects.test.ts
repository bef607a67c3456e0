import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment, aNamespace, aPod, aPolicy } from "../support/objects.ts";
import { aName, applied, enforce, errorOf, openCluster, told } from "./open.ts";

const managersOf = (object: Manifest | undefined): readonly string[] =>
  (object?.metadata.managedFields ?? []).flatMap(({ manager, operation, subresource }) =>
    subresource === undefined ? [`${manager} ${operation}`] : [],
  );

/** A ConfigMap that was made by us and has a value that somebody set with `kubectl edit`. */
async function anEditedConfigMap(t: TestContext) {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("force");
  const application = aName("force");
  await applied(cluster.writer, { application, objects: [aConfigMap(namespace, "web", { key: "1" })] });
  const path = `/api/v1/namespaces/${namespace}/configmaps/web?fieldManager=kubectl-edit`;
  const { status } = await cluster.call("PATCH", path, {
    contentType: "application/merge-patch+json",
    body: { data: { key: "2" } },
  });
  assert.equal(status, 200);
  const object = aConfigMap(namespace, "web", { key: "3" });
  const value = async () => (await cluster.writer.get(refOf(object)))?.["data"];
  return { ...cluster, application, object, value };
}

test("what is new is created, what differs is configured, what is the same is unchanged", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("apply");
  const application = aName("apply");
  const first = [aConfigMap(namespace, "a"), aConfigMap(namespace, "b")];
  assert.deepEqual(told(await applied(writer, { application, objects: first })), ["created ConfigMap a", "created ConfigMap b"]);
  const second = [aConfigMap(namespace, "a"), aConfigMap(namespace, "b", { key: "2" }), aConfigMap(namespace, "c")];
  const results = await applied(writer, { application, objects: second });
  assert.deepEqual(told(results), ["unchanged ConfigMap a", "configured ConfigMap b", "created ConfigMap c"]);
  for (const { entry } of results) {
    const live = entry && (await writer.get(entry.ref));
    assert.ok(entry?.uid && entry.fingerprint && entry.appliedAt && entry.digest);
    assert.deepEqual([entry.uid, entry.resourceVersion], [live?.metadata.uid, live?.metadata.resourceVersion]);
  }
});

test("F3 without leave to force, a conflict fails, names manager and field, and changes nothing", async (t) => {
  const { writer, application, object, value } = await anEditedConfigMap(t);
  const [result] = await applied(writer, { application, objects: [object], force: "never" });
  assert.match(errorOf(result), /web: did not take over \.data\.key from kubectl-edit, because of `conflicts: fail`/);
  assert.deepEqual([result?.retryable, result?.entry], [false, undefined]);
  assert.deepEqual(await value(), { key: "2" });
});

test("F3 with leave to force, a conflict is logged and told with manager and field, and the field is taken over", async (t) => {
  const { writer, application, object, value } = await anEditedConfigMap(t);
  const lines: string[] = [];
  const log = jsonLog({ write: (line) => lines.push(line) });
  const results = await applied(writer, { application, objects: [object], force: "ask-first", log });
  assert.deepEqual(told(results), ["configured ConfigMap web"]);
  assert.deepEqual(results[0]?.notes, [`ConfigMap ${object.metadata.namespace}/web: took over .data.key from kubectl-edit`]);
  const [line, ...more] = lines.map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>);
  assert.deepEqual(
    [line?.["event"], line?.["kind"], line?.["namespace"], line?.["name"], line?.["managers"], line?.["fields"], more],
    ["apply.conflict", "ConfigMap", object.metadata.namespace, "web", "kubectl-edit", "kubectl-edit: .data.key", []],
  );
  assert.deepEqual(await value(), { key: "3" });
});

test("what an annotation says about fields of others goes before the application's policy", async (t) => {
  const { writer, application, object, value } = await anEditedConfigMap(t);
  const withPolicy = (policy: string): Manifest => ({
    ...object,
    metadata: { ...object.metadata, annotations: { "kustomize.toolkit.fluxcd.io/ssa": policy } },
  });
  for (const force of ["ask-first", "at-once"] as const) {
    const [merged] = await applied(writer, { application, objects: [withPolicy("Merge")], force });
    assert.match(errorOf(merged), /did not take over \.data\.key from kubectl-edit, because of its annotation .*ssa: Merge/);
  }
  const [overridden] = await applied(writer, { application, objects: [withPolicy("Override")], force: "never" });
  assert.match(overridden?.notes[0] ?? "", /took over \.data\.key from kubectl-edit$/);
  assert.deepEqual(await value(), { key: "3" });
});

test("a heal takes fields over at once, without asking", async (t) => {
  const { writer, application, object, value } = await anEditedConfigMap(t);
  const lines: string[] = [];
  const before = writer.requests;
  await applied(writer, {
    application,
    objects: [object],
    force: "at-once",
    log: jsonLog({ write: (line) => lines.push(line) }),
  });
  assert.deepEqual([lines, writer.requests - before], [[], 2], "one LIST and one apply");
  assert.deepEqual(await value(), { key: "3" });
});

test("F13 one object that the server refuses does not keep the others back, before or after it", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("others");
  const many = Array.from({ length: 20 }, (_, index) => aConfigMap(namespace, `c${String(index).padStart(2, "0")}`));
  const bad: Manifest = { ...aConfigMap(namespace, "bad"), data: { "not a key!": "1" } };
  const last = aDeployment(namespace, "web");
  const results = await applied(writer, { application: aName("others"), objects: [bad, ...many, last] });
  assert.deepEqual(
    told(results).filter((line) => !line.startsWith("created")),
    ["failed ConfigMap bad"],
  );
  assert.equal(results.length, 22);
  assert.match(errorOf(results.find(({ change }) => change.action === "failed")), /ConfigMap .*\/bad.*not a key!/);
  assert.ok(await writer.get(refOf(last)));
});

test("a run that lost its lease writes no further stage", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("lease");
  const objects = [aConfigMap(namespace, "first"), aDeployment(namespace, "second")];
  const asked: number[] = [];
  const stillMine = () => Promise.resolve(asked.push(1) === 1);
  await assert.rejects(applied(writer, { application: aName("lease"), objects, stillMine }), { code: "lease" });
  assert.ok(await writer.get(refOf(aConfigMap(namespace, "first"))));
  assert.equal(await writer.get(refOf(aDeployment(namespace, "second"))), undefined);
});

test("F12 an object that is being deleted fails with its finalizer, and is created again once it is gone", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = await testNamespace("dying");
  const application = aName("dying");
  const path = `/api/v1/namespaces/${namespace}/configmaps/web`;
  const body = { ...aConfigMap(namespace, "web"), metadata: { name: "web", finalizers: ["shop.example/hold"] } };
  assert.equal((await call("POST", `/api/v1/namespaces/${namespace}/configmaps`, { body })).status, 201);
  assert.equal((await call("DELETE", path)).status, 200);
  const [result] = await applied(writer, { application, objects: [aConfigMap(namespace, "web")] });
  assert.match(errorOf(result), /ConfigMap .*\/web is being deleted \(finalizers: shop\.example\/hold\)/);
  assert.deepEqual([result?.retryable, result?.entry], [true, undefined]);
  const release = { contentType: "application/merge-patch+json", body: { metadata: { finalizers: null } } };
  assert.equal((await call("PATCH", path, release)).status, 200);
  assert.deepEqual(told(await applied(writer, { application, objects: [aConfigMap(namespace, "web")] })), [
    "created ConfigMap web",
  ]);
});

test("F12 an object that is gone while it is tried again is created in the same sync", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = await testNamespace("going");
  const path = `/api/v1/namespaces/${namespace}/configmaps/web`;
  const body = { ...aConfigMap(namespace, "web"), metadata: { name: "web", finalizers: ["shop.example/hold"] } };
  await call("POST", `/api/v1/namespaces/${namespace}/configmaps`, { body });
  await call("DELETE", path);
  let asked = 0;
  const stillMine = async () => {
    asked += 1;
    const release = { contentType: "application/merge-patch+json", body: { metadata: { finalizers: null } } };
    if (asked === 2) await call("PATCH", path, release);
    return true;
  };
  const results = await applied(writer, { application: aName("going"), objects: [aConfigMap(namespace, "web")], stillMine });
  assert.deepEqual([told(results), asked], [["created ConfigMap web"], 2]);
});

test("F6 a namespace that another application brings a moment later is waited for; one that nobody brings fails, for now", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = aName("later");
  let asked = 0;
  const stillMine = async () => {
    asked += 1;
    if (asked === 2) await writer.apply(aNamespace(namespace), { force: true });
    return true;
  };
  const request = { application: namespace, objects: [aConfigMap(namespace, "a")] };
  assert.deepEqual(told(await applied(writer, { ...request, stillMine })), ["created ConfigMap a"]);
  await remove(writer, aNamespace(namespace));
  const [result] = await applied(writer, { application: "nobody", objects: [aConfigMap(aName("never"), "a")] });
  assert.match(errorOf(result), /namespaces "never-.*" not found/);
  assert.equal(result?.retryable, true);
});

test("F6 a Pod in a namespace that was made a moment ago is applied in the same sync", async (t) => {
  const { writer } = await openCluster(t);
  for (let round = 0; round < 3; round++) {
    const namespace = aName("new");
    const objects = [aNamespace(namespace), aPod(namespace, "one"), aPod(namespace, "two")];
    const results = await applied(writer, { application: namespace, objects });
    assert.deepEqual(told(results), [`created Namespace ${namespace}`, "created Pod one", "created Pod two"]);
    await remove(writer, objects[0]);
  }
});

test("a Pod that comes before its namespace has a service account is tried again until it has", async (t) => {
  const cluster = await openCluster(t);
  const { writer, call } = cluster;
  const namespace = aName("early");
  const unless = "has(object.metadata.labels) && 'allowed' in object.metadata.labels";
  await enforce(t, cluster, aPolicy({ namespace, operation: "CREATE", resource: "serviceaccounts", unless }));
  await writer.apply(aNamespace(namespace), { force: true });
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const account = (labels: object) => ({ body: { metadata: { name: "default", labels } } });
  await until(async () => (await call("POST", `${accounts}?dryRun=All`, account({}))).status === 422, { what: "the policy" });
  assert.equal((await call("DELETE", `${accounts}/default`)).status < 500, true);
  let asked = 0;
  const stillMine = async () => {
    asked += 1;
    if (asked === 2) assert.equal((await call("POST", accounts, account({ allowed: "yes" }))).status, 201);
    return true;
  };
  const results = await applied(writer, { application: namespace, objects: [aPod(namespace, "web")], stillMine });
  assert.deepEqual([told(results), asked], [["created Pod web"], 2]);
  await remove(writer, aNamespace(namespace));
});

test("a Pod whose own service account is missing fails at once, and is not tried again", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("account");
  const pod = {
    ...aPod(namespace, "web"),
    spec: { serviceAccountName: "nobody", containers: [{ name: "web", image: "web:1" }] },
  };
  let asked = 0;
  const stillMine = () => Promise.resolve((asked += 1) > 0);
  const [result] = await applied(writer, { application: aName("account"), objects: [pod], stillMine });
  assert.match(errorOf(result), /serviceaccount "nobody" not found/);
  assert.deepEqual([result?.retryable, asked], [false, 1]);
});

test("an object that no deployer made that we know is applied beside its maker, whose share stays", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = await testNamespace("adopt");
  const object = aDeployment(namespace, "web", { replicas: 2 });
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?fieldManager=Terraform`;
  assert.equal((await call("POST", path, { body: object })).status, 201);
  const before = await until(async () => rolledOut(await writer.get(refOf(object))), { what: "the rollout" });
  const [result] = await applied(writer, { application: aName("adopt"), objects: [object], force: "never" });
  assert.equal(result?.change.action, "configured");
  const after = await writer.get(refOf(object));
  assert.deepEqual(
    [after?.metadata.uid, after?.metadata.generation, after?.["spec"], after?.metadata.annotations],
    [before.metadata.uid, before.metadata.generation, before["spec"], before.metadata.annotations],
  );
  assert.deepEqual(managersOf(after).toSorted(), ["Terraform Update", "driftless Apply"]);
});

/** The object once its controller has seen it, after which nothing but us writes its spec. */
function rolledOut(object: Manifest | undefined): Manifest | undefined {
  const { observedGeneration, readyReplicas } = (object?.["status"] ?? {}) as Readonly<Record<string, number>>;
  return observedGeneration === object?.metadata.generation && readyReplicas === 2 ? object : undefined;
}

async function remove(writer: ClusterWriter, object: Manifest | undefined): Promise<void> {
  const live = object && (await writer.get(refOf(object)));
  if (live) await writer.delete(refOf(live), { uid: live.metadata.uid ?? "" });
}
