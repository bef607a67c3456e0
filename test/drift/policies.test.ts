import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { listLive } from "../../lib/apply/live.ts";
import { type Detected, detectDrift } from "../../lib/drift/detect.ts";
import type { Application, IgnoreDifference } from "../../lib/model/application.ts";
import { gvkOf, type Manifest, type ResourceRef, refOf, resourceKey } from "../../lib/model/resource.ts";
import type { SyncBatch, SyncRecord } from "../../lib/model/sync.ts";
import { aName, openCluster, prepared } from "../apply/open.ts";
import { anEngineApplication, batchOf, desire } from "../engine/desire.ts";
import { aClock } from "../engine/execution.ts";
import { openApi, openInstallation } from "../engine/installation.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";

type Policies = Partial<Pick<Application, "drift" | "additions" | "ignoreDifferences" | "sync">>;

const rule = (rest: Partial<IgnoreDifference>): IgnoreDifference => ({
  group: "apps",
  kind: "Deployment",
  name: "",
  namespace: "",
  jsonPointers: [],
  jqPathExpressions: [],
  managedFieldsManagers: [],
  ...rest,
});
const replicas = [rule({ jsonPointers: ["/spec/replicas"] })];

/** An application on the real API server, synced by the engine, and what other people do to it. */
async function anApplication(t: TestContext, policies: Policies, make: (namespace: string) => readonly Manifest[]) {
  const { call, writer } = await openCluster(t);
  const api = await openApi();
  t.after(() => api.transport.close());
  const namespace = await testNamespace("policies");
  const name = aName("policies");
  const { stores, sync } = await openInstallation({ api, clock: aClock() });
  let definition = anEngineApplication(name, namespace, policies);
  let objects = make(namespace);
  let runs = 0;

  const run = async (batch: SyncBatch): Promise<SyncRecord> => {
    await sync(batch, `${name}-${++runs}`);
    const record = (await stores.applications.get(name))?.lastSync;
    assert.ok(record);
    return record;
  };
  const push = async (next: readonly Manifest[] = objects, change: Policies = {}): Promise<SyncRecord> => {
    objects = next;
    definition = { ...definition, ...change };
    return run(await desire(stores, definition, objects));
  };
  const first = await push();
  assert.deepEqual([first.phase, first.errors], ["Succeeded", []]);

  const detect = async (): Promise<Detected> => {
    const entries = (await stores.inventories.load(name))?.entries ?? [];
    const { live } = await listLive({ reader: writer, kinds: objects.map(gvkOf), applications: [name] });
    const desired = new Map(
      (await prepared(writer, { application: name, objects, namespace })).map(({ ref, manifest }) => [
        resourceKey(ref),
        manifest,
      ]),
    );
    return detectDrift({
      reader: writer,
      application: name,
      cluster: "eu",
      policies: definition,
      entries,
      live,
      now: new Date().toISOString(),
      desired: (ref) => Promise.resolve(desired.get(resourceKey(ref))),
    });
  };
  const heal = async (): Promise<SyncRecord> => {
    const state = await stores.applications.get(name);
    assert.ok(state);
    return run(batchOf(state, "heal"));
  };
  const pathOf = (kind: string, object: string) =>
    `${kind === "ConfigMap" ? "/api/v1" : "/apis/apps/v1"}/namespaces/${namespace}/${kind.toLowerCase()}s/${object}`;
  const patch = async (target: string, manager: string, body: object, subresource = ""): Promise<void> => {
    const [kind = "", object = ""] = target.split("/");
    const options = { contentType: "application/merge-patch+json", body };
    const { status, text } = await call("PATCH", `${pathOf(kind, object)}${subresource}?fieldManager=${manager}`, options);
    assert.equal(status, 200, text);
  };
  const read = async (kind: "ConfigMap" | "Deployment", object: string): Promise<Manifest> => {
    const group = kind === "ConfigMap" ? "" : "apps";
    const live = await writer.get({ group, version: "v1", kind, namespace, name: object });
    assert.ok(live);
    return live;
  };
  return { call, writer, stores, namespace, name, push, heal, detect, patch, read, pathOf };
}

const fields = ({ rows }: Detected) => rows.map(({ kind, ref, field }) => `${kind} ${ref.name} ${field}`);
const names = (refs: readonly ResourceRef[]) => refs.map(({ name }) => name);
const specOf = (object: Manifest) =>
  object["spec"] as { replicas: number; template: { spec: { containers: { image: string }[] } } };
