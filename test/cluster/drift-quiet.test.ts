import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { mapConcurrently } from "../../lib/cluster/concurrency.ts";
import type { HttpRequest } from "../../lib/cluster/exchange.ts";
import type { SweepReport } from "../../lib/model/drift.ts";
import { type Manifest, refOf, resourceKey } from "../../lib/model/resource.ts";
import { aName } from "../apply/open.ts";
import { callApi } from "../control-plane/api.ts";
import { until } from "../control-plane/until.ts";
import { anEngineApplication, desire } from "../engine/desire.ts";
import { createExecution } from "../engine/execution.ts";
import { type Api, openApi } from "../engine/installation.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { openSweeping, type Sweeping } from "../sync/sweep/sweeping.ts";
import {
  aBinding,
  aBudget,
  aCronJob,
  aNetworkPolicy,
  anAutoscaler,
  aQuota,
  aRole,
  aSecret,
  aService,
  aSettings,
  aTextSecret,
  aWidget,
  theWidgetKind,
} from "./mutations/objects.ts";

const sweeps = 100;
/** Kinds that no controller of the cluster writes to. */
const still = new Set(["ConfigMap", "Secret", "Role", "RoleBinding", "NetworkPolicy", "Service"]);

describe("100 sweeps over 300 objects of which nobody changes what Git states", () => {
  const name = aName("quiet");
  const reports: SweepReport[] = [];
  const asked: HttpRequest[] = [];
  let api: Api;
  let sweeping: Sweeping;
  let objects: readonly Manifest[];
  let begun: Live;
  let ended: Live;
  let endWidgets = (): Promise<unknown> => Promise.resolve();

  before(async () => {
    api = await openApi();
    const { outside } = api;
    const namespace = await testNamespace("quiet");
    const group = `${aName("t")}.driftless.example`;
    const kind = await outside.apply(theWidgetKind(group), { force: true });
    endWidgets = () => outside.delete(refOf(kind), { uid: kind.metadata.uid ?? "" });
    await until(() => outside.resourceType({ group, version: "v1", kind: "Widget" }, { fresh: true }), { what: "the new kind" });
    objects = mixed(namespace, group);
    sweeping = await openSweeping(api);
    const { stores, clock, work } = sweeping.installation;
    const sleep = async () => clock.advance(0.5);
    const batch = await desire(stores, anEngineApplication(name, ""), objects);
    await work(batch, createExecution({ id: randomUUID(), clock, pause: 250, sleep }));
    const { lastSync } = (await stores.applications.get(name)) ?? {};
    assert.deepEqual([lastSync?.phase, lastSync?.errors, lastSync?.counts.created], ["Succeeded", [], 300]);
    await until(async () => (await replicasOf(kindOf("Deployment", "scaled"))).every((count) => count === 2), {
      what: "the autoscalers' minimum",
      withinMs: 30_000,
    });
  });
  after(async () => {
    await endWidgets();
    api.transport.close();
  });

  const kindOf = (kind: string, prefix = "") =>
    objects.filter((object) => object.kind === kind && object.metadata.name.startsWith(prefix));
  async function liveOf(all: readonly Manifest[]): Promise<Live> {
    const found = await mapConcurrently(all, { limit: 8, work: (object) => api.outside.get(refOf(object)) });
    return new Map(found.flatMap((object) => (object === undefined ? [] : [[resourceKey(refOf(object)), object] as const])));
  }
  const replicasOf = async (all: readonly Manifest[]) =>
    [...(await liveOf(all)).values()].map(({ spec }) => (spec as { readonly replicas: number }).replicas);

  /** What an operator does all the time: the status of each Widget, in turn. */
  async function writeStatus(round: number): Promise<void> {
    const widgets = kindOf("Widget");
    await Promise.all(
      [0, 1, 2].map(async (at) => {
        const widget = widgets[(round * 3 + at) % widgets.length];
        assert.ok(widget);
        await patch(widget, "status", { status: { observed: round } }, "widget-operator/1.0");
      }),
    );
  }
  /** What autoscalers do now and then, within their bounds. */
  async function scale(replicas: number): Promise<void> {
    for (const deployment of kindOf("Deployment", "scaled")) {
      await patch(deployment, "scale", { spec: { replicas } }, "kube-controller-manager/v1.35.0");
    }
  }

  test("find no row, heal nothing, and skip nothing", { timeout: 120_000 }, async () => {
    begun = await liveOf(objects);
    for (let at = 0; at < sweeps; at++) {
      await writeStatus(at);
      if (at === sweeps / 2) await scale(3);
      reports.push(await sweeping.sweep());
      asked.push(...sweeping.requests());
    }
    ended = await liveOf(objects);
    const { items } = await sweeping.installation.stores.drift.list({ application: name, limit: 100 });
    assert.deepEqual([items, sweeping.started()], [[], []]);
    for (const { objects: seen, drifted, healing, errors, skipped } of reports) {
      assert.deepEqual(
        { seen, drifted, healing, errors, skipped },
        { seen: 300, drifted: 0, healing: [], errors: [], skipped: [] },
      );
    }
  });

  test("write nothing: every version is the one it was, but for what controllers wrote", () => {
    const isRead = ({ method, path }: HttpRequest) => method === "GET" || path.includes("dryRun=All");
    assert.deepEqual(
      asked.filter((request) => !isRead(request)),
      [],
    );
    for (const object of objects.filter(({ kind }) => still.has(kind))) {
      const key = resourceKey(refOf(object));
      assert.equal(ended.get(key)?.metadata.resourceVersion, begun.get(key)?.metadata.resourceVersion, key);
    }
    for (const [key, { metadata }] of begun) {
      const ours = (of: Manifest["metadata"] | undefined) => of?.managedFields?.find(({ manager }) => manager === "driftless");
      assert.deepEqual([ended.get(key)?.metadata.uid, ours(ended.get(key)?.metadata)], [metadata.uid, ours(metadata)], key);
    }
  });

  test("cost at most two requests for each kind and page, and a dry run only for what was scaled since", () => {
    const scaled = kindOf("Deployment", "scaled").length;
    assert.deepEqual(
      reports.flatMap(({ dryRuns }, at) => (dryRuns === 0 || at === 0 ? [] : [[at, dryRuns]])),
      [[sweeps / 2, scaled]],
    );
    for (const { requests, kinds, pages, dryRuns } of reports) {
      assert.ok(requests - dryRuns <= 2 * Math.max(kinds, pages), `${requests} requests, ${kinds} kinds, ${pages} pages`);
    }
    const quiet = reports.filter(({ dryRuns }) => dryRuns === 0);
    assert.equal(new Set(quiet.map(({ requests }) => requests)).size, 1);
  });
});

