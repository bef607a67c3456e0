import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../../lib/cluster/classify.ts";
import type { ClusterReader, ListRequest } from "../../lib/cluster/cluster.ts";
import type { HttpRequest } from "../../lib/cluster/exchange.ts";
import { createClusterReader } from "../../lib/cluster/kubernetes.ts";
import { createTransport } from "../../lib/cluster/transport.ts";
import { openProject } from "../../lib/projects/find.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { aConfigMap, aCustomKind, openCluster } from "./open.ts";

const configMaps = { group: "", version: "v1", kind: "ConfigMap" };
const names = (objects: readonly { readonly metadata: { readonly name: string } }[]) =>
  objects.map(({ metadata }) => metadata.name);

async function sevenConfigMaps(t: Parameters<typeof openCluster>[0]): Promise<ListRequest> {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("lists");
  for (let i = 1; i <= 7; i++) {
    const { metadata, ...rest } = aConfigMap(namespace, `c${i}`, { i: String(i) });
    await cluster.apply({ ...rest, metadata: { ...metadata, labels: { "driftless.dev/application": "a" } } }, { force: true });
  }
  await cluster.apply(aConfigMap(namespace, "other"), { force: true });
  return { type: configMaps, namespace, labelSelector: "driftless.dev/application=a" };
}

test("metadata is listed over all pages, with kind and managed fields and without bodies", async (t) => {
  const request = await sevenConfigMaps(t);
  const cluster = await openCluster(t, { pageSizes: { metadata: 3 } });
  const found = await cluster.listMetadata(request);
  assert.deepEqual(names(found), ["c1", "c2", "c3", "c4", "c5", "c6", "c7"]);
  assert.equal(cluster.requests, 5, "two for discovery, three pages");
  assert.deepEqual(Object.keys(found[0] ?? {}), ["apiVersion", "kind", "metadata"]);
  assert.deepEqual([found[0]?.apiVersion, found[0]?.kind], ["v1", "ConfigMap"]);
  assert.equal(found[0]?.metadata.managedFields?.[0]?.manager, "driftless");
});

test("bodies are listed over all pages, each with version and kind", async (t) => {
  const request = await sevenConfigMaps(t);
  const cluster = await openCluster(t, { pageSizes: { bodies: 4 } });
  const found = await cluster.list(request);
  assert.deepEqual(
    found.map(({ apiVersion, kind, data }) => [apiVersion, kind, data]),
    [1, 2, 3, 4, 5, 6, 7].map((i) => ["v1", "ConfigMap", { i: String(i) }]),
  );
  assert.equal(cluster.requests, 4, "two for discovery, two pages");
});

test("an empty namespace name lists all namespaces", async (t) => {
  const first = await sevenConfigMaps(t);
  const cluster = await openCluster(t);
  const found = await cluster.listMetadata({ ...first, namespace: "" });
  assert.equal(found.filter(({ metadata }) => metadata.namespace === first.namespace).length, 7);
});

test("a kind that the server does not know lists as empty, and as absent", async (t) => {
  const cluster = await openCluster(t);
  const type = { group: "none.driftless.example", version: "v1", kind: "Nothing" };
  assert.deepEqual(await cluster.listMetadata({ type, namespace: "", labelSelector: "" }), []);
  assert.deepEqual(await cluster.list({ type, namespace: "", labelSelector: "" }), []);
  assert.equal(await cluster.get({ ...type, namespace: "default", name: "n" }), undefined);
  assert.equal(await cluster.resourceType(type), undefined);
});

test("a kind that was installed after the last discovery is found without being asked to look again", async (t) => {
  const [cluster, other] = [await openCluster(t), await openCluster(t)];
  assert.deepEqual(await cluster.listMetadata({ type: configMaps, namespace: "none", labelSelector: "" }), []);
  const type = await aCustomKind(t, other);
  const namespace = await testNamespace("lists");
  const note = { apiVersion: `${type.group}/v1`, kind: "Note", metadata: { name: "n", namespace } };
  await other.apply(note, { force: true });
  assert.deepEqual(names(await cluster.listMetadata({ type, namespace, labelSelector: "" })), ["n"]);
});

test("a wrong selector and a missing right are errors, never an empty list", async (t) => {
  const cluster = await openCluster(t);
  await assert.rejects(cluster.listMetadata({ type: configMaps, namespace: "", labelSelector: "a=b=c" }), {
    code: "cluster",
    retryable: false,
  });
  const limited: ClusterReader = await openCluster(t, { user: "limited" });
  await assert.rejects(limited.listMetadata({ type: configMaps, namespace: "", labelSelector: "" }), {
    code: "cluster",
    retryable: false,
    message: /refused to list configmaps: .*cannot list resource "configmaps"/,
  });
});