const annotated = (object: Manifest, annotations: Readonly<Record<string, string>>): Manifest => ({
  ...object,
  metadata: { ...object.metadata, annotations },
});

test("replicas that Git states and somebody scales are drift, unless they are ignored", async (t) => {
  const { detect, patch, push } = await anApplication(t, {}, (at) => [aDeployment(at, "web", { replicas: 2 })]);
  await patch("Deployment/web", "kube-controller-manager", { spec: { replicas: 5 } }, "/scale");
  assert.deepEqual(fields(await detect()), ["changed web spec.replicas"]);
  await push(undefined, { ignoreDifferences: replicas });
  await patch("Deployment/web", "kube-controller-manager", { spec: { replicas: 4 } }, "/scale");
  assert.deepEqual(fields(await detect()), []);
});

test("replicas that Git does not state are nobody's drift when an autoscaler sets them", async (t) => {
  const { detect, patch } = await anApplication(t, { additions: "drift" }, (at) => {
    const { spec, ...rest } = aDeployment(at, "web");
    const { replicas: _, ...unscaled } = spec as { replicas: number };
    return [{ ...rest, spec: unscaled }];
  });
  await patch("Deployment/web", "kube-controller-manager", { spec: { replicas: 5 } }, "/scale");
  assert.deepEqual(fields(await detect()), []);
});

test("ignored replicas keep their live value when a push changes the image, and a new object gets Git's", async (t) => {
  const { push, patch, read, detect } = await anApplication(t, { ignoreDifferences: replicas }, (at) => [
    aDeployment(at, "web", { replicas: 2 }),
  ]);
  assert.equal(specOf(await read("Deployment", "web")).replicas, 2);
  await patch("Deployment/web", "kube-controller-manager", { spec: { replicas: 5 } }, "/scale");
  const found = await detect();
  assert.deepEqual([fields(found), names(found.takeBack), names(found.heals), names(found.cleared)], [[], [], [], ["web"]]);
  const { namespace } = (await read("Deployment", "web")).metadata;
  const next = aDeployment(namespace ?? "", "web", { replicas: 2, image: "registry.example/web:2.0" });
  const record = await push([next]);
  assert.deepEqual([record.phase, record.counts.configured], ["Succeeded", 1]);
  const spec = specOf(await read("Deployment", "web"));
  assert.deepEqual([spec.replicas, spec.template.spec.containers[0]?.image], [5, "registry.example/web:2.0"]);
  assert.deepEqual(fields(await detect()), []);
  const again = await push([next]);
  assert.deepEqual([again.counts.configured, again.counts.unchanged], [0, 1]);
});

test("replicas leave Git in the same push that ignores them, and stay as they are", async (t) => {
  const { push, read } = await anApplication(t, {}, (at) => [aDeployment(at, "web", { replicas: 3 })]);
  const { namespace = "" } = (await read("Deployment", "web")).metadata;
  const { spec, ...rest } = aDeployment(namespace, "web");
  const { replicas: _, ...unscaled } = spec as { replicas: number };
  await push([{ ...rest, spec: unscaled }], { ignoreDifferences: replicas });
  assert.equal(specOf(await read("Deployment", "web")).replicas, 3);
});

test("an ignored value that we alone own keeps its live value, and one that is gone stays away", async (t) => {
  const rules = [rule({ group: "", kind: "ConfigMap", jsonPointers: ["/data/mine", "/data/gone"] })];
  const { push, patch, read, detect } = await anApplication(t, { ignoreDifferences: rules }, (at) => [
    aConfigMap(at, "a", { mine: "1", gone: "1", other: "1" }),
  ]);
  await patch("ConfigMap/a", "kubectl-edit", { data: { gone: null } });
  const { namespace = "" } = (await read("ConfigMap", "a")).metadata;
  await push([aConfigMap(namespace, "a", { mine: "2", gone: "2", other: "2" })]);
  assert.deepEqual((await read("ConfigMap", "a"))["data"], { mine: "1", other: "2" });
  assert.deepEqual(fields(await detect()), []);
});

