import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EKSClient } from "@aws-sdk/client-eks";
import { createClusters } from "../../lib/cluster/clusters.ts";
import { applicationLabel, type Manifest, refOf } from "../../lib/model/resource.ts";
import type { ApplicationState } from "../../lib/model/sync.ts";
import { changeState } from "../../lib/sync/application-state.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { aName } from "../apply/open.ts";
import { until } from "../control-plane/until.ts";
import { anEngineApplication, batchOf, desire } from "../engine/desire.ts";
import { aConfigMap } from "../support/objects.ts";
import { aProject, configMapPath, openTenancy, type Tenancy, type Tenant } from "./tenancy.ts";

const service = (namespace: string, name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace, name },
  spec: { ports: [{ port: 80 }] },
});

describe("a tenant at another's namespace", () => {
  test("is refused by Driftless before any request, whatever it would write", async (t) => {
    const { a, b, clusters } = await openTenancy(t);
    const writer = await clusters.writer("eu", { project: a.project.name, session: "shop-6dcb09b" });
    await writer.apply(aConfigMap(a.namespace, "own"), { force: true });
    const theirs = aConfigMap(b.namespace, "theirs");
    const before = writer.requests;
    const refused = { code: "refused", message: /project team-a-\w+ does not allow the namespace team-b-\w+/ };
    await assert.rejects(writer.apply(theirs, { force: true }), refused);
    await assert.rejects(writer.dryRunApply(theirs, { force: true }), refused);
    await assert.rejects(writer.delete(refOf(theirs), { uid: "u1" }), refused);
    await assert.rejects(writer.patchOwnership(refOf(theirs), { resourceVersion: "1", managedFields: [] }), refused);
    assert.equal(writer.requests, before);
  });

  test("fails for that object alone, is not tried again, and prunes nothing", async (t) => {
    const tenancy = await openTenancy(t);
    const { a, b } = tenancy;
    const application = { name: aName("escape"), tenant: a };
    await tenancy.sync(application, [aConfigMap(a.namespace, "old")]);
    const sync = await tenancy.sync(application, [aConfigMap(a.namespace, "own"), aConfigMap(b.namespace, "theirs")]);
    assert.deepEqual([sync?.phase, sync?.counts.created, sync?.counts.failed, sync?.retryable], ["Failed", 1, 1, false]);
    assert.match(
      sync?.errors[0] ?? "",
      /ConfigMap team-b-\w+\/theirs: project team-a-\w+ does not allow the namespace team-b-\w+/,
    );
    assert.equal(sync?.counts.pruned, 0);
    assert.equal(await exists(tenancy, a, "old"), true);
    assert.equal(await exists(tenancy, a, "own"), true);
    assert.equal(await exists(tenancy, b, "theirs"), false);
  });

  test("is refused by the API server too, if Driftless let it through", async (t) => {
    const tenancy = await openTenancy(t);
    const { a, b, unguarded } = tenancy;
    await tenancy.sync({ name: aName("bs"), tenant: b }, [aConfigMap(b.namespace, "theirs")]);
    const before = await tenancy.admin("GET", configMapPath(b.namespace, "theirs"));
    const theirs = JSON.parse(before.text) as Manifest;
    const { uid = "", resourceVersion = "", managedFields = [] } = theirs.metadata;
    const writer = await unguarded.writer("eu", { project: a.project.name });
    const forbidden = { message: new RegExp(`User "driftless:${a.project.name}" cannot .* in the namespace "${b.namespace}"`) };
    await assert.rejects(writer.apply(aConfigMap(b.namespace, "theirs", { key: "2" }), { force: true }), forbidden);
    await assert.rejects(writer.delete(refOf(theirs), { uid }), forbidden);
    await assert.rejects(writer.patchOwnership(refOf(theirs), { resourceVersion, managedFields }), forbidden);
    await assert.rejects(writer.get(refOf(theirs)), forbidden);
    assert.equal((await tenancy.admin("GET", configMapPath(b.namespace, "theirs"))).text, before.text);
  });

  test("neither prunes nor adopts what is not its own, even with a forged inventory", async (t) => {
    const tenancy = await openTenancy(t);
    const { a, b, stores, unguarded } = tenancy;
    const [mine, theirs] = [aName("as"), aName("bs")];
    await tenancy.sync({ name: theirs, tenant: b }, [aConfigMap(b.namespace, "theirs")]);
    const path = configMapPath(b.namespace, "theirs");
    await tenancy.sync({ name: mine, tenant: a }, [aConfigMap(a.namespace, "own")]);
    const entries = [...(await entriesOf(tenancy, mine)), ...(await entriesOf(tenancy, theirs))];
    for (const over of [tenancy.clusters, unguarded]) {
      const taken = await stores.leases.acquire({ application: mine, holder: "forger", generation: 99, seconds: 60 });
      assert.ok(taken.acquired);
      await stores.inventories.save({ application: mine, cluster: "eu", entries }, { fence: taken.lease.fence });
      await stores.leases.release(taken.lease);
      const sync = await tenancy.sync({ name: mine, tenant: a }, [aConfigMap(a.namespace, "own")], over);
      assert.equal(sync?.counts.pruned, 0);
      const live = JSON.parse((await tenancy.admin("GET", path)).text) as Manifest;
      assert.equal(live.metadata.labels?.[applicationLabel], theirs);
    }
  });
});