const expired: Answer = {
  status: 410,
  contentType: "application/json",
  body: '{"kind":"Status","reason":"Expired","message":"The provided continue parameter is too old"}',
};

test("a list whose continue token expired starts again, and gives no object twice", async (t) => {
  const request = await sevenConfigMaps(t);
  let continued = 0;
  const fault = ({ path }: HttpRequest) => (path.includes("continue=") && ++continued === 2 ? expired : undefined);
  const cluster = await openCluster(t, { pageSizes: { metadata: 3 }, fault });
  assert.deepEqual(names(await cluster.listMetadata(request)), ["c1", "c2", "c3", "c4", "c5", "c6", "c7"]);
  assert.equal(continued, 4, "one page, the expired one, and two of the second pass");
});

test("a list that expires again and again is given up as a retryable cluster error", async (t) => {
  let continued = 0;
  const fault = ({ path }: HttpRequest) => (path.includes("continue=") && ++continued > 0 ? expired : undefined);
  const cluster = await openCluster(t, { pageSizes: { metadata: 3 }, fault });
  await assert.rejects(cluster.listMetadata(await sevenConfigMaps(t)), { code: "cluster", retryable: true, message: /too old/ });
  assert.equal(continued, 4);
});

test("a reader has no method that writes", async (t) => {
  const writer = await openCluster(t);
  const reader = createClusterReader({ transport: createTransport({ connection: { server: "https://127.0.0.1:1" } }) });
  assert.deepEqual(
    Object.keys(writer).filter((key) => !(key in reader)),
    ["apply", "delete", "patchOwnership", "identity"],
  );
});

test("a field selector picks objects by what their kind can be asked for", async (t) => {
  const request = await sevenConfigMaps(t);
  const cluster = await openCluster(t);
  assert.deepEqual(names(await cluster.list({ ...request, fieldSelector: "metadata.name=c3" })), ["c3"]);
  assert.deepEqual(names(await cluster.listMetadata({ ...request, fieldSelector: "metadata.name=c4" })), ["c4"]);
});

test("a list of a project's namespaces whose continue token expired starts again with the first, and gives no object twice", async (t) => {
  const requests = [await sevenConfigMaps(t), await sevenConfigMaps(t)];
  const [one, other] = requests.map(({ namespace }) => namespace) as [string, string];
  const denied = { status: 403, contentType: "application/json", body: '{"kind":"Status","reason":"Forbidden","message":"no"}' };
  const asked: string[] = [];
  const fault = ({ path }: HttpRequest) => {
    const [, namespace = ""] = /^\/api\/v1\/(?:namespaces\/([^/]+)\/)?configmaps/.exec(path) ?? [];
    if (!path.includes("configmaps")) return undefined;
    asked.push(namespace);
    if (namespace === "") return denied;
    return namespace === other && asked.filter((name) => name === other).length === 2 ? expired : undefined;
  };
  const project = { ...openProject, destinations: [one, other].map((namespace) => ({ cluster: "home", namespace })) };
  const { ca, tokens, server } = await sharedControlPlane();
  const authorize = () => Promise.resolve(new Secret(`Bearer ${tokens.admin}`));
  const real = createTransport({ connection: { server, ca, authorize } });
  t.after(() => real.close());
  const reader = createClusterReader({
    transport: { ...real, request: async (request, call) => fault(request) ?? real.request(request, call) },
    pageSizes: { metadata: 4 },
    identity: { key: "project", ofProject: true },
    scope: { project, cluster: "home" },
  });
  const begun: number[] = [];
  let found: string[] = [];
  const visitor = {
    begin() {
      begun.push(found.length);
      found = [];
    },
    page: (objects: Parameters<typeof names>[0]) => void found.push(...names(objects)),
  };
  await reader.visit({ type: configMaps, namespace: "", labelSelector: "driftless.dev/application=a", bodies: false }, visitor);
  const seven = ["c1", "c2", "c3", "c4", "c5", "c6", "c7"];
  assert.deepEqual(found, [...seven, ...seven]);
  assert.deepEqual(asked, ["", one, one, other, other, one, one, other, other]);
  assert.deepEqual(begun, [0, 0, 11], "at first, in each namespace, and all of it again");
});
