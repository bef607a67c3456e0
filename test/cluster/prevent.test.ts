import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { applicationLabel, type Manifest, refOf } from "../../lib/model/resource.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { callsOf, type PersonalCall } from "./impersonate.ts";
import { ada, aPreventedApplication, deploymentPath, merge, pathOf, waitInForce, waitLifted } from "./preventing.ts";

type Attempt = (namespace: string, live: Manifest) => PersonalCall;

const patch = (path: string, body: object, contentType = merge): PersonalCall => ({ method: "PATCH", path, body, contentType });
const settings = (namespace: string) => pathOf(namespace, "settings");
const web = (namespace: string) => deploymentPath(namespace, "web");

/** Each is tried by somebody with every right. */
const refused: Readonly<Record<string, Attempt>> = {
  "an edit": (at) => patch(settings(at), { data: { a: "2" } }),
  "a field that Git does not state": (at) => patch(settings(at), { data: { b: "2" } }),
  "a field that is removed": (at) => patch(settings(at), { data: { a: null } }),
  "a JSON patch": (at) => patch(settings(at), [{ op: "replace", path: "/data/a", value: "2" }], "application/json-patch+json"),
  "a strategic merge patch": (at) =>
    patch(
      web(at),
      { spec: { template: { spec: { containers: [{ name: "web", image: "registry.example/web:2.0" }] } } } },
      "application/strategic-merge-patch+json",
    ),
  "a restart": (at) => patch(web(at), { spec: { template: { metadata: { annotations: { restarted: "now" } } } } }),
  "a label": (at) => patch(settings(at), { metadata: { labels: { team: "a" } } }),
  "an annotation": (at) => patch(settings(at), { metadata: { annotations: { note: "a" } } }),
  "an owner, with which the object would be collected": (at) => {
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "c0b1c6c8-0000-4000-8000-000000000000" };
    return patch(settings(at), { metadata: { ownerReferences: [owner] } });
  },
  "the removal of our label": (at) => patch(settings(at), { metadata: { labels: { [applicationLabel]: null } } }),
  "another application in our label": (at) => patch(settings(at), { metadata: { labels: { [applicationLabel]: "other" } } }),
  "an annotation that would end prevention": (at) =>
    patch(settings(at), { metadata: { annotations: { "driftless.dev/drift": "ignore" } } }),
  "a reset of managedFields": (at) => patch(settings(at), { metadata: { managedFields: [{}] } }),
  "a reset of managedFields and labels": (at) => patch(settings(at), { metadata: { managedFields: [{}], labels: null } }),
  "a replace": (at, live) => ({
    method: "PUT",
    path: settings(at),
    body: { ...live, data: { a: "2" } },
  }),
  "an apply by another manager": (at) => {
    const body = { ...aConfigMap(at, "settings", { a: "2" }) };
    return patch(`${settings(at)}?fieldManager=kubectl&force=true`, body, "application/apply-patch+yaml");
  },
  "an apply under our own manager's name": (at) => {
    const body = { ...aConfigMap(at, "settings", { a: "2" }) };
    return patch(`${settings(at)}?fieldManager=driftless&force=true`, body, "application/apply-patch+yaml");
  },
  "a delete": (at) => ({ method: "DELETE", path: settings(at) }),
  "a delete that leaves orphans": (at) => ({ method: "DELETE", path: web(at), body: { propagationPolicy: "Orphan" } }),
  "a delete of the whole collection": (at) => ({
    method: "DELETE",
    path: `/api/v1/namespaces/${at}/configmaps?fieldSelector=metadata.name%3Dsettings`,
  }),
  "a number of replicas": (at) => patch(web(at), { spec: { replicas: 3 } }),
  "a scale": (at) => patch(`${web(at)}/scale`, { spec: { replicas: 3 } }),
  "a scale to nothing": (at) => patch(`${web(at)}/scale`, { spec: { replicas: 0 } }),
};