test("a field of one container is ignored by jq, and the same field of another is not", async (t) => {
  const expression = '.spec.template.spec.containers[] | select(.name == "proxy") | .image';
  const { detect, call, pathOf } = await anApplication(
    t,
    { ignoreDifferences: [rule({ kind: "Deploy*", jqPathExpressions: [expression] })] },
    (at) => {
      const web = aDeployment(at, "web");
      const containers = ["web", "proxy"].map((name) => ({ name, image: `registry.example/${name}:1` }));
      const spec = web["spec"] as { selector: object; template: { metadata: object } };
      return [{ ...web, spec: { ...spec, template: { ...spec.template, spec: { containers } } } } as Manifest];
    },
  );
  const edit = (name: string) =>
    call("PATCH", `${pathOf("Deployment", "web")}?fieldManager=kubectl-edit`, {
      contentType: "application/strategic-merge-patch+json",
      body: { spec: { template: { spec: { containers: [{ name, image: `registry.example/${name}:2` }] } } } },
    });
  await edit("proxy");
  assert.deepEqual(fields(await detect()), []);
  await edit("web");
  assert.deepEqual(fields(await detect()), ['changed web spec.template.spec.containers[name="web"].image']);
});

test("what an ignored manager alone owns is neither drift nor addition, and what others own is", async (t) => {
  const rules = [rule({ group: "*", kind: "*", managedFieldsManagers: ["injector"] })];
  const { detect, patch, push, read } = await anApplication(t, { ignoreDifferences: rules, additions: "drift" }, (at) => [
    aConfigMap(at, "a", { key: "1", more: "1" }),
  ]);
  await patch("ConfigMap/a", "injector", { data: { key: "2", theirs: "x" } });
  assert.deepEqual(fields(await detect()), []);
  const { namespace = "" } = (await read("ConfigMap", "a")).metadata;
  await push([aConfigMap(namespace, "a", { key: "3", more: "2" })]);
  assert.deepEqual((await read("ConfigMap", "a"))["data"], { key: "2", more: "2", theirs: "x" });
  await patch("ConfigMap/a", "kubectl-edit", { data: { more: "9" } });
  assert.deepEqual(fields(await detect()), ["changed a data.more"]);
});

test("quantities that say the same and fields that have defaults are no drift", async (t) => {
  const { detect, patch } = await anApplication(t, {}, (at) => {
    const web = aDeployment(at, "web");
    const spec = web["spec"] as { template: { spec: { containers: object[] } } };
    const resources = { requests: { cpu: "1000m", memory: "1024Mi" }, limits: { cpu: 1 } };
    const ports = [{ containerPort: 80 }];
    const containers = spec.template.spec.containers.map((one) => ({ ...one, resources, ports }));
    return [{ ...web, spec: { ...spec, template: { ...spec.template, spec: { containers } } } }];
  });
  await patch("Deployment/web", "someone", { metadata: { annotations: { "someone.example/note": "x" } } });
  assert.deepEqual(fields(await detect()), ['addition web metadata.annotations["someone.example/note"]']);
});

test("G8 additions that count as drift are removed by a heal: by kubectl label, edit and client-side apply", async (t) => {
  const { detect, patch, heal, read, stores, name } = await anApplication(t, { additions: "drift" }, (at) => [
    aConfigMap(at, "a", { key: "1" }),
    aConfigMap(at, "b", { key: "1" }),
  ]);
  await patch("ConfigMap/a", "kubectl-label", { metadata: { labels: { team: "x" } } });
  await patch("ConfigMap/a", "kubectl-edit", { data: { theirs: "x" } });
  const lastApplied = { "kubectl.kubernetes.io/last-applied-configuration": "{}" };
  await patch("ConfigMap/b", "kubectl-client-side-apply", { metadata: { annotations: lastApplied }, data: { left: "x" } });
  const found = await detect();
  assert.deepEqual(fields(found), [
    "addition a data.theirs",
    "addition a metadata.labels.team",
    "addition b data.left",
    'addition b metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
  ]);
  assert.deepEqual([names(found.heals), names(found.strict), names(found.takeBack)], [["a", "b"], ["a", "b"], []]);
  const record = await heal();
  assert.deepEqual(record.notes.toSorted(), [
    `ConfigMap ${(await read("ConfigMap", "a")).metadata.namespace}/a: removed data.theirs, metadata.labels.team, added by kubectl-edit and kubectl-label`,
    `ConfigMap ${(await read("ConfigMap", "b")).metadata.namespace}/b: removed data.left, metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"], added by kubectl-client-side-apply`,
  ]);
  const [a, b] = [await read("ConfigMap", "a"), await read("ConfigMap", "b")];
  assert.deepEqual(
    [a["data"], a.metadata.labels, b["data"], b.metadata.annotations],
    [{ key: "1" }, { "driftless.dev/application": name }, { key: "1" }, undefined],
  );
  assert.deepEqual(fields(await detect()), []);
  assert.equal((await heal()).counts.configured, 0);
  assert.equal((await stores.inventories.load(name))?.entries.length, 2);
});