test("an application that has moved to another project since its run was started is left to a run as that project", async (t) => {
  const tenancy = await openTenancy(t);
  const { a, b, stores } = tenancy;
  const name = aName("moved");
  const definition = anEngineApplication(name, b.namespace, { project: b.project.name });
  const batch = await desire(stores, definition, [aConfigMap(b.namespace, "own")]);
  await tenancy.run({ ...batch, project: a.project.name });
  assert.equal((await stores.applications.get(name))?.lastSync, undefined);
  assert.equal((await stores.leases.get(name)) ?? undefined, undefined);
  await tenancy.run(batch);
  assert.equal((await stores.applications.get(name))?.lastSync?.phase, "Succeeded");
});

describe("an application that its project refuses by now", () => {
  const refused = { refused: true, planError: "project a does not allow the repository x" } as const;

  test("is left by a run that was started before; once it is allowed again the same run syncs it", async (t) => {
    const tenancy = await openTenancy(t);
    const { a, stores } = tenancy;
    const name = aName("refused");
    const definition = anEngineApplication(name, a.namespace, { project: a.project.name });
    const batch = await desire(stores, definition, [aConfigMap(a.namespace, "own")]);
    await change(tenancy, name, (state) => ({ ...state, ...refused }));
    await tenancy.run(batch);
    assert.deepEqual([await exists(tenancy, a, "own"), (await stores.applications.get(name))?.lastSync], [false, undefined]);
    assert.equal((await stores.leases.get(name)) ?? undefined, undefined);
    await change(tenancy, name, ({ refused: _over, ...state }) => ({ ...state, planError: "" }));
    await tenancy.run(batch);
    assert.equal((await stores.applications.get(name))?.lastSync?.phase, "Succeeded");
  });

  test("gets no further wave of a run that has begun, and none of its prunes", async (t) => {
    const tenancy = await openTenancy(t);
    const { a, stores } = tenancy;
    const of = { name: aName("midway"), tenant: a };
    await tenancy.sync(of, [aConfigMap(a.namespace, "old")]);
    const second = aConfigMap(a.namespace, "second");
    const waved = { ...second, metadata: { ...second.metadata, annotations: { "argocd.argoproj.io/sync-wave": "1" } } };
    const definition = anEngineApplication(of.name, a.namespace, { project: a.project.name });
    for (const [objects, after, error] of [
      [[aConfigMap(a.namespace, "first"), waved], "health-1.1", /^project team-a-\w+ does not allow it: project a does not/],
      [[aConfigMap(a.namespace, "first")], "health-1.1", /^nothing was pruned: project team-a-\w+ does not allow it: /],
    ] as const) {
      const batch = await desire(stores, definition, objects);
      await tenancy.run(batch, tenancy.clusters, async (step) => {
        if (step === after) await change(tenancy, of.name, (state) => ({ ...state, ...refused }));
      });
      const { phase, errors } = (await stores.applications.get(of.name))?.lastSync ?? {};
      assert.deepEqual([phase, errors?.length], ["Failed", 1]);
      assert.match(errors?.[0] ?? "", error);
      const live = await Promise.all(["old", "first", "second"].map((name) => exists(tenancy, a, name)));
      assert.deepEqual(live, [true, true, false]);
    }
  });
});