type Live = ReadonlyMap<string, Manifest>;

/** As cluster-admin under another client's name. */
async function patch(object: Manifest, subresource: string, body: object, userAgent: string): Promise<void> {
  const { tokens, ...access } = await sharedControlPlane();
  const { kind, metadata, apiVersion } = object;
  const path = `/apis/${apiVersion}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s/${metadata.name}/${subresource}`;
  const call = { method: "PATCH", body, contentType: "application/merge-patch+json", userAgent };
  const { status, text } = await callApi({ ...access, token: tokens.admin }, path, call);
  assert.equal(status, 200, text);
}

/** 300 objects: workloads whose pods run, what lies around them, and kinds of somebody's own. */
function mixed(namespace: string, group: string): readonly Manifest[] {
  const some = (count: number, prefix: string, make: (place: { name: string; namespace: string; group: string }) => Manifest) =>
    Array.from({ length: count }, (_, at) => make({ name: `${prefix}-${at}`, namespace, group }));
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: `${namespace}-own`, labels: { team: "shop" } } },
    ...some(20, "web", aRunning),
    ...some(4, "scaled", aScaled),
    ...some(4, "scaled", anAutoscaledBounds),
    ...some(30, "svc", aService),
    ...some(80, "settings", aSettings),
    ...some(30, "secret", aSecret),
    ...some(10, "text", aTextSecret),
    ...some(20, "role", aRole),
    ...some(20, "binding", aBinding),
    ...some(10, "once", aQuickJob),
    ...some(10, "cron", aCronJob),
    ...some(15, "policy", aNetworkPolicy),
    ...some(15, "budget", aBudget),
    ...some(1, "quota", aQuota),
    ...some(30, "widget", aWidget),
  ];
}

type At = { readonly name: string; readonly namespace: string };

/** With everything that the server writes in another way than Git does. */
function aRunning({ name, namespace }: At): Manifest {
  const resources = { limits: { cpu: "1000m", memory: "0.5Gi" }, requests: { cpu: "0.1" } };
  const containers = [{ name: "web", image: "registry.example/web:1.0", ports: [{ containerPort: 8080 }], resources }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers } },
    },
  };
}

/** Replicas are its autoscaler's. */
function aScaled(at: At): Manifest {
  const { spec, ...rest } = aRunning(at) as Manifest & { readonly spec: { readonly [key: string]: string } };
  const { replicas: _, ...unscaled } = spec;
  return { ...rest, spec: unscaled };
}

function anAutoscaledBounds({ name, namespace }: At): Manifest {
  const { spec, ...rest } = anAutoscaler({ name, namespace, group: "" }) as Manifest & { readonly spec: object };
  return { ...rest, spec: { ...spec, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name } } };
}

function aQuickJob({ name, namespace }: At): Manifest {
  const containers = [{ name: "once", image: "registry.example/once:1.0" }];
  const metadata = { name, namespace };
  return { apiVersion: "batch/v1", kind: "Job", metadata, spec: { template: { spec: { restartPolicy: "Never", containers } } } };
}