test("additions that are ignored are not told of, those of one object can be drift, and finalizers stay", async (t) => {
  const { detect, patch, heal, read } = await anApplication(t, { additions: "ignore" }, (at) => [
    aConfigMap(at, "a"),
    annotated(aConfigMap(at, "b"), { "driftless.dev/additions": "drift" }),
  ]);
  await patch("ConfigMap/a", "kubectl-edit", { data: { theirs: "x" } });
  await patch("ConfigMap/b", "kubectl-edit", { data: { theirs: "x" }, metadata: { finalizers: ["example.com/held"] } });
  const found = await detect();
  assert.deepEqual(
    [fields(found), names(found.heals)],
    [["addition b data.theirs", 'addition b metadata.finalizers[="example.com/held"]'], ["b"]],
  );
  await heal();
  const [a, b] = [await read("ConfigMap", "a"), await read("ConfigMap", "b")];
  assert.deepEqual(
    [a["data"], b["data"], b.metadata.finalizers],
    [{ key: "1", theirs: "x" }, { key: "1" }, ["example.com/held"]],
  );
  assert.deepEqual(names((await detect()).heals), []);
  await patch("ConfigMap/b", "kubectl-edit", { metadata: { finalizers: null } });
});

test("an addition that cannot be removed stays theirs, so that later syncs get through", async (t) => {
  const { patch, heal, push, read, writer } = await anApplication(t, { additions: "drift" }, (at) => [aConfigMap(at, "a")]);
  await patch("ConfigMap/a", "kubectl-edit", { immutable: true });
  assert.equal((await heal()).phase, "Failed");
  const live = await read("ConfigMap", "a");
  const manager = live.metadata.managedFields?.find(({ manager: name }) => name === "kubectl-edit");
  assert.deepEqual(manager?.fieldsV1, { "f:immutable": {} });
  const { namespace = "" } = live.metadata;
  const labelled = { ...aConfigMap(namespace, "a"), metadata: { name: "a", namespace, labels: { tier: "x" } } };
  await push([labelled], { additions: "report" });
  assert.equal((await writer.get(refOf(labelled)))?.metadata.labels?.["tier"], "x");
});

test("an object that is only reported stays as it was edited while its sibling is healed", async (t) => {
  const { detect, patch, heal, read, call, pathOf } = await anApplication(t, {}, (at) => [
    aConfigMap(at, "healed"),
    annotated(aConfigMap(at, "reported"), { "driftless.dev/drift": "report" }),
    annotated(aConfigMap(at, "gone"), { "driftless.dev/drift": "report" }),
    annotated(aConfigMap(at, "ignored"), { "driftless.dev/drift": "ignore" }),
  ]);
  for (const name of ["healed", "reported", "ignored"]) await patch(`ConfigMap/${name}`, "kubectl-edit", { data: { key: "9" } });
  await call("DELETE", pathOf("ConfigMap", "gone"));
  const found = await detect();
  assert.deepEqual(fields(found).toSorted(), ["changed healed data.key", "changed reported data.key", "missing gone "]);
  assert.deepEqual(names(found.heals), ["healed"]);
  assert.deepEqual((await heal()).counts.configured, 1);
  const keys = await Promise.all(
    ["healed", "reported", "ignored"].map(async (name) => (await read("ConfigMap", name))["data"] as { key: string }),
  );
  assert.deepEqual(
    keys.map(({ key }) => key),
    ["1", "9", "9"],
  );
  assert.equal((await call("GET", pathOf("ConfigMap", "gone"))).status, 404);
  assert.deepEqual(fields(await detect()).toSorted(), ["changed reported data.key", "missing gone "]);
});

