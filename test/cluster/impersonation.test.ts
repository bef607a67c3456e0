import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createTransport, type Identity } from "../../lib/cluster/transport.ts";
import type { Manifest, ResourceRef } from "../../lib/model/resource.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { until } from "../control-plane/until.ts";
import { sharedControlPlane } from "../support/cluster.ts";
import { aConfigMap, configMapRef } from "./open.ts";
import { aProject, asAdmin, grant, openTenants } from "./tenants.ts";

const force = { force: true };
const aClusterRole: Manifest = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "mine" },
  rules: [],
};
const clusterRoleRef: ResourceRef = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  namespace: "",
  name: "mine",
};

/** RBAC is told to the authorizer by a watch, a moment after the bindings are written. */
async function ready(open: () => Promise<unknown>): Promise<void> {
  await until(
    () =>
      open().then(
        () => true,
        () => undefined,
      ),
    { what: "the bindings to be known" },
  );
}

test("a project that impersonates may do what RBAC gives its user, and Driftless itself may do nothing", async (t) => {
  const { clusters, projects, shop, ours, theirs } = await openTenants(t);
  const writer = await clusters.writer("home", { project: shop.name, session: "web-abc1234" });
  await ready(() => writer.apply(aConfigMap(ours, "web", { a: "1" }), force));
  assert.equal((await writer.get(configMapRef(ours, "web")))?.metadata.namespace, ours);
  const { username, groups } = await writer.identity();
  assert.deepEqual(
    { username, groups: groups.toSorted() },
    { username: `driftless:${shop.name}`, groups: [`driftless:project:${shop.name}`, "system:authenticated"] },
  );
  assert.equal(writer.identityOfProject, true);

  const itself = await clusters.writer("home");
  assert.equal(itself.identityOfProject, false);
  await assert.rejects(itself.apply(aConfigMap(ours, "web", { a: "2" }), force), {
    code: "apply",
    message: /User "limited" cannot patch resource "configmaps"/,
  });

  // What follows is stopped by Driftless first: here it is made to be wrong.
  projects.set(shop.name, { ...shop, destinations: [{ cluster: "*", namespace: "*" }] });
  const wide = await clusters.writer("home", { project: shop.name });
  await assert.rejects(wide.apply(aConfigMap(theirs, "web"), force), {
    code: "apply",
    message: new RegExp(`User "driftless:${shop.name}" cannot patch resource "configmaps" .* in the namespace "${theirs}"`),
  });
  await assert.rejects(wide.apply(aClusterRole, force), { code: "apply", message: /cannot patch resource "clusterroles"/ });
});

test("a project whom the base identity may not impersonate is refused by the API server", async (t) => {
  const { clusters, projects, ours } = await openTenants(t);
  projects.set("bank", aProject("bank", [ours]));
  const bank = await clusters.writer("home", { project: "bank" });
  await assert.rejects(bank.get(configMapRef(ours, "web")), {
    code: "cluster",
    message: /User "limited" cannot impersonate resource "users"/,
  });
});

test("the API server refuses groups that the base identity may not give itself, and a group without a user", async (t) => {
  const { shop, ours, clusters } = await openTenants(t);
  const writer = await clusters.writer("home", { project: shop.name });
  await ready(() => writer.get(configMapRef(ours, "web")));
  const { server, ca, tokens } = await sharedControlPlane();
  const transport = createTransport({
    connection: { server, ca, authorize: () => Promise.resolve(new Secret(`Bearer ${tokens.limited}`)) },
  });
  t.after(() => transport.close());
  const path = `/api/v1/namespaces/${ours}/configmaps`;
  const as = async (username: string, groups: readonly string[]) => {
    const identity: Identity = { key: "k", ofProject: true, impersonate: { username, groups } };
    const { status, body } = await transport.request({ method: "GET", path }, { identity });
    return [status, (JSON.parse(body) as { message?: string }).message] as const;
  };
  const user = `driftless:${shop.name}`;
  const group = `driftless:project:${shop.name}`;
  assert.equal((await as(user, [group]))[0], 200);
  assert.match(String(await as(user, ["system:masters"])), /^403,.*cannot impersonate resource "groups"/);
  assert.match(String(await as(user, [group, "system:masters"])), /^403,.*cannot impersonate resource "groups"/);
  assert.match(String(await as("system:admin", [group])), /^403,.*cannot impersonate resource "users"/);
  const { requests } = transport;
  for (const [username, groups] of [
    ["", [group]],
    [" ", [group]],
    [user, [""]],
  ] as const) {
    await assert.rejects(as(username, groups), { code: "refused", message: /without a name/ });
  }
  assert.equal(transport.requests, requests, "no request as a user without a name");
});

