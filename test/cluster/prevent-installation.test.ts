import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { defaultPrevention } from "../../lib/model/prevention.ts";
import type { Manifest, ResourceRef } from "../../lib/model/resource.ts";
import type { PreventedApplication } from "../../lib/plan/prevent-places.ts";
import { preventionManifests } from "../../lib/plan/prevent-policy.ts";
import { createSweepPrevention } from "../../lib/sync/sweep/sweep-prevention.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { aName, enforce, openCluster as openAdmin } from "../apply/open.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { callsOf, type PersonalAnswer, type PersonalCall } from "./impersonate.ts";
import { openCluster } from "./open.ts";
import {
  ada,
  aPreventedApplication,
  deploymentPath,
  merge,
  openPrevention,
  owned,
  pathOf,
  stateOf,
  waitInForce,
} from "./preventing.ts";

/** Of another installation each time: policies of one name that still go away would take the new ones along. */
const aRequest = () =>
  ({
    installation: randomBytes(5).toString("hex"),
    writers: [{ by: "username", username: "admin" }],
    settings: defaultPrevention,
  }) as const;

describe("single objects", () => {
  test("one that Git annotates is prevented where its application heals, and its annotation stays", async (t) => {
    const { apply, sweep, namespace } = await openPrevention(t);
    const name = aName("heals");
    await apply(name, annotated(aConfigMap(namespace, "guarded"), "prevent"), aConfigMap(namespace, "free"));
    await apply(name, annotated(aDeployment(namespace, "guarded", { replicas: 0 }), "prevent"));
    assert.deepEqual(await sweep(stateOf(name, "heal")), []);
    let tries = 0;
    const refusal = await untilRefused(() => patch(pathOf(namespace, "guarded"), { data: { key: `${tries++}` } }));
    assert.match(
      refusal.message,
      new RegExp(`application ${name}.*change it in https://github.com/acme/shop.git, path apps/shop`),
    );
    await untilRefused(() => patch(`${deploymentPath(namespace, "guarded")}/scale`, { spec: { replicas: ++tries } }));
    for (const call of [
      patch(pathOf(namespace, "guarded"), { metadata: { annotations: null } }),
      patch(pathOf(namespace, "guarded"), { metadata: { annotations: { "driftless.dev/drift": "heal" } } }),
      { method: "DELETE", path: pathOf(namespace, "guarded") },
    ] satisfies readonly PersonalCall[]) {
      assert.equal((await ada(call)).status, 403);
    }
    // What somebody puts on the live object does not count.
    for (const body of [{ data: { key: "2" } }, { metadata: { annotations: prevented } }, { data: { key: "3" } }]) {
      assert.equal((await ada(patch(pathOf(namespace, "free"), body))).status, 200);
    }
  });

  test("one that Git takes out is free where its application prevents", async (t) => {
    const { apply, name, namespace } = await aPreventedApplication(t);
    await apply(name, annotated(aConfigMap(namespace, "tuned"), "report"), annotated(aConfigMap(namespace, "odd"), "never"));
    assert.equal((await ada(patch(pathOf(namespace, "tuned"), { data: { key: "2" } }))).status, 200);
    assert.equal((await ada(patch(pathOf(namespace, "odd"), { data: { key: "2" } }))).status, 403);
  });

  test("an annotation that is only in the cluster installs nothing", async (t) => {
    const { apply, sweep, namespace, stores } = await openPrevention(t);
    const name = aName("heals");
    await apply(name, aConfigMap(namespace, "free"));
    assert.equal((await ada(patch(pathOf(namespace, "free"), { metadata: { annotations: prevented } }))).status, 200);
    assert.deepEqual(await sweep(stateOf(name, "heal")), []);
    assert.equal(await stores.prevention.load("eu"), undefined);
  });
});