test("an annotation in the cluster says nothing about drift, and a wrong word in Git is noted", async (t) => {
  const { detect, patch, push, read } = await anApplication(t, {}, (at) => [aConfigMap(at, "a")]);
  await patch("ConfigMap/a", "kubectl-annotate", {
    metadata: { annotations: { "driftless.dev/drift": "ignore" } },
    data: { key: "2" },
  });
  assert.deepEqual(names((await detect()).heals), ["a"]);
  const { namespace = "" } = (await read("ConfigMap", "a")).metadata;
  const record = await push([annotated(aConfigMap(namespace, "a"), { "driftless.dev/drift": "repair" })]);
  assert.deepEqual(
    record.notes.filter((note) => note.includes("has no meaning")),
    [
      `ConfigMap ${namespace}/a: annotation driftless.dev/drift: "repair" has no meaning, so it is left out; write heal, report, prevent or ignore`,
    ],
  );
});

test("an object that is shared by its annotation is reported, and left to who took it", async (t) => {
  const shared = { "kustomize.toolkit.fluxcd.io/ssa": "Merge" };
  const { detect, patch, heal, read } = await anApplication(t, { additions: "drift" }, (at) => [
    annotated(aConfigMap(at, "a"), shared),
    aConfigMap(at, "b"),
  ]);
  await patch("ConfigMap/a", "kubectl-edit", { data: { key: "2", theirs: "x" } });
  await patch("ConfigMap/b", "kubectl-edit", { data: { key: "2" } });
  const found = await detect();
  assert.deepEqual(
    [fields(found), names(found.heals)],
    [["changed a data.key", "addition a data.theirs", "changed b data.key"], ["b"]],
  );
  const { phase } = await heal();
  assert.deepEqual([phase, (await read("ConfigMap", "a"))["data"]], ["Succeeded", { key: "2", theirs: "x" }]);
});

test("objects that Flux's words leave to others neither drift nor gain", async (t) => {
  const words = { "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent" };
  const { detect, patch, heal, read } = await anApplication(t, { additions: "drift" }, (at) => [
    annotated(aConfigMap(at, "a"), words),
    aConfigMap(at, "b"),
  ]);
  await patch("ConfigMap/a", "kubectl-edit", { data: { key: "2", theirs: "x" } });
  await patch("ConfigMap/b", "kubectl-edit", {
    metadata: { annotations: { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" } },
    data: { theirs: "x" },
  });
  const found = await detect();
  assert.deepEqual([fields(found), names(found.heals)], [[], []]);
  await heal();
  assert.deepEqual((await read("ConfigMap", "a"))["data"], { key: "2", theirs: "x" });
  assert.deepEqual((await read("ConfigMap", "b"))["data"], { key: "1", theirs: "x" });
});

test("a field in a fight keeps its live value in a heal, and the others are healed", async (t) => {
  const { detect, patch, heal, read, stores } = await anApplication(t, {}, (at) => [aConfigMap(at, "a", { one: "1", two: "1" })]);
  await patch("ConfigMap/a", "other", { data: { one: "2", two: "2" } });
  const { rows } = await detect();
  for (const row of rows) {
    await stores.drift.record(
      row.field === "data.one" ? { ...row, fight: { managers: ["driftless", "other"], reverts: 4 } } : row,
    );
  }
  await heal();
  assert.deepEqual((await read("ConfigMap", "a"))["data"], { one: "2", two: "1" });
  assert.deepEqual(fields(await detect()), ["changed a data.one"]);
});

test("a rule that looks at values is looked at again whenever the object moves", async (t) => {
  const rules = [rule({ group: "", kind: "ConfigMap", jqPathExpressions: ['.data | select(.mode == "theirs") | .key'] })];
  const { detect, patch } = await anApplication(t, { ignoreDifferences: rules }, (at) => [aConfigMap(at, "a", { key: "1" })]);
  await patch("ConfigMap/a", "other", { data: { mode: "theirs", key: "2" } });
  const found = await detect();
  assert.deepEqual([fields(found), names(found.heals)], [["addition a data.mode"], []]);
  await patch("ConfigMap/a", "other", { data: { mode: "ours" } });
  assert.deepEqual(fields(await detect()), ["changed a data.key", "addition a data.mode"]);
});
