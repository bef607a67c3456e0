import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type Journey, startJourney } from "../support/journey.ts";

const chart = {
  "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
  "web/values.yaml": "replicas: 1\nimage: registry.example/web:1.0\n",
  "web/crds/crontab.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: charttabs.chart.example
spec:
  group: chart.example
  names: { kind: ChartTab, plural: charttabs }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`,
  "web/templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: { app: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec:
      containers: [{ name: web, image: {{ .Values.image | quote }} }]
`,
  "web/templates/cluster.yaml": `apiVersion: v1
kind: ConfigMap
metadata: { name: cluster }
data:
  version: {{ .Capabilities.KubeVersion.Version }}
  namespace: {{ .Release.Namespace }}
  charttabs: {{ .Capabilities.APIVersions.Has "chart.example/v1/ChartTab" | quote }}
`,
  "web/templates/tab.yaml":
    "apiVersion: chart.example/v1\nkind: ChartTab\nmetadata: { name: tab }\nspec: { size: 9007199254740993 }\n",
  "web/templates/tests/smoke.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: smoke
  annotations: { helm.sh/hook: test }
spec: { containers: [{ name: smoke, image: registry.example/smoke:1 }] }
`,
};

const configuration = (more = ""): string => `clusters: [{ name: local, context: admin }]
applications:
  - name: chart-web
    cluster: local
    namespace: chart-web
    sync: { createNamespace: true }
    sources:
      - path: web
        helm: { valueFiles: [$env/qa/web.yaml], values: { replicas: 2 }${more} }
      - { targetRevision: env, ref: env }
`;

describe("an application that is a chart", () => {
  let journey: Journey;
  before(async () => {
    journey = await startJourney();
  });
  after(() => journey.close());

  const live = (kind: string, name: string, path: string) => journey.field([kind, "chart-web", name], path);

  test("is rendered for the cluster and synced, its CRD before the custom resource, its test hooks left out", async () => {
    await journey.git("switch", "--quiet", "--orphan", "env");
    await journey.push({ "qa/web.yaml": "image: registry.example/web:1.1\nreplicas: 5\n" }, "env");
    await journey.git("switch", "--quiet", "--orphan", "main");
    const commit = await journey.push({ ...chart, "driftless.yaml": configuration() });
    const sync = await journey.synced("chart-web", commit);
    assert.deepEqual([sync.phase, sync.errors, sync.counts.created], ["Succeeded", [], 5]);
    assert.equal(await live("deployment", "chart-web", ".spec.template.spec.containers[0].image"), "registry.example/web:1.1");
    assert.equal(await live("deployment", "chart-web", ".spec.replicas"), "2");
    assert.equal(await live("charttab", "tab", ".spec.size"), "9007199254740993");
    assert.equal(await live("pod", "smoke", ".metadata.name"), "");
    const version = JSON.parse(await journey.kubectl("version", "-o", "json")) as {
      readonly serverVersion: { readonly gitVersion: string };
    };
    assert.equal(await live("configmap", "cluster", ".data.version"), version.serverVersion.gitVersion);
    assert.deepEqual(
      [await live("configmap", "cluster", ".data.namespace"), await live("configmap", "cluster", ".data.charttabs")],
      ["chart-web", "false"],
    );
  });

  test("is rendered again when the cluster serves a kind that it did not, with the next push", async () => {
    const commit = await journey.push({ "README.md": "Nobody reads this.\n" });
    const sync = await journey.synced("chart-web", commit);
    assert.deepEqual([sync.phase, sync.counts.configured], ["Succeeded", 1]);
    assert.equal(await live("configmap", "cluster", ".data.charttabs"), "true");
  });

  test("is synced by a push to the branch of its value files", async () => {
    await journey.git("switch", "--quiet", "env");
    await journey.push({ "qa/web.yaml": "image: registry.example/web:1.2\n" }, "env");
    await journey.git("switch", "--quiet", "main");
    const image = ".spec.template.spec.containers[0].image";
    await eventually("the new value", async () => (await live("deployment", "chart-web", image)) === "registry.example/web:1.2");
  });

  test("D6: that gives another object at each render is refused by its name, and nothing is written", async () => {
    const random =
      "apiVersion: v1\nkind: Secret\nmetadata: { name: session }\nstringData: { key: {{ randAlphaNum 20 | quote }} }\n";
    const commit = await journey.push({ "web/templates/session.yaml": random });
    const sync = await journey.synced("chart-web", commit);
    assert.equal(sync.phase, "Failed");
    assert.match(sync.errors[0] ?? "", /Secret.*session/);
    assert.equal(await live("secret", "session", ".metadata.name"), "");
  });
});
