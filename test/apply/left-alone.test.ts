import assert from "node:assert/strict";
import { test } from "node:test";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap } from "../support/objects.ts";
import { aName, applied, openCluster } from "./open.ts";

const flux = (object: Manifest, word: string, value: string): Manifest => ({
  ...object,
  metadata: { ...object.metadata, annotations: { [`kustomize.toolkit.fluxcd.io/${word}`]: value } },
});

for (const [word, value] of [
  ["ssa", "Ignore"],
  ["reconcile", "disabled"],
] as const) {
  test(`with ${word}: ${value} in the repository an object is not made, and not touched`, async (t) => {
    const { writer } = await openCluster(t);
    const namespace = await testNamespace("alone");
    const application = aName("alone");
    const before = writer.requests;
    const [result] = await applied(writer, { application, objects: [flux(aConfigMap(namespace, "web"), word, value)] });
    const reason = `its annotation says kustomize.toolkit.fluxcd.io/${word}: ${value}`;
    assert.deepEqual(result?.change, { action: "skipped", ref: refOf(aConfigMap(namespace, "web")), reason });
    assert.deepEqual(result?.notes, [`ConfigMap ${namespace}/web: left alone, since ${reason}`]);
    assert.deepEqual([result?.entry, result?.retryable], [undefined, false]);
    assert.equal(writer.requests - before, 3, "discovery and the LIST");
    assert.equal(await writer.get(refOf(aConfigMap(namespace, "web"))), undefined);
  });
}

test("with ssa: IfNotPresent an object is made where it is not there, and left as it is from then on", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = await testNamespace("alone");
  const application = aName("alone");
  const object = (value: string) => flux(aConfigMap(namespace, "web", { key: value }), "ssa", "IfNotPresent");
  const [made] = await applied(writer, { application, objects: [object("1")] });
  assert.equal(made?.change.action, "created");
  const edit = { contentType: "application/merge-patch+json", body: { data: { key: "edited" } } };
  await call("PATCH", `/api/v1/namespaces/${namespace}/configmaps/web?fieldManager=kubectl-edit`, edit);
  const [left] = await applied(writer, { application, objects: [object("2")] });
  assert.equal(left?.change.action, "skipped");
  const live = await writer.get(refOf(object("1")));
  assert.deepEqual(live?.["data"], { key: "edited" });
  assert.equal(left?.entry?.resourceVersion, live?.metadata.resourceVersion, "as it is, it counts as applied");
});

test("with ssa: IfNotPresent an object that somebody else made is left to them", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = await testNamespace("alone");
  const theirs = aConfigMap(namespace, "web", { key: "theirs" });
  assert.equal((await call("POST", `/api/v1/namespaces/${namespace}/configmaps`, { body: theirs })).status, 201);
  const object = flux(aConfigMap(namespace, "web", { key: "ours" }), "ssa", "IfNotPresent");
  const [left] = await applied(writer, { application: aName("alone"), objects: [object] });
  assert.deepEqual([left?.change.action, left?.entry], ["skipped", undefined]);
  const live = await writer.get(refOf(theirs));
  assert.deepEqual([live?.["data"], live?.metadata.labels], [{ key: "theirs" }, undefined]);
});

test("an object that somebody paused in the cluster is left alone until they end that", async (t) => {
  const { writer, call } = await openCluster(t);
  const namespace = await testNamespace("alone");
  const application = aName("alone");
  await applied(writer, { application, objects: [aConfigMap(namespace, "web", { key: "1" })] });
  const pause = async (value: string | null) => {
    const annotations = { "kustomize.toolkit.fluxcd.io/reconcile": value };
    const body = { metadata: { annotations } };
    await call("PATCH", `/api/v1/namespaces/${namespace}/configmaps/web`, { contentType: "application/merge-patch+json", body });
  };
  await pause("disabled");
  const objects = [aConfigMap(namespace, "web", { key: "2" })];
  const [left] = await applied(writer, { application, objects });
  assert.match(left?.notes[0] ?? "", /left alone, since the live object's annotation says .*reconcile: disabled$/);
  assert.deepEqual([left?.change.action, left?.entry], ["skipped", undefined]);
  await pause(null);
  assert.equal((await applied(writer, { application, objects }))[0]?.change.action, "configured");
});

test("a value without a meaning is told, and the object applied as usual", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("alone");
  const [result] = await applied(writer, {
    application: aName("alone"),
    objects: [flux(aConfigMap(namespace, "web"), "ssa", "Sometimes")],
  });
  assert.equal(result?.change.action, "created");
  assert.match(
    result?.notes[0] ?? "",
    /"Sometimes" has no meaning, so it is left out; write Override, Merge, IfNotPresent or Ignore$/,
  );
});
