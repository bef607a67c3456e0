import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import type { InventoryEntry } from "../../lib/model/inventory.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { isSuspect } from "../../lib/ownership/suspect.ts";
import { until } from "../control-plane/until.ts";
import { sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { startHelmCli } from "../support/helm-cli.ts";
import { aConfigMap, aDeployment, aNamespace } from "../support/objects.ts";
import { aName, applied, openCluster } from "./open.ts";

const execute = promisify(execFile);

/** Runs the real kubectl on a file that holds the objects. */
async function kubectl(t: TestContext, args: readonly string[], objects: readonly Manifest[]): Promise<void> {
  const controlPlane = await sharedControlPlane();
  const folder = await mkdtemp(join(tmpdir(), "driftless-adopt-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "objects.json");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await execute(controlPlane.kubectl, ["--kubeconfig", controlPlane.kubeconfig, ...args, "-f", file], { env: { HOME: folder } });
}

/** A Deployment with most of what people write, and a Service, a ConfigMap and a claim beside it. */
function aShop(namespace: string): readonly Manifest[] {
  const web = aDeployment(namespace, "web", { replicas: 2 });
  const spec = web["spec"] as { readonly template: { readonly spec: object } };
  const container = {
    name: "web",
    image: "registry.example/web:1.0",
    env: [{ name: "LEVEL", value: "info" }],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { path: "/", port: 8080 } },
    volumeMounts: [{ name: "settings", mountPath: "/etc/web" }],
  };
  const pod = { containers: [container], volumes: [{ name: "settings", configMap: { name: "settings" } }] };
  const claim = { accessModes: ["ReadWriteOnce"], storageClassName: "", resources: { requests: { storage: "1Gi" } } };
  return [
    aConfigMap(namespace, "settings", { level: "info", size: "1" }),
    { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "files", namespace }, spec: claim },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace, labels: { app: "web" } },
      spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    { ...web, spec: { ...spec, template: { ...spec.template, spec: pod } } },
  ];
}

/** By what deployers know their objects again: it goes with their ownership, and moves the generation of a Deployment. */
const mark = /^(argocd\.|kustomize\.toolkit|kubectl\.|meta\.helm|app\.kubernetes\.io\/managed-by|driftless\.)/;

/** Everything of an object but who owns what of it. */
function withoutMarks({ metadata, status: _status, ...object }: Manifest): object {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, annotations, labels, ...rest } = metadata;
  const plain = (marks: Readonly<Record<string, string>> = {}) => Object.entries(marks).filter(([name]) => !mark.test(name));
  return { ...object, metadata: { ...rest, labels: plain(labels), annotations: plain(annotations) } };
}

const ownersOf = (object: Manifest | undefined): readonly string[] =>
  (object?.metadata.managedFields ?? [])
    .filter(({ subresource, manager }) => subresource === undefined && manager !== "kube-controller-manager")
    .map(({ manager, operation }) => `${manager} ${operation}`)
    .toSorted();

interface Deployer {
  readonly name: string;
  /** As the note names it. */
  readonly told: RegExp;
  readonly deploy: (t: TestContext, objects: readonly Manifest[], namespace: string) => Promise<void>;
}

/** As a controller writes that is not at hand here: under its name, with its marks. */
function asController(
  manager: string,
  {
    operation,
    mark,
  }: { readonly operation: "Apply" | "Update"; readonly mark: Pick<Manifest["metadata"], "labels" | "annotations"> },
) {
  return async (t: TestContext, objects: readonly Manifest[]): Promise<void> => {
    const { writer, call } = await openCluster(t);
    for (const object of objects) {
      const type = await writer.resourceType(refOf(object));
      const root = object.apiVersion === "v1" ? "/api/v1" : `/apis/${object.apiVersion}`;
      const collection = `${root}/namespaces/${object.metadata.namespace}/${type?.resource}`;
      const { labels = {}, annotations = {} } = object.metadata;
      const marks = { labels: { ...labels, ...mark.labels }, annotations: { ...annotations, ...mark.annotations } };
      const body = { ...object, metadata: { ...object.metadata, ...marks } };
      const { status, text } =
        operation === "Update"
          ? await call("POST", `${collection}?fieldManager=${manager}`, { body })
          : await call("PATCH", `${collection}/${object.metadata.name}?fieldManager=${manager}&force=true`, {
              body,
              contentType: "application/apply-patch+yaml",
            });
      assert.equal(status, 201, text);
    }
  };
}

