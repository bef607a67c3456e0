import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Answer } from "../../../lib/cluster/classify.ts";
import type { DriftRow } from "../../../lib/model/drift.ts";
import { applicationLabel } from "../../../lib/model/resource.ts";
import { aName } from "../../apply/open.ts";
import { aProject } from "../../cluster/tenancy.ts";
import { callApi } from "../../control-plane/api.ts";
import { until } from "../../control-plane/until.ts";
import { type ConfigMaps, configMapsIn } from "../../engine/config-maps.ts";
import { anEngineApplication, desire } from "../../engine/desire.ts";
import { createExecution } from "../../engine/execution.ts";
import { type Api, openApi } from "../../engine/installation.ts";
import { clearLeftovers, sharedControlPlane, testNamespace } from "../../support/cluster.ts";
import { edit, openSweeping, type Sweeping } from "./sweeping.ts";

const isList = (path: string): boolean => /\/configmaps\?/.test(path);
const told = ({ kind, ref, field, desired, live }: DriftRow) => [kind, ref.name, field, desired, live];

describe("a sweep of one cluster", () => {
  let api: Api;
  let maps: ConfigMaps;
  before(async () => {
    api = await openApi();
    await clearLeftovers();
    maps = configMapsIn(await testNamespace("sweep"), api);
  });

  const delivered = async (name: string, count: number, more: Parameters<Sweeping["deliver"]>[2] = {}) => {
    const sweeping = await openSweeping(api);
    await sweeping.deliver(name, maps.of(name, { to: count, version: 1 }), more);
    return sweeping;
  };
  const open = (sweeping: Sweeping, name: string) => sweeping.installation.stores.drift.open(name);
  const version = (value: string) => ({ data: { version: value } });

  test("costs a page of each kind while nothing drifts, and says so in its row", async () => {
    const name = aName("quiet");
    const sweeping = await delivered(name, 5);
    await sweeping.sweep();
    const report = await sweeping.sweep();
    const { objects, kinds, requests, pages, dryRuns, suspects, errors } = report;
    assert.deepEqual(
      { objects, kinds, requests, pages, dryRuns, suspects, errors },
      { objects: 5, kinds: 1, requests: 1, pages: 1, dryRuns: 0, suspects: 0, errors: [] },
    );
    assert.ok(report.bytes > 1000);
    assert.deepEqual((await sweeping.installation.stores.sweeps.list("eu")).items[0], report);
  });

  test("takes a label on what its project does not allow for nobody's: whoever may write there could make drift of any application", async () => {
    const name = aName("labelled");
    const sweeping = await delivered(name, 1);
    const elsewhere = await testNamespace("labelled");
    const { server, ca, tokens } = await sharedControlPlane();
    const path = `/api/v1/namespaces/${elsewhere}/configmaps/stray?fieldManager=driftless`;
    const metadata = { name: "stray", labels: { [applicationLabel]: name } };
    const call = { method: "PATCH", contentType: "application/apply-patch+yaml" };
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { of: "another team" } };
    assert.equal((await callApi({ server, ca, token: tokens.admin }, path, { ...call, body })).status, 201);
    const project = aProject("default", [maps.namespace], { identity: "installation" });
    assert.equal((await sweeping.sweep({ projects: [project] })).drifted, 0);
    assert.deepEqual(await open(sweeping, name), []);
    await sweeping.sweep({ projects: [] });
    assert.deepEqual(
      (await open(sweeping, name)).map(({ kind, ref }) => [kind, ref.name]),
      [["orphan", "stray"]],
    );
  });

  test("reads several suspects of a kind by one list, and dry-runs each", async () => {
    const name = aName("several");
    const sweeping = await delivered(name, 30);
    await sweeping.sweep();
    for (let at = 0; at < 6; at++) await edit(maps.ref(name, at), version("2"));
    const { requests, dryRuns, suspects, drifted, healing } = await sweeping.sweep();
    assert.deepEqual(
      { requests, dryRuns, suspects, drifted, healing },
      { requests: 8, dryRuns: 6, suspects: 6, drifted: 6, healing: [name] },
    );
    const rows = (await open(sweeping, name)).map((row) => JSON.stringify(told(row)));
    assert.deepEqual(
      rows.toSorted(),
      [0, 1, 2, 3, 4, 5].map((at) => `["changed","${name}-${at}","data.version","1","2"]`),
    );
    assert.deepEqual(
      sweeping.started().map(({ trigger, applications }) => [trigger, applications.map((each) => each.name)]),
      [["heal", [name]]],
    );
  });

  test("looks once at what was found to be as it should, and again when it moves", async () => {
    const name = aName("cleared");
    const sweeping = await delivered(name, 2, { drift: "report" });
    await sweeping.sweep();
    await edit(maps.ref(name, 0), version("2"));
    await edit(maps.ref(name, 0), version("1"));
    assert.equal((await sweeping.sweep()).dryRuns, 1);
    const again = await sweeping.sweep();
    assert.deepEqual([again.dryRuns, again.suspects, again.requests], [0, 0, 1]);
    await edit(maps.ref(name, 0), version("3"));
    assert.equal((await sweeping.sweep()).drifted, 1);
  });

  test("forgets what it cleared when something else is desired", async () => {
    const name = aName("basis");
    const sweeping = await delivered(name, 2, { drift: "report" });
    await edit(maps.ref(name, 0), version("2"));
    await edit(maps.ref(name, 0), version("1"));
    await sweeping.sweep();
    const { stores } = sweeping.installation;
    const state = await stores.applications.get(name);
    assert.ok(state?.swept);
    await stores.applications.put({
      ...state,
      definition: { ...state.definition, additions: "ignore" },
      version: state.version + 1,
    });
    assert.equal((await sweeping.sweep()).dryRuns, 1);
  });

  test("goes on over pages, starts a kind again whose token expired, and has no object twice", async () => {
    const name = aName("pages");
    const sweeping = await openSweeping(api, { pageSizes: { metadata: 3 } });
    await sweeping.deliver(name, maps.of(name, { to: 8, version: 1 }));
    await sweeping.sweep();
    let continued = 0;
    sweeping.onRequest(({ path }) => (path.includes("continue=") && ++continued === 2 ? gone : undefined));
    const { pages, suspects, drifted, errors } = await sweeping.sweep();
    assert.ok(pages >= 5, `${pages} pages`);
    assert.deepEqual({ suspects, drifted, errors }, { suspects: 0, drifted: 0, errors: [] });
  });

  test("a kind that may not be listed is an error in its row, closes no row of drift, and holds nothing else up", async () => {
    const name = aName("forbidden");
    const sweeping = await openSweeping(api);
    const manifest = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: maps.namespace } };
    await sweeping.deliver(name, [manifest, ...maps.of(name, { to: 2, version: 1 })], { drift: "report" });
    await sweeping.sweep();
    await edit(maps.ref(name, 0), version("2"));
    await sweeping.sweep();
    const account = { ...maps.ref(name, 0), kind: "ServiceAccount", name };
    await api.outside.delete(account, { uid: (await api.outside.get(account))?.metadata.uid ?? "" });
    await until(async () => (await api.outside.get(account)) === undefined, { what: "the account to be gone" });
    sweeping.onRequest(({ method, path }) => (method === "GET" && isList(path) ? forbidden : undefined));
    const { errors, drifted } = await sweeping.sweep();
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", /refused to list configmaps/);
    assert.equal(drifted, 1, "the account is missing");
    const rows = (await open(sweeping, name)).map(({ kind, ref }) => `${kind} ${ref.kind}`);
    assert.deepEqual(rows.toSorted(), ["changed ConfigMap", "missing ServiceAccount"]);
  });

  test("says in its row why it failed, and the next one repeats it", async () => {
    const name = aName("broken");
    const sweeping = await delivered(name, 2);
    sweeping.onRequest(() => Promise.reject(new TypeError("a mistake")));
    await assert.rejects(sweeping.sweep(), TypeError);
    const [row] = (await sweeping.installation.stores.sweeps.list("eu")).items;
    assert.deepEqual([row?.errors, row?.applications], [["a mistake"], 1]);
    sweeping.onRequest(() => undefined);
    assert.deepEqual((await sweeping.sweep()).errors, []);
  });

  test("looks at single objects by GET, leaves rows of others open, and keeps no report", async () => {
    const name = aName("single");
    const sweeping = await delivered(name, 3);
    await edit(maps.ref(name, 0), version("2"));
    await sweeping.sweep();
    sweeping.started();
    await edit(maps.ref(name, 1), version("2"));
    const { requests, dryRuns, pages, drifted, healing } = await sweeping.sweep({ only: new Map([[name, [maps.ref(name, 1)]]]) });
    assert.deepEqual(
      { requests, dryRuns, pages, drifted, healing },
      { requests: 2, dryRuns: 1, pages: 0, drifted: 1, healing: [name] },
    );
    assert.equal((await open(sweeping, name)).length, 2);
    const { drifted: counted } = (await sweeping.installation.stores.applications.get(name)) ?? {};
    assert.equal(counted, 2);
    assert.equal((await sweeping.installation.stores.sweeps.list("eu")).items.length, 1);
  });

  test("skips what a sync is at, and writes and heals nothing of it", async () => {
    const name = aName("held");
    const sweeping = await delivered(name, 2);
    const { stores } = sweeping.installation;
    await edit(maps.ref(name, 0), version("2"));
    const { lease } = (await stores.leases.acquire({ application: name, holder: "a run", generation: 1, seconds: 600 })) as {
      readonly lease: Parameters<typeof stores.leases.release>[0];
    };
    const { skipped, healing, drifted } = await sweeping.sweep();
    assert.deepEqual({ skipped, healing, drifted }, { skipped: [name], healing: [], drifted: 0 });
    assert.deepEqual([await open(sweeping, name), sweeping.started()], [[], []]);
    await stores.leases.release(lease);
    assert.deepEqual((await sweeping.sweep()).healing, [name]);
  });

  test("skips what has become something else since it began", async () => {
    const name = aName("moved");
    const sweeping = await delivered(name, 2);
    await edit(maps.ref(name, 0), version("2"));
    sweeping.onRequest(async ({ path }) => {
      if (!isList(path)) return undefined;
      await desire(sweeping.installation.stores, anEngineApplication(name, ""), maps.of(name, { to: 2, version: 3 }));
      return undefined;
    });
    const { skipped, healing } = await sweeping.sweep();
    assert.deepEqual({ skipped, healing }, { skipped: [name], healing: [] });
  });

  test("a heal leaves a newer revision to the run of that revision, which then is not reverted", async () => {
    const name = aName("newer");
    const sweeping = await delivered(name, 2);
    const { stores, clock, sync, work } = sweeping.installation;
    await edit(maps.ref(name, 0), version("2"));
    await sweeping.sweep();
    const [heal] = sweeping.started();
    assert.ok(heal);
    const newer = await desire(stores, anEngineApplication(name, ""), maps.of(name, { to: 2, version: 3 }));
    await work(heal, createExecution({ id: "late-heal", clock }));
    assert.deepEqual(await maps.versions(name, { to: 2 }), ["2", "1"]);
    await sync(newer, "newer");
    await work(heal, createExecution({ id: "later-heal", clock }));
    assert.deepEqual(await maps.versions(name, { to: 2 }), ["3", "3"]);
  });

  test("heals nothing of which a run is due or was lost: that run does, with its hooks", async () => {
    const name = aName("due");
    const sweeping = await delivered(name, 2);
    const { stores } = sweeping.installation;
    await edit(maps.ref(name, 0), version("2"));
    await desire(stores, anEngineApplication(name, ""), maps.of(name, { to: 2, version: 1 }));
    const { healing, drifted } = await sweeping.sweep();
    assert.deepEqual({ healing, drifted }, { healing: [], drifted: 1 });
  });
});

const gone: Answer = {
  status: 410,
  contentType: "application/json",
  body: '{"kind":"Status","reason":"Expired","message":"The provided continue parameter is too old"}',
};
const forbidden: Answer = {
  status: 403,
  contentType: "application/json",
  body: '{"kind":"Status","reason":"Forbidden","message":"configmaps is forbidden"}',
};