test("H2 what a project may not have is refused before any request", async (t) => {
  const { clusters, shop, ours, theirs } = await openTenants(t);
  const writer = await clusters.writer("home", { project: shop.name });
  const elsewhere = `ConfigMap ${theirs}/web: project ${shop.name} does not allow the namespace ${theirs} of cluster home: add it to its destinations`;
  const refused = { code: "refused", retryable: false, message: elsewhere };
  await assert.rejects(writer.apply(aConfigMap(theirs, "web"), force), refused);
  await assert.rejects(writer.dryRunApply(aConfigMap(theirs, "web"), force), refused);
  await assert.rejects(writer.delete(configMapRef(theirs, "web"), { uid: "u" }), refused);
  const ownership = { resourceVersion: "1", managedFields: [] };
  await assert.rejects(writer.patchOwnership(configMapRef(theirs, "web"), ownership), refused);
  const reader = await clusters.reader("home", { project: shop.name });
  await assert.rejects(reader.dryRunApply(aConfigMap(theirs, "web"), force), refused);
  assert.deepEqual([writer.requests, reader.requests], [0, 0]);
  assert.equal((await clusters.writer("home", { project: shop.name })).identityOfProject, true);
  await ready(() => writer.apply(aConfigMap(ours, "web"), force));
});

test("H2 a kind without namespaces is refused by the list for these, once the server has said that it is one", async (t) => {
  const { clusters, projects, shop } = await openTenants(t);
  projects.set(shop.name, { ...shop, clusterResourceWhitelist: [] });
  const writer = await clusters.writer("home", { project: shop.name });
  const message = `ClusterRole mine: project ${shop.name} does not allow ClusterRole of rbac.authorization.k8s.io: see its clusterResourceWhitelist`;
  await assert.rejects(writer.apply(aClusterRole, force), { code: "refused", message });
  await assert.rejects(writer.delete(clusterRoleRef, { uid: "u" }), { code: "refused", message });
  assert.equal(writer.requests, 2, "discovery alone");
  const gone: Manifest = { apiVersion: "none.example/v1", kind: "Nothing", metadata: { name: "n", namespace: shop.name } };
  await assert.rejects(writer.apply(gone, force), { code: "refused" });
});

test("a project that is not told, has no name or is not known opens nothing", async (t) => {
  const { clusters, projects } = await openTenants(t);
  const refused = { code: "refused", message: /for a project without a name/ };
  await assert.rejects(clusters.writer("home", { project: "" }), refused);
  await assert.rejects(clusters.reader("home", { project: " " }), refused);
  await assert.rejects(clusters.reader("home", { project: undefined } as unknown as { project: string }), refused);
  const unknown = { code: "not-found", message: 'The configuration has no project "stranger"' };
  await assert.rejects(clusters.writer("home", { project: "stranger" }), unknown);
  projects.set("broken", { ...aProject("broken", ["*"]), identity: "" as "impersonate" });
  await assert.rejects(clusters.writer("home", { project: "broken" }), { code: "refused", message: /has no identity/ });
  projects.set("crew", aProject("crew", ["*"], { identity: "role" }));
  await assert.rejects(clusters.writer("home", { project: "crew" }), {
    code: "refused",
    message: /has no role for the cluster home/,
  });
  projects.set(
    "team",
    aProject("team", ["*"], { identity: "role", roles: [{ cluster: "*", arn: "arn:aws:iam::1:role/x", externalId: "" }] }),
  );
  await assert.rejects(clusters.writer("home", { project: "team" }), { code: "refused", message: /only clusters of EKS know/ });
});

test("a project asks what it may do, as itself; a yes is believed for five minutes, a no is asked again", async (t) => {
  const clock = { minutes: 0, now: () => new Date(1_800_000_000_000 + clock.minutes * 60_000) };
  const { clusters, shop, ours, theirs } = await openTenants(t, { clock });
  const reader = await clusters.reader("home", { project: shop.name });
  const question = { verb: "patch", group: "", kind: "ConfigMap", namespace: ours };
  await until(async () => (await reader.allowed(question))?.allowed === true || undefined, { what: "the bindings to be known" });
  assert.match((await reader.allowed(question))?.reason ?? "", /^RBAC: allowed by RoleBinding/);
  const other = await clusters.reader("home", { project: shop.name });
  assert.equal((await other.allowed({ verb: "patch", group: "", resource: "configmaps", namespace: ours }))?.allowed, true);
  assert.equal(other.requests, 0, "what another reader of the same project was told");
  clock.minutes = 5;
  assert.equal((await other.allowed(question))?.allowed, true);
  assert.equal(other.requests, 1);
  for (const count of [2, 3]) {
    const { allowed } = (await other.allowed({ ...question, namespace: theirs })) ?? {};
    assert.deepEqual([allowed, other.requests], [false, count]);
  }
  assert.equal((await other.allowed({ verb: "create", group: "apps", kind: "Deployment", namespace: ours }))?.allowed, false);
  assert.equal(await other.allowed({ ...question, group: "none.example", kind: "Nothing" }), undefined);
  const itself = await clusters.reader("home");
  assert.equal((await itself.allowed(question))?.allowed, false, "no project's answer is Driftless' own");
});