test("a rollback by itself does not bring back what another project had under the name", async (t) => {
  const tenancy = await openTenancy(t);
  const { a, b, stores } = tenancy;
  const name = aName("taken");
  const secret = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "secret" }, data: { password: "of a" } };
  await tenancy.sync({ name, tenant: a }, [secret]);
  const { lastHealthy } = (await stores.applications.get(name)) ?? {};
  assert.equal(lastHealthy?.project, a.project.name);
  await grantServices(tenancy, b, ["get", "list", "create", "patch", "delete"]);
  const waiting = { ...service(b.namespace, "web"), spec: { type: "LoadBalancer", ports: [{ port: 80 }] } };
  const sync = await tenancy.sync({ name, tenant: b, rollback: "auto", sync: { prune: false } }, [waiting]);
  assert.deepEqual([sync?.phase, sync?.trigger, sync?.project], ["Failed", "push", b.project.name], sync?.errors.join());
  assert.equal(await exists(tenancy, b, "secret"), false);
  assert.deepEqual((await stores.applications.get(name))?.rejected, undefined);
});

test("a removal whose cluster left the configuration too soon says what to do, and goes on once it is done", async (t) => {
  const tenancy = await openTenancy(t);
  const { a, stores, clusters } = tenancy;
  const name = aName("orphaned");
  await tenancy.sync({ name, tenant: a }, [aConfigMap(a.namespace, "own")]);
  await change(tenancy, name, (state) => ({
    ...state,
    removed: true,
    desired: { ...state.desired, generation: 2, revision: "gone", snapshot: "", plannedAt: "" },
  }));
  const batch = batchOf((await stores.applications.get(name)) as ApplicationState, "removed");
  const nowhere = createClusters({
    find: () => Promise.resolve(undefined),
    project: () => Promise.resolve(a.project),
    eksClient: () => new EKSClient({}),
    clock: systemClock,
    log: silentLog,
  });
  await tenancy.run(batch, nowhere);
  const row = (await stores.applications.get(name))?.lastSync;
  assert.deepEqual(
    [row?.phase, row?.retryable, row?.unreachable, row?.errors],
    [
      "Failed",
      true,
      true,
      [
        'The configuration has no cluster "eu": put its entry back into clusters of driftless.yaml until nothing is left of the applications there',
      ],
    ],
  );
  await tenancy.run(batch, clusters);
  assert.equal(await exists(tenancy, a, "own"), false);
  assert.equal(await stores.applications.get(name), undefined);
});

describe("the preflight of a project's own identity", () => {
  test("names each missing right and what to grant, and nothing is written; once it is granted, the next try succeeds", async (t) => {
    const tenancy = await openTenancy(t);
    const { a } = tenancy;
    const objects = [aConfigMap(a.namespace, "own"), service(a.namespace, "web"), service(a.namespace, "api")];
    const application = { name: aName("rights"), tenant: a };
    const sync = await tenancy.sync(application, objects);
    const role = `driftless-${a.project.name}-services`;
    const user = `driftless:${a.project.name}`;
    assert.deepEqual(sync?.errors, [
      `nothing was written: user ${user} may not create services; patch services in namespace ${a.namespace}. Grant it: kubectl create role ${role} -n ${a.namespace} --verb=get,list,create,patch --resource=services && kubectl create rolebinding ${role} -n ${a.namespace} --role=${role} --user=${user}`,
    ]);
    assert.deepEqual([sync?.phase, sync?.retryable], ["Failed", true]);
    assert.equal(await exists(tenancy, a, "own"), false);
    await grantServices(tenancy, a, ["get", "list", "create", "patch"]);
    const again = await tenancy.sync(application, objects);
    assert.deepEqual([again?.phase, again?.counts.created], ["Succeeded", 3]);
    const less = await tenancy.sync(application, [aConfigMap(a.namespace, "own", { key: "2" })]);
    assert.match(less?.errors[0] ?? "", /^nothing was written: user driftless:team-a-\w+ may not delete services in namespace/);
    assert.equal(less?.counts.configured, 0);
  });

  test("a rule that names its objects is right enough for these", async (t) => {
    const tenancy = await openTenancy(t);
    const { a } = tenancy;
    const application = { name: aName("named"), tenant: a };
    await grantServices(tenancy, a, ["get", "list", "create"]);
    await grantServices(tenancy, a, ["patch"], ["web"]);
    const sync = await tenancy.sync(application, [service(a.namespace, "web")]);
    assert.equal(sync?.phase, "Succeeded", sync?.errors.join());
    const more = await tenancy.sync(application, [service(a.namespace, "web"), service(a.namespace, "api")]);
    assert.match(more?.errors[0] ?? "", /may not patch services in namespace/);
  });
});

