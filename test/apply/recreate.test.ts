import assert from "node:assert/strict";
import { test } from "node:test";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aDeployment, aNamespace } from "../support/objects.ts";
import { aName, applied, errorOf, openCluster, told } from "./open.ts";

function annotated(object: Manifest, annotations: Readonly<Record<string, string>>): Manifest {
  return { ...object, metadata: { ...object.metadata, annotations } };
}
const allowed = { "driftless.dev/recreate": "allowed" };

function aJob(namespace: string, image: string): Manifest {
  const containers = [{ name: "job", image }];
  const spec = { template: { spec: { restartPolicy: "Never", containers } } };
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name: "job", namespace }, spec };
}

function aStatefulSet(namespace: string, serviceName: string): Manifest {
  const labels = { app: "db" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "db", image: "registry.example/db:1.0" }] } };
  const spec = { replicas: 0, serviceName, selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "db", namespace }, spec };
}

test("F7 a field that cannot be changed is a failure that names it and what would allow it; the old object stays as it was", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("immutable");
  const application = aName("immutable");
  await applied(writer, { application, objects: [aDeployment(namespace, "web")] });
  const ref = refOf(aDeployment(namespace, "web"));
  const before = await writer.get(ref);
  const [result] = await applied(writer, { application, objects: [aDeployment(namespace, "web", { app: "other" })] });
  assert.equal(
    errorOf(result),
    `Deployment ${namespace}/web cannot be changed in spec.selector: field is immutable; revert the change, or let the object be deleted and made again by its annotation driftless.dev/recreate: allowed`,
  );
  assert.deepEqual([result?.retryable, result?.entry], [false, undefined]);
  const after = await writer.get(ref);
  assert.deepEqual([after?.metadata.uid, after?.["spec"]], [before?.metadata.uid, before?.["spec"]]);
});

for (const annotations of [
  allowed,
  { "argocd.argoproj.io/sync-options": "Force=true,Replace=true" },
  { "kustomize.toolkit.fluxcd.io/force": "enabled" },
]) {
  test(`F7 with ${Object.entries(annotations).join(" ")} the object is deleted with all its own, and made again`, async (t) => {
    const { writer } = await openCluster(t);
    const namespace = await testNamespace("recreate");
    const application = aName("recreate");
    await applied(writer, { application, objects: [annotated(aDeployment(namespace, "web"), annotations)] });
    const before = await writer.get(refOf(aDeployment(namespace, "web")));
    const lines: string[] = [];
    const log = jsonLog({ write: (line) => lines.push(line) });
    const objects = [annotated(aDeployment(namespace, "web", { app: "other" }), annotations)];
    const results = await applied(writer, { application, objects, log });
    assert.deepEqual(told(results), ["configured Deployment web"]);
    assert.deepEqual(results[0]?.notes, [`Deployment ${namespace}/web: recreated, because spec.selector is immutable`]);
    const after = await writer.get(refOf(aDeployment(namespace, "web")));
    assert.notEqual(after?.metadata.uid, before?.metadata.uid);
    assert.equal(results[0]?.entry?.uid, after?.metadata.uid);
    const [line] = lines.map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>);
    assert.deepEqual([line?.["event"], line?.["fields"]], ["apply.recreated", "spec.selector"]);
  });
}

test("F7 an annotated Job is made again once its finalizers let it go, in the same sync", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = await testNamespace("recreate");
  const application = aName("recreate");
  await applied(writer, { application, objects: [annotated(aJob(namespace, "job:1"), allowed)] });
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/job`;
  const finalizers = (value: readonly string[] | null) => ({
    contentType: "application/merge-patch+json",
    body: { metadata: { finalizers: value } },
  });
  assert.equal((await call("PATCH", path, finalizers(["shop.example/hold"]))).status, 200);
  const release = until(async () => (await writer.get(refOf(aJob(namespace, ""))))?.metadata.deletionTimestamp, {
    what: "the delete",
  }).then(() => call("PATCH", path, finalizers(null)));
  const results = await applied(writer, { application, objects: [annotated(aJob(namespace, "job:2"), allowed)] });
  await release;
  assert.deepEqual(told(results), ["configured Job job"]);
  assert.match(results[0]?.notes[0] ?? "", /recreated, because spec\.template is immutable$/);
});

test("F7 a StatefulSet is not made again for what others ask of all their objects", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("recreate");
  const application = aName("recreate");
  const forced = { "argocd.argoproj.io/sync-options": "Force=true" };
  await applied(writer, { application, objects: [annotated(aStatefulSet(namespace, "one"), forced)] });
  const [refused] = await applied(writer, { application, objects: [annotated(aStatefulSet(namespace, "two"), forced)] });
  assert.match(errorOf(refused), /StatefulSet .*\/db cannot be changed in spec: updates to statefulset spec .* are forbidden/);
  const [made] = await applied(writer, { application, objects: [annotated(aStatefulSet(namespace, "two"), allowed)] });
  assert.equal(made?.change.action, "configured");
});

test("F7 an object that is wrong in another field too is not deleted", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("recreate");
  const application = aName("recreate");
  await applied(writer, { application, objects: [annotated(aDeployment(namespace, "web"), allowed)] });
  const before = await writer.get(refOf(aDeployment(namespace, "web")));
  const wrong = annotated(aDeployment(namespace, "web", { app: "other", replicas: -1 }), allowed);
  const [result] = await applied(writer, { application, objects: [wrong] });
  assert.match(errorOf(result), /spec\.replicas: Invalid value/);
  assert.equal((await writer.get(refOf(aDeployment(namespace, "web"))))?.metadata.uid, before?.metadata.uid);
});

test("a run that lost its lease does not delete what it would make again", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("recreate");
  const application = aName("recreate");
  await applied(writer, { application, objects: [annotated(aDeployment(namespace, "web"), allowed)] });
  const before = await writer.get(refOf(aDeployment(namespace, "web")));
  let asked = 0;
  const stillMine = () => Promise.resolve((asked += 1) === 1);
  const objects = [annotated(aDeployment(namespace, "web", { app: "other" }), allowed)];
  await assert.rejects(applied(writer, { application, objects, stillMine }), { code: "lease" });
  assert.equal((await writer.get(refOf(aDeployment(namespace, "web"))))?.metadata.uid, before?.metadata.uid);
});

test("a secret's value is in no word about a field of it that cannot be changed", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("recreate");
  const application = aName("recreate");
  const secret = (value: string, annotations = {}): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", namespace, annotations },
    immutable: true,
    stringData: { password: value },
  });
  await applied(writer, { application, objects: [secret("canary-one")] });
  const [refused] = await applied(writer, { application, objects: [secret("canary-two")] });
  assert.match(errorOf(refused), /Secret .*\/login cannot be changed in data: field is immutable/);
  const [made] = await applied(writer, { application, objects: [secret("canary-two", allowed)] });
  assert.deepEqual(made?.notes, [`Secret ${namespace}/login: recreated, because data is immutable`]);
  assert.doesNotMatch(errorOf(refused), /canary|Y2FuYXJ5/);
});

test("a Namespace is never deleted to be made again", async (t) => {
  const { writer } = await openCluster(t);
  const name = aName("recreate");
  const [result] = await applied(writer, { application: name, objects: [annotated(aNamespace(name), allowed)] });
  assert.match(result?.notes[0] ?? "", /a Namespace is never deleted to be made again$/);
  await writer.delete(refOf(aNamespace(name)), { uid: result?.entry?.uid ?? "" });
});