const deployers: readonly Deployer[] = [
  { name: "kubectl apply", told: /from kubectl-client-side-apply$/, deploy: (t, objects) => kubectl(t, ["apply"], objects) },
  { name: "kubectl create", told: /from kubectl-create$/, deploy: (t, objects) => kubectl(t, ["create"], objects) },
  {
    name: "kubectl apply --server-side",
    told: /from kubectl$/,
    deploy: (t, objects) => kubectl(t, ["apply", "--server-side"], objects),
  },
  ...[true, false].map((serverSide) => ({
    name: `helm install ${serverSide ? "on the server's side" : "as Helm 3 does"}`,
    told: /from helm \(Helm release shop\)$/,
    deploy: async (t: TestContext, objects: readonly Manifest[], namespace: string) => {
      const helm = await startHelmCli();
      t.after(() => helm.close());
      const files = objects.map((object, index) => [`chart/templates/${index}.yaml`, JSON.stringify(object)]);
      const chart = await helm.write({
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        ...Object.fromEntries(files),
      });
      const { kubeconfig } = await sharedControlPlane();
      const target = ["--kubeconfig", kubeconfig, "--namespace", namespace, `--server-side=${serverSide}`];
      await helm.run(["install", "shop", "chart", ...target], chart);
    },
  })),
  {
    name: "Argo CD",
    told: /from argocd-controller \(Argo CD application shop\); take it out there/,
    deploy: asController("argocd-controller", {
      operation: "Update",
      mark: { annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web" } },
    }),
  },
  {
    name: "Flux",
    told: /from kustomize-controller \(Flux Kustomization flux-system\/shop\); take it out there/,
    deploy: asController("kustomize-controller", {
      operation: "Apply",
      mark: {
        labels: {
          "kustomize.toolkit.fluxcd.io/name": "shop",
          "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        },
      },
    }),
  },
];

for (const { name, told, deploy } of deployers) {
  test(`what ${name} made is adopted: only its owner changes, and a field that goes from the repository later goes`, async (t) => {
    const { writer } = await openCluster(t);
    const namespace = await testNamespace("adopt");
    const application = aName("adopt");
    const objects = aShop(namespace);
    await deploy(t, objects, namespace);
    const read = async () => (await Promise.all(objects.map((object) => writer.get(refOf(object))))) as readonly Manifest[];
    await until(async () => (await read()).every(isSettled), { what: "the controllers to be done" });
    const before = await read();

    const results = await applied(writer, { application, objects, force: "never" });
    assert.deepEqual(
      results.map(({ change }) => change.action),
      ["configured", "configured", "configured", "configured"],
    );
    for (const { notes } of results) assert.match(notes.join("\n"), told);
    const after = await read();
    for (const [index, object] of after.entries()) {
      assert.deepEqual(ownersOf(object), ["driftless Apply"]);
      assert.deepEqual(withoutMarks(object), withoutMarks(before[index] as Manifest));
      const moves = name === "Argo CD" && object.kind === "Deployment";
      assert.equal(object.metadata.generation, moves ? 2 : before[index]?.metadata.generation);
    }
    const entries = results.flatMap(({ entry }) => (entry ? [entry] : []));
    assert.deepEqual(
      after.map((object, index) => isSuspect(entries[index] as InventoryEntry, object.metadata)),
      [false, false, false, false],
    );

    const [settings, claim, service, web] = objects as [Manifest, Manifest, Manifest, Manifest];
    const smaller = [{ ...settings, data: { level: "info" } }, claim, service, aDeployment(namespace, "web", { replicas: 2 })];
    await applied(writer, { application, objects: smaller });
    assert.deepEqual((await writer.get(refOf(settings)))?.["data"], { level: "info" });
    const live = (await writer.get(refOf(web))) as unknown as { spec: { template: { spec: { containers: object[] } } } };
    const [container = {}] = live.spec.template.spec.containers;
    assert.deepEqual(
      ["env", "ports", "readinessProbe", "volumeMounts", "volumes"].filter((key) => key in container),
      [],
    );
  });
}

/** A claim waits for its volume for ever here; a Deployment is done when its controller has seen it and its pods are ready. */
function isSettled(object: Manifest): boolean {
  const { observedGeneration, readyReplicas } = (object["status"] ?? {}) as Readonly<Record<string, number>>;
  return object.kind !== "Deployment" || (observedGeneration === object.metadata.generation && readyReplicas === 2);
}

test("adoption costs two requests more, once; an object that nobody else deployed costs none", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("adopt");
  const application = aName("adopt");
  await kubectl(t, ["apply"], [aConfigMap(namespace, "theirs")]);
  const costOf = async (object: Manifest) => {
    await writer.resourceType({ group: "", version: "v1", kind: "ConfigMap" });
    const before = writer.requests;
    await applied(writer, { application, objects: [object] });
    return writer.requests - before;
  };
  assert.equal(await costOf(aConfigMap(namespace, "ours")), 2, "a LIST and an apply");
  assert.equal(await costOf(aConfigMap(namespace, "theirs")), 4);
  assert.equal(await costOf(aConfigMap(namespace, "theirs")), 2);
});

test("an adoption that was cut off between its steps is taken up again while the application does not know the object", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("adopt");
  const application = aName("adopt");
  const object = aConfigMap(namespace, "web", { a: "1", b: "2" });
  await kubectl(t, ["apply"], [object]);
  const label = { labels: { "driftless.dev/application": application } };
  await writer.apply({ ...object, metadata: { ...object.metadata, ...label } }, { force: true });
  await applied(writer, { application, objects: [object], isNew: () => true });
  assert.deepEqual(ownersOf(await writer.get(refOf(object))), ["driftless Apply"]);
});