const open: Readonly<Record<string, Attempt>> = {
  "a status": (at) => patch(`${web(at)}/status`, { status: { collisionCount: 1 } }),
  "a finalizer": (at) => patch(settings(at), { metadata: { finalizers: ["acme.example/kept"] } }),
  "the end of a finalizer": (at) => patch(settings(at), { metadata: { finalizers: null } }),
  "an edit that changes nothing": (at) => patch(settings(at), { data: { a: "1" } }),
  "an apply that changes nothing": (at) =>
    patch(`${settings(at)}?fieldManager=kubectl`, aConfigMap(at, "settings", { a: "1" }), "application/apply-patch+yaml"),
  "a dry run": (at) => patch(`${settings(at)}?dryRun=All`, { data: { a: "2" } }),
  "a scale to the same": (at) => patch(`${web(at)}/scale`, { spec: { replicas: 1 } }),
};

describe("under drift: prevent", () => {
  test("people are refused every edit and delete, and told where it belongs", async (t) => {
    const { writer, namespace, name } = await aPreventedApplication(t);
    const before = await writer.get(refOf(aConfigMap(namespace, "settings")));
    assert.ok(before);
    for (const [what, attempt] of Object.entries(refused)) {
      await t.test(`${what} is refused`, async () => {
        const { status, message } = await ada(attempt(namespace, before));
        assert.equal(status, 403, message);
        assert.match(message, /change it in https:\/\/github\.com\/acme\/shop\.git, path apps\/shop, branch main$/);
        assert.ok(
          message.includes(`${namespace}/web belongs to application ${name}`) ||
            message.includes(`ConfigMap ${namespace}/settings belongs to application ${name}`),
          message,
        );
      });
    }
    assert.deepEqual(await writer.get(refOf(aConfigMap(namespace, "settings"))), before);
    assert.equal((await writer.get(refOf(aDeployment(namespace, "web"))))?.metadata.generation, 1);
  });

  test("what is no edit of stated fields stays open", async (t) => {
    const { namespace, writer } = await aPreventedApplication(t);
    const live = await writer.get(refOf(aConfigMap(namespace, "settings")));
    assert.ok(live);
    for (const [what, attempt] of Object.entries(open)) {
      await t.test(`${what} gets through`, async () => {
        const { status, message } = await ada(attempt(namespace, live));
        assert.equal(status, 200, message);
      });
    }
  });

  test("what is no object of the application is untouched: others', copies of our label, those that people make", async (t) => {
    const { apply, namespace, name } = await aPreventedApplication(t);
    await apply("heals", aConfigMap(namespace, "healed"), aDeployment(namespace, "healed", { replicas: 0 }));
    const copied = { ...aConfigMap(namespace, "copied"), metadata: { name: "copied", labels: { [applicationLabel]: name } } };
    const made = await ada({ method: "POST", path: `/api/v1/namespaces/${namespace}/configmaps`, body: copied });
    assert.equal(made.status, 201);
    for (const call of [
      patch(pathOf(namespace, "healed"), { data: { a: "2" } }),
      patch(`${deploymentPath(namespace, "healed")}/scale`, { spec: { replicas: 1 } }),
      patch(pathOf(namespace, "copied"), { data: { a: "2" } }),
      patch(pathOf(namespace, "kube-root-ca.crt"), { metadata: { labels: { [applicationLabel]: name } } }),
      { method: "DELETE", path: pathOf(namespace, "copied") },
    ] satisfies readonly PersonalCall[]) {
      const { status, message } = await ada(call);
      assert.equal(status, 200, message);
    }
  });

  test("Driftless goes on: it applies, scales by the manifest, and prunes", async (t) => {
    const { writer, namespace, name, apply } = await aPreventedApplication(t);
    await apply(name, aConfigMap(namespace, "settings", { a: "3" }), aDeployment(namespace, "web", { replicas: 2 }));
    const live = await writer.get(refOf(aConfigMap(namespace, "settings")));
    assert.deepEqual(live?.["data"], { a: "3" });
    assert.equal(await writer.delete(refOf(aConfigMap(namespace, "settings")), { uid: live?.metadata.uid ?? "" }), "deleted");
    const gone = async () => (await writer.get(refOf(aConfigMap(namespace, "settings")))) === undefined;
    await until(gone, { what: "the ConfigMap to be gone" });
  });

  test("rollouts, autoscalers and garbage collection go on", async (t) => {
    const { writer, namespace, name, apply } = await aPreventedApplication(t);
    const ref = refOf(aDeployment(namespace, "web"));
    await apply(name, aDeployment(namespace, "web", { image: "registry.example/web:2.0" }));
    const revision = "deployment.kubernetes.io/revision";
    await until(async () => (await writer.get(ref))?.metadata.annotations?.[revision] === "2", { what: "the new revision" });

    const account = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
    const autoscaler = callsOf({ user: account, groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system"] });
    const scaled = await autoscaler(patch(`${web(namespace)}/scale`, { spec: { replicas: 2 } }));
    assert.equal(scaled.status, 200, scaled.message);

    const live = await writer.get(ref);
    await writer.delete(ref, { uid: live?.metadata.uid ?? "" });
    await until(async () => (await writer.get(ref)) === undefined, {
      what: "the Deployment and its ReplicaSets to be collected",
    });
  });

  test("its namespace can be deleted, with everything in it", async (t) => {
    const { writer, namespace } = await aPreventedApplication(t);
    const deleted = await ada({ method: "DELETE", path: `/api/v1/namespaces/${namespace}` });
    assert.equal(deleted.status, 200, deleted.message);
    const ref = { group: "", version: "v1", kind: "Namespace", namespace: "", name: namespace };
    await until(async () => (await writer.get(ref)) === undefined, { what: "the namespace to be gone" });
  });

  test("members of a break-glass group get through, and so do those whom the configuration allows", async (t) => {
    const keda = "system:serviceaccount:keda:keda-operator";
    const { namespace } = await aPreventedApplication(t, {
      settings: { allow: { users: [keda], groups: ["injectors"] }, breakGlassGroups: ["oncall"] },
    });
    const attempts = [
      { as: callsOf({ user: "ada", groups: ["oncall"] }), status: 200 },
      { as: callsOf({ user: keda }), status: 200 },
      { as: callsOf({ user: "cainjector", groups: ["injectors"] }), status: 200 },
      // The default group counts where the configuration names none, and here it does.
      { as: callsOf({ user: "ada", groups: ["driftless:break-glass"] }), status: 403 },
      { as: callsOf({ user: "keda-operator" }), status: 403 },
    ];
    for (const [index, { as, status }] of attempts.entries()) {
      const edited = await as(patch(settings(namespace), { data: { a: `by ${index}` } }));
      const scaled = await as(patch(`${web(namespace)}/scale`, { spec: { replicas: index + 5 } }));
      assert.deepEqual([edited.status, scaled.status], [status, status], edited.message);
    }
    const emergency = callsOf({ user: "ada", groups: ["oncall"] });
    assert.equal((await emergency({ method: "DELETE", path: settings(namespace) })).status, 200);
  });

  test("the policies go when the application heals again, and nothing is asked from then on", async (t) => {
    const { sweep, stores, state, writer, namespace } = await aPreventedApplication(t);
    const heals = { ...state, definition: { ...state.definition, drift: "heal" as const } };
    assert.deepEqual(await sweep(heals), []);
    await waitLifted(namespace);
    assert.equal(await stores.prevention.load("eu"), undefined);
    const before = writer.requests;
    assert.deepEqual(await sweep(heals), []);
    assert.equal(writer.requests - before, 2, "the two lists of the sweep itself");
  });

  test("a removed application is prevented no more", async (t) => {
    const { sweep, state, namespace } = await aPreventedApplication(t);
    assert.deepEqual(await sweep({ ...state, removed: true }), []);
    await waitLifted(namespace);
  });

  test("the application's own Namespace is an object like others", async (t) => {
    const { apply, name } = await aPreventedApplication(t);
    const another = await testNamespace("prevent-owned");
    await apply(name, { apiVersion: "v1", kind: "Namespace", metadata: { name: another } });
    const { status, message } = await ada({ method: "DELETE", path: `/api/v1/namespaces/${another}` });
    assert.equal(status, 403);
    assert.match(message, new RegExp(`Namespace ${another} belongs to application ${name}`));
  });

  test("what is made later is covered at once", async (t) => {
    const { apply, name, namespace } = await aPreventedApplication(t);
    await apply(name, aConfigMap(namespace, "later"));
    assert.equal((await ada({ method: "DELETE", path: pathOf(namespace, "later") })).status, 403);
    await waitInForce(namespace);
  });
});