describe("sweeps of several identities", () => {
  test("one row with sums; each tenant's drift is healed by a run of its own; a project that is shut or unknown holds nobody up", async (t) => {
    const shut = aProject(aName("shut"), ["kube-public"]);
    const tenancy = await openTenancy(t, [shut]);
    const { a, b, stores } = tenancy;
    const [as, bs] = [aName("as"), aName("bs")];
    await tenancy.sync({ name: as, tenant: a }, [aConfigMap(a.namespace, "one"), aConfigMap(a.namespace, "two")]);
    await tenancy.sync({ name: bs, tenant: b }, [aConfigMap(b.namespace, "one")]);
    const quiet = await tenancy.sweep();
    const { objects, applications, drifted, errors, unknownOwners, suspects } = quiet.report;
    assert.deepEqual([applications, objects, drifted, suspects, errors, unknownOwners], [2, 3, 0, 0, [], []]);

    const [blind, lost] = [aName("blind"), aName("lost")];
    await forge(tenancy, { name: blind, project: shut.name, from: bs });
    await forge(tenancy, { name: lost, project: "nobody", from: bs });
    for (const { namespace } of [a, b]) {
      const edit = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" }, data: { key: "edited" } };
      assert.equal(
        (await tenancy.admin("PUT", configMapPath(namespace, "one"), await relabelled(tenancy, namespace, edit))).status,
        200,
      );
    }
    const { report, started } = await tenancy.sweep();
    assert.deepEqual([...report.healing].sort(), [as, bs].sort());
    assert.deepEqual(
      new Map(started.map(({ project, trigger, applications: [first] }) => [project, `${trigger} ${first?.name}`])),
      new Map([
        [a.project.name, `heal ${as}`],
        [b.project.name, `heal ${bs}`],
      ]),
    );
    assert.equal(started.length, 2);
    assert.ok(report.errors.includes("the configuration has no project nobody: nothing is done for its applications"));
    assert.ok(
      report.errors.some((error) => /configmaps/.test(error) && error.includes(shut.name)),
      report.errors.join("\n"),
    );
    assert.deepEqual(report.unknownOwners, []);
    assert.equal((await stores.applications.get(lost))?.health.status, "Unknown");
    assert.match((await stores.applications.get(lost))?.health.message ?? "", /no project nobody/);
    assert.equal((await stores.applications.get(blind))?.health.status, "Unknown");
    for (const batch of started) await tenancy.run(batch);
    for (const { namespace } of [a, b]) {
      const live = JSON.parse((await tenancy.admin("GET", configMapPath(namespace, "one"))).text) as { readonly data: object };
      assert.deepEqual(live.data, { key: "1" });
    }
    assert.equal((await stores.applications.get(as))?.drifted, 0);
  });
});