describe("what is installed", () => {
  test("stays as it is while nothing changes, and is put back where somebody changed it", async (t) => {
    const { sweep, state, stores, writer, namespace } = await aPreventedApplication(t);
    const installed = await stores.prevention.load("eu");
    const names = installed?.objects.map(({ name }) => name) ?? [];
    const policy = names[0] ?? "";
    assert.deepEqual(names, [policy, policy, `${policy}-scale`, `${policy}-scale`]);
    const before = writer.requests;
    assert.deepEqual(await sweep(state), []);
    assert.equal(writer.requests - before, 5, "two lists of the sweep itself, who we are, and a list of either kind");
    assert.deepEqual(await stores.prevention.load("eu"), installed);

    const root = "/apis/admissionregistration.k8s.io/v1";
    const binding = `${root}/validatingadmissionpolicybindings/${policy}`;
    const weakened = await ada(patch(binding, { spec: { validationActions: ["Audit"] } }));
    assert.equal(weakened.status, 200, weakened.message);
    assert.equal((await ada({ method: "DELETE", path: `${root}/validatingadmissionpolicies/${policy}-scale` })).status, 200);
    assert.deepEqual(await sweep(state), []);
    await waitInForce(namespace);
  });

  test("carries no label of an application, so that it is nobody's orphan", async (t) => {
    const { stores, writer } = await aPreventedApplication(t);
    const { objects = [] } = (await stores.prevention.load("eu")) ?? {};
    for (const { kind, name } of objects) {
      const { labels = {} } = (await writer.get(refOfPolicy(kind, name)))?.metadata ?? {};
      assert.deepEqual(Object.keys(labels).sort(), ["app.kubernetes.io/managed-by", "driftless.dev/prevention"]);
    }
  });

  test("goes from a cluster in which no application is left", async (t) => {
    const { stores, writer } = await aPreventedApplication(t);
    const { objects = [] } = (await stores.prevention.load("eu")) ?? {};
    assert.equal(objects.length, 4);
    const clusters = { writer: () => Promise.resolve(writer) };
    const prevention = createSweepPrevention({ stores, clusters, roles: [], log: silentLog });
    await prevention.leaveOthers(["eu"], {});
    assert.ok(await stores.prevention.load("eu"));
    await prevention.leaveOthers([], {});
    assert.equal(await stores.prevention.load("eu"), undefined);
    for (const { kind, name } of objects) {
      const gone = async () => (await writer.get(refOfPolicy(kind, name))) === undefined;
      await until(gone, { what: `${kind} ${name} to be gone` });
    }
  });

  test("covers the scale of custom resources", async (t) => {
    const admin = await openAdmin(t);
    const group = `t${randomBytes(4).toString("hex")}.driftless.example`;
    await enforce(t, admin, [aScalableKind(group)]);
    const kind = { group, version: "v1", kind: "Farm" };
    const { apply, sweep, namespace, writer } = await openPrevention(t, { kinds: [kind] });
    await until(() => writer.resourceType(kind, { fresh: true }), { what: "the new kind to be served" });
    const name = aName("farms");
    const farm: Manifest = {
      apiVersion: `${group}/v1`,
      kind: "Farm",
      metadata: { name: "web", namespace },
      spec: { replicas: 1 },
    };
    await until(async () => (await apply(name, farm), true), { what: "the first object" });
    assert.deepEqual(await sweep(stateOf(name, "prevent")), []);
    const path = `/apis/${group}/v1/namespaces/${namespace}/farms/web`;
    let replicas = 2;
    const refusal = await untilRefused(() => patch(`${path}/scale`, { spec: { replicas: replicas++ } }));
    assert.match(refusal.message, new RegExp(`the scale of farms ${namespace}/web belongs to application ${name}`));
    await untilRefused(() => patch(path, { spec: { replicas: replicas++ } }));
    assert.equal((await ada(patch(`${path}/status`, { status: { replicas: 1 } }))).status, 200);
  });

  test("a thousand applications are one policy, and the last of them is prevented like the first", async (t) => {
    const admin = await openAdmin(t);
    const namespace = await testNamespace("prevent");
    const prefix = aName("fleet");
    const applications = Array.from({ length: 1000 }, (_, index): PreventedApplication => {
      const path = `clusters/production/eu-central-1/applications/app-${index}`;
      const place = `https://github.com/acme/a-repository-with-a-long-name-${index}.git, path ${path}, branch main`;
      const name = `${prefix}-with-a-long-name-of-63-characters-${String(index).padStart(4, "0")}`;
      const scaled = ["web", "worker"].map((one) => `deployments.apps/${namespace}/${one}-${index}`);
      return { name, place, whole: true, scaled };
    });
    const chosen = [0, 500, 999].map((index) => ({ index, name: applications[index]?.name ?? "" }));
    for (const { index, name } of chosen) {
      const objects = [aConfigMap(namespace, `of-${index}`), aDeployment(namespace, `web-${index}`, { replicas: 0 })];
      for (const object of objects) await admin.writer.apply(owned(object, name), { force: true });
    }
    const manifests = preventionManifests({ ...aRequest(), applications });
    assert.equal(manifests.length, 4);
    await enforce(t, admin, manifests);
    for (const { index } of chosen) {
      let tries = 0;
      const where = new RegExp(`a-repository-with-a-long-name-${index}.git`);
      const edited = await untilRefused(() => patch(pathOf(namespace, `of-${index}`), { data: { key: `${tries++}` } }));
      assert.match(edited.message, where);
      const path = `${deploymentPath(namespace, `web-${index}`)}/scale`;
      assert.match((await untilRefused(() => patch(path, { spec: { replicas: ++tries } }))).message, where);
    }
  });

  test("on EKS the role that syncs is known whatever its session is called, and other roles are not it", async (t) => {
    const admin = await openAdmin(t);
    const namespace = await testNamespace("prevent");
    const name = aName("on-eks");
    await admin.writer.apply(owned(aConfigMap(namespace, "settings"), name), { force: true });
    const writers = [
      { by: "canonicalArn", arn: "arn:aws:iam::111122223333:role/driftless-sync" },
      { by: "role", prefix: "arn:aws:sts::111122223333:assumed-role/older-sync/" },
    ] as const;
    const applications = [{ name, place: "https://github.com/acme/shop.git", whole: true, scaled: [] }];
    await enforce(t, admin, preventionManifests({ ...aRequest(), applications, writers }));
    let tries = 0;
    const edit = () => patch(pathOf(namespace, "settings"), { data: { key: `${tries++}` } });
    await untilRefused(edit);
    const sync = { canonicalArn: "arn:aws:iam::111122223333:role/driftless-sync" };
    const another = { canonicalArn: "arn:aws:iam::111122223333:role/driftless-sync-2" };
    const session = "arn:aws:sts::111122223333:assumed-role";
    for (const { status, ...person } of [
      { user: "driftless:driftless-shop-6dcb09b", extra: sync, status: 200 },
      { user: `${session}/older-sync/driftless-shop-6dcb09b`, status: 200 },
      { user: "eks:addon-manager", status: 200 },
      { user: "ada", extra: another, status: 403 },
      { user: `${session}/older-sync-2/driftless-shop-6dcb09b`, status: 403 },
      { user: "admin", status: 403 },
    ]) {
      assert.equal((await callsOf(person)(edit())).status, status, person.user);
    }
  });
});

