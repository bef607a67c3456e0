import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { readHealth } from "../../lib/apply/read-health.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment, aPod } from "../support/objects.ts";
import { aName, applied, openCluster } from "./open.ts";

async function anApplication(t: TestContext, make: (namespace: string) => readonly Manifest[]) {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("health");
  const application = aName("health");
  const objects = make(namespace);
  await applied(writer, { application, objects });
  const refs = objects.map(refOf);
  const health = async (owned = refs) =>
    (await readHealth({ reader: writer, owned: [{ application, refs: owned }] })).get(application)?.health;
  return { writer, namespace, application, refs, health };
}

test("an application is Progressing while it rolls out, with the object that is not ready, and Healthy when all are", async (t) => {
  const { health, namespace } = await anApplication(t, (at) => [
    aConfigMap(at, "a"),
    aDeployment(at, "web", { replicas: 2 }),
    aPod(at, "p"),
  ]);
  const seen = new Set<string>();
  await until(
    async () => {
      const now = await health();
      if (now?.status !== "Healthy") assert.match(now?.message ?? "", new RegExp(`${namespace}/(web|p): .+`));
      seen.add(now?.status ?? "");
      return now?.status === "Healthy";
    },
    { what: "Healthy" },
  );
  assert.deepEqual(await health(), { status: "Healthy", message: "" });
  assert.ok(
    [...seen].every((status) => status === "Progressing" || status === "Healthy"),
    [...seen].join(", "),
  );
});

test("a rollout whose image cannot be had is Degraded, and the message names the pod's reason", async (t) => {
  const { health, namespace } = await anApplication(t, (at) => [
    aDeployment(at, "web", { image: "registry.example/web:broken" }),
  ]);
  const degraded = await until(
    async () => {
      const now = await health();
      return now?.status === "Degraded" ? now : undefined;
    },
    { what: "Degraded" },
  );
  assert.match(degraded.message, new RegExp(`^Deployment ${namespace}/web: .*ImagePullBackOff`));
});

test("an object that is gone is Missing, by name", async (t) => {
  const { health, refs, writer, namespace } = await anApplication(t, (at) => [aDeployment(at, "web")]);
  const live = await writer.get(refs[0]!);
  await writer.delete(refs[0]!, { uid: live?.metadata.uid ?? "" });
  const missing = await until(
    async () => {
      const now = await health();
      return now?.status === "Missing" ? now : undefined;
    },
    { what: "Missing" },
  );
  assert.equal(missing.message, `Deployment ${namespace}/web is gone`);
});

test("an object that lost our label is still looked at", async (t) => {
  const { health, refs, writer } = await anApplication(t, (at) => [
    aDeployment(at, "web", { image: "registry.example/web:broken" }),
  ]);
  await writer.apply(aDeployment(refs[0]!.namespace, "web", { image: "registry.example/web:broken" }), { force: true });
  assert.equal((await writer.get(refs[0]!))?.metadata.labels, undefined);
  await until(async () => (await health())?.status === "Degraded", { what: "Degraded" });
});

test("one that owns nothing is healthy, and costs no request", async (t) => {
  const { writer } = await openCluster(t);
  const before = writer.requests;
  const health = await readHealth({ reader: writer, owned: [{ application: "none", refs: [] }] });
  assert.deepEqual([...health], [["none", { health: { status: "Healthy", message: "" }, unwell: [], objects: new Map() }]]);
  assert.equal(writer.requests, before);
});

test("many applications cost one LIST a kind", async (t) => {
  const first = await anApplication(t, (at) => [aPod(at, "p")]);
  const second = await anApplication(t, (at) => [aPod(at, "p")]);
  await until(async () => (await first.health())?.status === "Healthy" && (await second.health())?.status === "Healthy", {
    what: "Healthy",
  });
  const before = first.writer.requests;
  const owned = [first, second].map(({ application, refs }) => ({ application, refs }));
  const health = await readHealth({ reader: first.writer, owned });
  assert.deepEqual(
    [...health.values()].map(({ health: { status } }) => status),
    ["Healthy", "Healthy"],
  );
  assert.equal(first.writer.requests - before, 1);
});
