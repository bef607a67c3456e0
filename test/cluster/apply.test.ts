import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriftlessError } from "../../lib/errors.ts";
import type { ManagedFieldsEntry, Manifest } from "../../lib/model/resource.ts";
import { callApi } from "../control-plane/api.ts";
import { until } from "../control-plane/until.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { aConfigMap, aCustomKind, configMapRef, openCluster } from "./open.ts";

const force = { force: true };
const resourceVersion = (object: Manifest | undefined) => object?.metadata.resourceVersion;
const managers = (object: Manifest) =>
  (object.metadata.managedFields ?? []).map(({ manager, operation }: ManagedFieldsEntry) => `${manager} ${operation}`);

/** Another manager writes the object, as `kubectl patch --field-manager` does. */
async function patchAs(manager: string, path: string, body: object): Promise<void> {
  const { server, ca, tokens } = await sharedControlPlane();
  const { status, text } = await callApi({ server, ca, token: tokens.admin }, `${path}?fieldManager=${manager}`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body,
  });
  assert.equal(status, 200, text);
}

test("an apply creates the object as field manager driftless", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const created = await cluster.apply(aConfigMap(namespace, "web", { a: "1" }), force);
  assert.deepEqual(created["data"], { a: "1" });
  assert.deepEqual(managers(created), ["driftless Apply"]);
  assert.deepEqual(await cluster.get(configMapRef(namespace, "web")), created);
});

test("the same apply again changes nothing; another value does", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const first = await cluster.apply(aConfigMap(namespace, "web", { a: "1" }), force);
  const second = await cluster.apply(aConfigMap(namespace, "web", { a: "1" }), force);
  assert.deepEqual(second, first);
  const third = await cluster.apply(aConfigMap(namespace, "web", { a: "2" }), force);
  assert.notEqual(resourceVersion(third), resourceVersion(first));
  assert.deepEqual(third["data"], { a: "2" });
});

test("a dry run answers what an apply would give, and writes nothing", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  assert.deepEqual((await cluster.dryRunApply(aConfigMap(namespace, "new", { a: "1" }), force))["data"], { a: "1" });
  assert.equal(await cluster.get(configMapRef(namespace, "new")), undefined);
  const live = await cluster.apply(aConfigMap(namespace, "web", { a: "1" }), force);
  assert.deepEqual((await cluster.dryRunApply(aConfigMap(namespace, "web", { a: "2" }), force))["data"], { a: "2" });
  assert.deepEqual(await cluster.get(configMapRef(namespace, "web")), live);
});

test("F3 without force, fields of other managers are listed; with force they are taken over", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  await cluster.apply(aConfigMap(namespace, "web", { a: "1", b: "1" }), force);
  const path = `/api/v1/namespaces/${namespace}/configmaps/web`;
  await patchAs("kubectl-edit", path, { data: { a: "2" } });
  await patchAs("hpa", path, { data: { b: "2" } });
  const desired = aConfigMap(namespace, "web", { a: "3", b: "3" });
  await assert.rejects(cluster.apply(desired, { force: false }), (error: DriftlessError) => {
    const { code, retryable, facts } = error;
    assert.deepEqual([code, retryable, facts["status"], facts["refusal"]], ["apply", false, 409, "field-conflict"]);
    assert.equal(facts["conflict"], "hpa, kubectl-edit");
    assert.equal(facts["conflictFields"], "hpa: .data.b; kubectl-edit: .data.a");
    return true;
  });
  const forced = await cluster.apply(desired, force);
  assert.deepEqual(forced["data"], { a: "3", b: "3" });
  assert.deepEqual(managers(forced), ["driftless Apply"]);
});

test("F1 a misspelt field is refused with its path, of custom resources too", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const before = cluster.requests;
  const typo = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace }, spec: { replica: 1 } };
  await assert.rejects(cluster.apply(typo, force), {
    code: "apply",
    retryable: false,
    message: /\.spec\.replica: field not declared/,
  });
  assert.equal(cluster.requests - before, 3, "two for discovery, one for the apply");

  const { group } = await aCustomKind(t, cluster);
  const note = { apiVersion: `${group}/v1`, kind: "Note", metadata: { name: "n", namespace }, spec: { txt: "a" } };
  await assert.rejects(cluster.apply(note, force), { code: "apply", retryable: false, message: /spec\.txt/ });
});

const container = { name: "web", image: "web:1" };
const aWorkload = (containers: readonly object[]): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers } },
  } as never,
});

for (const { what, object, words } of [
  {
    what: "a value of another type",
    object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web" }, data: { port: 8080 } },
    words: /\.data\.port: expected string, got/,
  },
  {
    what: "a variable that is there twice",
    object: aWorkload([
      {
        ...container,
        env: [
          { name: "A", value: "1" },
          { name: "A", value: "2" },
        ],
      },
    ]),
    words: /\.spec\.template\.spec\.containers\[name="web"\]\.env: duplicate entries for key \[name="A"\]/,
  },
  {
    what: "a port that is there twice",
    object: aWorkload([{ ...container, ports: [{ containerPort: 80 }, { containerPort: 80 }] }]),
    words: /\.ports: duplicate entries for key \[containerPort=80,protocol="TCP"\]/,
  },
  {
    what: "base64 that is none",
    object: { apiVersion: "v1", kind: "Secret", metadata: { name: "web" }, data: { key: "***" } },
    words: /illegal base64 data|unable to convert/,
  },
] satisfies readonly { what: string; object: Manifest; words: RegExp }[]) {
  test(`F1 ${what} is refused with its field after one try, whatever status it comes with`, async (t) => {
    const cluster = await openCluster(t);
    const namespace = await testNamespace("apply");
    const before = cluster.requests;
    const placed: Manifest = { ...object, metadata: { name: "web", namespace } };
    await assert.rejects(cluster.apply(placed, force), { code: "apply", retryable: false, message: words });
    assert.equal(cluster.requests - before, 3, "two for discovery, one for the apply");
  });
}