describe("what stands in the way", () => {
  const wanted = "drift: prevent of shop is not in force as stated (drift is healed): ";

  test("a missing right is said once, with what to do, and healing goes on", async (t) => {
    const limited = await openPrevention(t, { writer: await openCluster(t, { user: "limited" }), kinds: [] });
    const [error = "", ...more] = await limited.sweep(stateOf("shop", "prevent"));
    assert.ok(error.startsWith(wanted), error);
    assert.match(error, /refused to list validatingadmissionpolic/);
    assert.match(
      error,
      /needs list, create, patch and delete on validatingadmissionpolicies and validatingadmissionpolicybindings$/,
    );
    assert.deepEqual(more, []);
    assert.equal((await limited.stores.prevention.load("eu"))?.problem, error);
    assert.deepEqual(await limited.sweep(stateOf("shop", "heal")), []);
    assert.equal(await limited.stores.prevention.load("eu"), undefined);
  });

  test("an API server without the API is told by what it lacks", async (t) => {
    const body = JSON.stringify({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", items: [] });
    const writer = await openCluster(t, {
      fault: ({ path }) => (path === "/apis" ? { status: 200, body, contentType: "application/json" } : undefined),
    });
    const { sweep } = await openPrevention(t, { writer, kinds: [] });
    assert.deepEqual(await sweep(stateOf("shop", "prevent")), [
      `${wanted}the API server serves no ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1): that takes Kubernetes 1.30 or later`,
    ]);
  });

  test("nothing is installed while it cannot be told which user the syncs come as", async (t) => {
    const roles = ["arn:aws:iam::111122223333:role/driftless-sync"];
    const { sweep, stores } = await openPrevention(t, { roles, kinds: [] });
    assert.deepEqual(await sweep(stateOf("shop", "prevent")), [
      `${wanted}it cannot be told who Driftless is: the user admin says nothing of its IAM role, so the role that syncs cannot be told from strangers`,
    ]);
    assert.deepEqual((await stores.prevention.load("eu"))?.objects, []);
  });
});

const prevented = { "driftless.dev/drift": "prevent" };

function annotated(object: Manifest, drift: string): Manifest {
  return { ...object, metadata: { ...object.metadata, annotations: { "driftless.dev/drift": drift } } };
}

function patch(path: string, body: object): PersonalCall {
  return { method: "PATCH", path, body, contentType: merge };
}

async function untilRefused(attempt: () => PersonalCall): Promise<PersonalAnswer> {
  const what = "the policy to be in force";
  return until(
    async () => {
      const answer = await ada(attempt());
      return answer.status === 403 && answer;
    },
    { what },
  );
}

function refOfPolicy(kind: string, name: string): ResourceRef {
  return { group: "admissionregistration.k8s.io", version: "v1", kind, namespace: "", name };
}

function aScalableKind(group: string): Manifest {
  const replicas = { type: "object", properties: { replicas: { type: "integer" } } };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: replicas, status: replicas } } };
  const scale = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `farms.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Farm", plural: "farms", singular: "farm" },
      versions: [{ name: "v1", served: true, storage: true, schema, subresources: { status: {}, scale } }],
    },
  };
}