describe("two tenants in one warm process", () => {
  test("never come as one another, however their calls interleave", async (t) => {
    const tenancy = await openTenancy(t);
    const { a, b, clusters } = tenancy;
    const rounds = Array.from({ length: 40 }, (_, round) => (round % 2 === 0 ? a : b));
    const who = await Promise.all(
      rounds.map(async ({ project, namespace }, round) => {
        const writer = await clusters.writer("eu", { project: project.name, session: `s${round}` });
        const [identity] = await Promise.all([
          writer.identity(),
          writer.apply(aConfigMap(namespace, `c${round}`), { force: true }),
          writer.listMetadata({ type: { group: "", version: "v1", kind: "ConfigMap" }, namespace: "", labelSelector: "" }),
        ]);
        return [identity.username, identity.groups.filter((group) => group.startsWith("driftless:")).join()];
      }),
    );
    assert.deepEqual(
      who,
      rounds.map(({ project: { name } }) => [`driftless:${name}`, `driftless:project:${name}`]),
    );
    const names = async ({ namespace }: Tenant): Promise<number> => {
      const { items } = JSON.parse((await tenancy.admin("GET", configMapPath(namespace))).text) as {
        readonly items: readonly Manifest[];
      };
      return items.filter(({ metadata }) => /^c\d+$/.test(metadata.name)).length;
    };
    assert.deepEqual([await names(a), await names(b)], [20, 20]);
  });

  test("run their syncs at the same time, each with its own rights and no other", async (t) => {
    const tenancy = await openTenancy(t);
    const { a, b } = tenancy;
    const objects = ({ namespace }: Tenant) => Array.from({ length: 10 }, (_, at) => aConfigMap(namespace, `c${at}`));
    const rows = await Promise.all(
      [a, b, a, b].map((tenant, at) =>
        tenancy.sync({ name: aName(`t${at}`), tenant }, at < 2 ? objects(tenant) : [aConfigMap(tenant.namespace, `extra${at}`)]),
      ),
    );
    assert.deepEqual(
      rows.map((row) => [row?.phase, row?.counts.created]),
      [
        ["Succeeded", 10],
        ["Succeeded", 10],
        ["Succeeded", 1],
        ["Succeeded", 1],
      ],
    );
  });
});

async function change(
  { stores }: Tenancy,
  application: string,
  next: (state: ApplicationState) => Omit<ApplicationState, "version">,
): Promise<void> {
  await changeState(stores.applications, { application, change: (state) => state && next(state) });
}

async function exists({ admin }: Tenancy, { namespace }: Tenant, name: string): Promise<boolean> {
  return (await admin("GET", configMapPath(namespace, name))).status === 200;
}

async function entriesOf({ stores }: Tenancy, application: string) {
  return (await stores.inventories.load(application))?.entries ?? [];
}

/** As somebody writes an object whole who keeps its labels. */
async function relabelled({ admin }: Tenancy, namespace: string, object: Manifest): Promise<Manifest> {
  const live = JSON.parse((await admin("GET", configMapPath(namespace, object.metadata.name))).text) as Manifest;
  return { ...object, metadata: { ...object.metadata, labels: live.metadata.labels ?? {} } };
}

/** An application of another project that has a copy of the inventory of one. */
async function forge(
  { stores }: Tenancy,
  { name, project, from }: { readonly name: string; readonly project: string; readonly from: string },
): Promise<void> {
  const state = await stores.applications.get(from);
  assert.ok(state);
  const definition = { ...state.definition, name, project };
  assert.ok(await stores.applications.put({ ...state, application: name, definition, version: 1 }));
  const taken = await stores.leases.acquire({ application: name, holder: "forger", generation: 1, seconds: 60 });
  assert.ok(taken.acquired);
  const entries = (await stores.inventories.load(from))?.entries ?? [];
  await stores.inventories.save({ application: name, cluster: "eu", entries }, { fence: taken.lease.fence });
  await stores.leases.release(taken.lease);
}

/** Waits until the API server's own look at its roles has it. */
async function grantServices(
  { admin, clusters }: Tenancy,
  { namespace, project }: Tenant,
  verbs: readonly string[],
  names?: readonly string[],
): Promise<void> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name: aName("services") };
  const rule = { apiGroups: [""], resources: ["services"], verbs, ...(names === undefined ? {} : { resourceNames: names }) };
  assert.equal((await admin("POST", `${rbac}/roles`, { metadata, rules: [rule] })).status, 201);
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: `driftless:${project.name}` }];
  assert.equal((await admin("POST", `${rbac}/rolebindings`, { metadata, roleRef, subjects })).status, 201);
  const [name] = names ?? [];
  const review = {
    verb: verbs.at(-1) ?? "",
    group: "",
    resource: "services",
    namespace,
    ...(name === undefined ? {} : { name }),
  };
  const granted = async () => (await (await clusters.reader("eu", { project: project.name })).allowed(review))?.allowed;
  await until(granted, { what: "the right to be in force" });
}