test("what kubectl does to an object that is the application's already is not taken for adoption", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("adopt");
  const application = aName("adopt");
  await applied(writer, { application, objects: [aConfigMap(namespace, "web", { a: "1" })] });
  await kubectl(t, ["apply"], [aConfigMap(namespace, "web", { a: "1", added: "by hand" })]);
  const [result] = await applied(writer, { application, objects: [aConfigMap(namespace, "web", { a: "2" })] });
  assert.equal(result?.change.action, "configured");
  assert.deepEqual((await writer.get(refOf(aConfigMap(namespace, "web"))))?.["data"], { a: "2", added: "by hand" });
});

test("a former deployer's other values are taken over and told, before its share is", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("adopt");
  await kubectl(t, ["apply", "--server-side"], [aConfigMap(namespace, "web", { level: "debug", old: "1" })]);
  const [result] = await applied(writer, {
    application: aName("adopt"),
    objects: [aConfigMap(namespace, "web", { level: "info" })],
  });
  assert.deepEqual(result?.notes, [
    `ConfigMap ${namespace}/web: took over .data.level from kubectl`,
    `ConfigMap ${namespace}/web: adopted from kubectl`,
  ]);
  assert.deepEqual((await writer.get(refOf(aConfigMap(namespace, "web"))))?.["data"], { level: "info" });
});

test("a namespace that somebody else made keeps the labels that nobody states", async (t) => {
  const { writer } = await openCluster(t);
  const name = aName("adopt");
  const labels = { "istio-injection": "enabled" };
  await kubectl(t, ["apply"], [{ ...aNamespace(name), metadata: { name, labels } }]);
  const [result] = await applied(writer, { application: name, objects: [aNamespace(name)] });
  assert.equal(result?.change.action, "configured");
  const live = await writer.get(refOf(aNamespace(name)));
  assert.equal(live?.metadata.labels?.["istio-injection"], "enabled");
  await writer.delete(refOf(aNamespace(name)), { uid: live?.metadata.uid ?? "" });
});

test("what an annotation asks to merge is applied beside its deployer, whose share stays", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("adopt");
  const object = aConfigMap(namespace, "web", { a: "1" });
  await kubectl(t, ["apply"], [{ ...object, data: { a: "1", b: "2" } }]);
  const annotations = { "kustomize.toolkit.fluxcd.io/ssa": "Merge" };
  const merged = { ...object, metadata: { ...object.metadata, annotations } };
  const [result] = await applied(writer, { application: aName("adopt"), objects: [merged] });
  assert.deepEqual([result?.change.action, result?.notes], ["configured", []]);
  const live = await writer.get(refOf(object));
  assert.deepEqual(live?.["data"], { a: "1", b: "2" });
  assert.deepEqual(ownersOf(live), ["driftless Apply", "kubectl-client-side-apply Update"]);
});

test("an object that moves here from another application is told", async (t) => {
  const { writer } = await openCluster(t);
  const namespace = await testNamespace("adopt");
  const [former, application] = [aName("former"), aName("adopt")];
  const objects = [aConfigMap(namespace, "web")];
  await applied(writer, { application: former, objects });
  const [result] = await applied(writer, { application, objects, known: [former, application] });
  assert.deepEqual(result?.notes, [`ConfigMap ${namespace}/web: moved here from application ${former}`]);
});