const listed = { type: { group: "", version: "v1", kind: "ConfigMap" }, namespace: "", labelSelector: "tenant=a" };
const labelled = (namespace: string, name: string): Manifest => ({
  ...aConfigMap(namespace, name),
  metadata: { name, namespace, labels: { tenant: "a" } },
});

test("a project that may not list all namespaces is given the lists of its own, and is not refused again for five minutes", async (t) => {
  const clock = { minutes: 0, now: () => new Date(1_800_000_000_000 + clock.minutes * 60_000) };
  const { clusters, shop, ours } = await openTenants(t, { clock });
  const writer = await clusters.writer("home", { project: shop.name });
  await ready(() => writer.apply(labelled(ours, "a1"), force));
  await writer.apply(labelled(ours, "a2"), force);
  const find = async () => {
    const reader = await clusters.reader("home", { project: shop.name });
    const found = await reader.listMetadata(listed);
    return [found.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`), reader.requests];
  };
  const both = [`${ours}/a1`, `${ours}/a2`];
  assert.deepEqual(await find(), [both, 2]);
  assert.deepEqual(await find(), [both, 1]);
  clock.minutes = 5;
  assert.deepEqual(await find(), [both, 2]);
});

async function twoNamespaces(t: TestContext) {
  const tenants = await openTenants(t);
  const { clusters, projects, shop, ours, theirs } = tenants;
  projects.set(shop.name, aProject(shop.name, ["ours-*", "theirs-*"]));
  await grant(t, {
    project: shop.name,
    namespace: theirs,
    rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["*"] }],
  });
  const writer = await clusters.writer("home", { project: shop.name });
  for (const namespace of [ours, theirs]) await ready(() => writer.apply(labelled(namespace, "a"), force));
  return tenants;
}

test("namespaces that a project means by a pattern are those that it may list", async (t) => {
  const { clusters, projects, shop, ours, theirs } = await twoNamespaces(t);
  const reader = await clusters.reader("home", { project: shop.name });
  await assert.rejects(reader.list(listed), {
    code: "cluster",
    message:
      /refused to list namespaces: .*; project shop-\w+ may not list configmaps over all namespaces, and .* by ours-\*, theirs-\*: name each/,
  });
  await grant(t, { project: shop.name, namespace: "", rules: [{ apiGroups: [""], resources: ["namespaces"], verbs: ["list"] }] });
  // The other tests' namespaces match as well, and are not this project's.
  projects.set(shop.name, aProject(shop.name, [ours, `${theirs.slice(0, -1)}*`]));
  const narrow = await clusters.reader("home", { project: shop.name });
  await ready(() => narrow.list(listed));
  assert.deepEqual(
    (await narrow.list(listed)).map(({ metadata }) => metadata.namespace),
    [ours, theirs],
  );
});

test("a namespace that a project may not list either is an error that says what to grant", async (t) => {
  const { clusters, projects, shop, ours, theirs } = await openTenants(t);
  projects.set(shop.name, aProject(shop.name, [ours, theirs]));
  const reader = await clusters.reader("home", { project: shop.name });
  await ready(() => reader.list({ ...listed, namespace: ours }));
  const pages: number[] = [];
  const visitor = { begin: () => void pages.splice(0), page: (objects: readonly Manifest[]) => void pages.push(objects.length) };
  await assert.rejects(reader.visit({ ...listed, bodies: false }, visitor), {
    code: "cluster",
    retryable: false,
    message: new RegExp(
      `refused to list configmaps of namespace ${theirs}: .*; give the group driftless:project:${shop.name} \\(or the user driftless:${shop.name}\\) ` +
        `the verb list on configmaps by a RoleBinding in namespace ${theirs}, which has to exist$`,
    ),
  });
  const roles = { ...listed, type: { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole" } };
  await assert.rejects(reader.list(roles), {
    message: /the verb list on clusterroles\.rbac\.authorization\.k8s\.io by a ClusterRoleBinding$/,
  });
});

test("H7 what two projects do at once in one process stays apart", async (t) => {
  const first = await openTenants(t);
  const { clusters, projects, shop, ours } = first;
  projects.set("bank", aProject("bank", [ours]));
  const writer = await clusters.writer("home", { project: shop.name });
  await ready(() => writer.apply(labelled(ours, "a"), force));
  await asAdmin(t, `/api/v1/namespaces/${ours}/secrets`, { ...secret, metadata: { name: "only-shop" } });
  const of = async (project: string) => {
    const reader = await clusters.reader("home", { project });
    const ref = { ...configMapRef(ours, "only-shop"), kind: "Secret" };
    return reader.get(ref).then(
      (found) => found?.metadata.name,
      (error: Error) => error.message,
    );
  };
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => of(i % 2 === 0 ? shop.name : "bank")));
  for (const [i, answer] of answers.entries())
    if (i % 2 === 0) assert.equal(answer, "only-shop");
    else assert.match(answer ?? "", /cannot impersonate/);
});

const secret = { apiVersion: "v1", kind: "Secret", stringData: { a: "b" } };