test("F11 every character of the basic plane reads back as written", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const codes = Array.from({ length: 0x10000 }, (_, code) => code).filter((code) => code < 0xd800 || code > 0xdfff);
  const all = codes.map((code) => String.fromCharCode(code)).join("");
  const spaced = codes.map((code) => ` ${String.fromCharCode(code)} `).join("");
  const content = { all, spaced, beyond: "😀\u{10ffff}", slash: "a/b\\/c\\u0085" };
  await cluster.apply(aConfigMap(namespace, "text", content), force);
  const live = await cluster.get(configMapRef(namespace, "text"));
  assert.ok(JSON.stringify(live?.["data"]) === JSON.stringify({ all, beyond: content.beyond, slash: content.slash, spaced }));
});

test("custom resources keep int64 and keys that mean something in YAML", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const { group, ...kind } = await aCustomKind(t, cluster);
  const free = {
    "<<": { a: 1 },
    "=": "=",
    "~": null,
    "010": "010",
    "1e3": 0.5,
    null: [true],
    on: "off",
    "\u0085 \u2028": " \u2028 ",
    é: {},
  };
  const spec = { free, id: 9007199254740993n, text: "2001-12-14" };
  await cluster.apply({ apiVersion: `${group}/v1`, kind: "Note", metadata: { name: "n", namespace }, spec }, force);
  const live = await cluster.get({ group, ...kind, namespace, name: "n" });
  assert.deepEqual(live?.["spec"], spec);
});

test("E7 a namespaced object without a namespace is refused before anything is sent", async (t) => {
  const cluster = await openCluster(t);
  const nowhere: Manifest = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web" } };
  await assert.rejects(cluster.apply(nowhere, force), {
    code: "apply",
    retryable: false,
    message: /ConfigMap web names no namespace/,
  });
  assert.equal(cluster.requests, 2, "discovery only");
});

test("F6 an object for a namespace that does not exist is refused with the namespace's name", async (t) => {
  const cluster = await openCluster(t);
  await assert.rejects(cluster.apply(aConfigMap("no-such-namespace", "web"), force), {
    code: "apply",
    retryable: false,
    message: /namespaces "no-such-namespace" not found/,
  });
});

test("a kind that is not served is refused, and found as soon as it is", async (t) => {
  const cluster = await openCluster(t);
  const nothing = { apiVersion: "none.driftless.example/v1", kind: "Nothing", metadata: { name: "n", namespace: "default" } };
  await assert.rejects(cluster.apply(nothing, force), {
    code: "apply",
    retryable: true,
    message: /does not serve none\.driftless\.example\/v1 Nothing/,
  });
  const kind = await aCustomKind(t, cluster);
  assert.deepEqual(await cluster.resourceType(kind), {
    ...kind,
    resource: "notes",
    namespaced: true,
    verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
  });
});

test("F2 a Secret's values do not come back in the refusal", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const metadata = { name: "key", namespace };
  for (const content of [{ stringData: { k: 12345678 } }, { stringData: { k: ["12345678"] } }, { data: "12345678" }]) {
    const secret: Manifest = { apiVersion: "v1", kind: "Secret", metadata, ...content };
    await assert.rejects(cluster.apply(secret, force), (error: DriftlessError) => {
      assert.ok(!error.message.includes("12345678"), error.message);
      return error.code === "apply";
    });
  }
});

test("F4 an identity without rights is refused with what it lacks", async (t) => {
  const limited = await openCluster(t, { user: "limited" });
  const refused = /cannot patch resource "configmaps"/;
  await assert.rejects(limited.apply(aConfigMap("default", "web"), force), { code: "apply", retryable: false, message: refused });
  await assert.rejects(limited.get(configMapRef("default", "web")), { code: "cluster", retryable: false, message: /cannot get/ });
});

test("F3 G6 an object is deleted only under its own uid", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const ref = configMapRef(namespace, "web");
  const created = await cluster.apply(aConfigMap(namespace, "web"), force);
  assert.equal(await cluster.delete(ref, { uid: "00000000-0000-0000-0000-000000000000" }), "absent");
  assert.deepEqual(await cluster.get(ref), created);
  assert.equal(await cluster.delete(ref, { uid: created.metadata.uid ?? "" }), "deleted");
  await until(async () => gone(await cluster.get(ref)), { what: "the object to be on its way out" });
  const unknown = { group: "none.driftless.example", version: "v1", kind: "Nothing", namespace, name: "n" };
  assert.equal(await cluster.delete(unknown, { uid: "1" }), "absent");
  assert.equal(await cluster.delete(configMapRef(namespace, "never"), { uid: "1" }), "absent");
});

test("an object is found and deleted under a version that is no longer served", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("apply");
  const created = await cluster.apply(
    { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l", namespace }, spec: { holderIdentity: "a" } },
    force,
  );
  const old = { group: "coordination.k8s.io", version: "v1beta1", kind: "Lease", namespace, name: "l" };
  assert.equal((await cluster.get(old))?.metadata.uid, created.metadata.uid);
  assert.equal(await cluster.delete(old, { uid: created.metadata.uid ?? "" }), "deleted");
});

/** Without a garbage collector a foreground deletion stays marked. */
const gone = (object: Manifest | undefined) => object === undefined || object.metadata.deletionTimestamp !== undefined;
