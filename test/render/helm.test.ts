import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ApplicationSource,
  type ClusterCapabilities,
  type GitSource,
  noHelmOptions,
} from "../../lib/model/application-source.ts";
import type { ChartReference } from "../../lib/model/chart.ts";
import type { Manifest } from "../../lib/model/resource.ts";
import { capabilitiesDigest } from "../../lib/plan/affected.ts";
import type { RenderRequest } from "../../lib/render/renderer.ts";
import * as charts from "./helm-charts.ts";
import { renderFolder, testRenderer } from "./helper.ts";
import { tarball } from "./tarball.ts";
import { type MemoryTree, memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();

const shop: TreeFiles = {
  "app/Chart.yaml": charts.chartYaml("web"),
  "app/values.yaml": "level: info\n",
  "app/templates/settings.yaml": charts.configTemplate(
    "{{ .Release.Name }}",
    'level: {{ .Values.level | quote }}\nnamespace: {{ .Release.Namespace }}\nmore: {{ .Values.more | default "" | quote }}',
  ),
  "app/qa/values.yaml": "level: debug\n",
  "values/shop.yaml": "level: lent\nmore: 1\n",
};

const withHelm = (options: Partial<typeof noHelmOptions>): Partial<GitSource> => ({ helm: { ...noHelmOptions, ...options } });

const render = (files: TreeFiles, helm: Partial<typeof noHelmOptions> = {}, request: Partial<RenderRequest> = {}) =>
  renderFolder(renderer, { tree: memoryTree(files), path: "app", source: withHelm(helm), ...request });

const refused = (files: TreeFiles, message: string | RegExp, helm: Partial<typeof noHelmOptions> = {}) =>
  assert.rejects(render({ ...shop, ...files }, helm), { name: "DriftlessError", code: "render", message });

const dataOf = ([object]: readonly Manifest[]): unknown => object?.["data"];

test("a folder with a Chart.yaml is rendered by Helm, as a release with the application's name in its namespace", async () => {
  const { renderer: kind, objects } = await renderFolder(renderer, {
    tree: memoryTree(shop),
    path: "app",
    application: "checkout",
    namespace: "prod",
  });
  assert.equal(kind, "helm");
  assert.deepEqual(objects, [
    {
      apiVersion: "v1",
      data: { level: "info", more: "", namespace: "prod" },
      kind: "ConfigMap",
      metadata: { name: "checkout" },
    },
  ]);
});

test("without a namespace a chart is rendered for default, and options name another release", async () => {
  const { objects } = await render(shop, { releaseName: "blue" });
  assert.deepEqual([objects[0]?.metadata.name, dataOf(objects)], ["blue", { level: "info", more: "", namespace: "default" }]);
});

test("a release's name is checked as Helm checks it", async () => {
  await refused({}, /^app: "Blue_1" is no name for a release: invalid release name/, { releaseName: "Blue_1" });
});

test("the inputs of a chart are its folder's tree id, and value files outside of it", async () => {
  const tree = memoryTree(shop);
  const { inputs } = await renderFolder(renderer, {
    tree,
    path: "app",
    source: {
      ref: "here",
      ...withHelm({
        valueFiles: ["qa/values.yaml", "$here/values/shop.yaml", "none.yaml", "$here/none.yaml"],
        ignoreMissingValueFiles: true,
      }),
    },
  });
  assert.deepEqual(inputs, { app: tree.oid("app"), "values/shop.yaml": tree.oid("values/shop.yaml"), "none.yaml": "" });
});

test("value files come from the chart's folder and from repositories that other sources lend, in order", async () => {
  const lender = memoryTree({ "envs/prod.yaml": "level: far\n" });
  const chart: GitSource = {
    kind: "git",
    repository: "https://git.example/charts",
    targetRevision: "main",
    path: "app",
    ...withHelm({ valueFiles: ["./qa/values.yaml", "$values/envs/prod.yaml"] }),
  };
  const values: GitSource = { kind: "git", repository: "https://git.example/values", targetRevision: "v1", ref: "values" };
  const { objects, inputs, renderers } = await renderer.render({
    application: "shop",
    namespace: "",
    remoteBases: [],
    sources: [
      { source: chart, tree: memoryTree(shop) },
      { source: values, tree: lender },
    ],
  });
  assert.deepEqual(dataOf(objects), { level: "far", more: "", namespace: "default" });
  assert.deepEqual(renderers, ["helm"]);
  assert.deepEqual(inputs.repositories[1], {
    repository: "https://git.example/values",
    targetRevision: "v1",
    revision: lender.commit,
    paths: { "envs/prod.yaml": lender.oid("envs/prod.yaml") },
  });
});

test("a value file that is not there is an error, or passed over when that is asked for", async () => {
  await refused({}, "none.yaml: the value file does not exist: correct its path, or set ignoreMissingValueFiles", {
    valueFiles: ["none.yaml"],
  });
  const { objects } = await render(shop, { valueFiles: ["none.yaml", "qa/values.yaml"], ignoreMissingValueFiles: true });
  assert.deepEqual(dataOf(objects), { level: "debug", more: "", namespace: "default" });
});

test("a value file that cannot be read is named with its line", async () => {
  await refused({ "app/bad.yaml": "a: 1\nb: [\n" }, /^app\/bad\.yaml:[23]: the values cannot be read: /, {
    valueFiles: ["bad.yaml"],
  });
  await refused({ "app/bad.yaml": "- a\n" }, /^app\/bad\.yaml: the values cannot be read: /, { valueFiles: ["bad.yaml"] });
});

test("a parameter that cannot be read is named, without its value", async () => {
  const parameters = [{ name: "level", value: "hush,secret", forceString: false }];
  await assert.rejects(render(shop, { parameters }), (error: Error) => {
    assert.match(error.message, /parameter level cannot be read as --set reads it: .*\\,/);
    assert.doesNotMatch(error.message, /hush|secret/);
    return true;
  });
});

test("hooks stay among the objects, but for those that only helm test would run", async () => {
  const hooks = charts.below("app", charts.hooks);
  const { objects, warnings } = await renderFolder(renderer, { tree: memoryTree(hooks), path: "app" });
  const jobs = objects.filter(({ kind }) => kind === "Job").map(({ metadata }) => metadata.name);
  assert.deepEqual(jobs, ["job-0", "job-1", "job-2", "job-5"]);
  assert.equal(objects.find(({ metadata }) => metadata.name === "job-0")?.metadata.annotations?.["helm.sh/hook"], "pre-install");
  assert.deepEqual(warnings, [
    "app/templates/unknown.yaml: an object is left out, as Helm does: it is a hook of a kind that Helm does not know",
  ]);
});

test("a mistake in a template is told with file and line", async () => {
  const templates: readonly (readonly [string, string | RegExp])[] = [
    ["a: {{ .Values.none.deep }}", "app/templates/x.yaml:3: nil pointer evaluating interface {}.deep"],
    ['{{ fail "give a name" }}', "app/templates/x.yaml:3: give a name"],
    ['{{ required "give a level" .Values.none }}', "app/templates/x.yaml:3: give a level"],
    [
      '{{ include "words" . }}',
      "app/templates/x.yaml:3: nil pointer evaluating interface {}.deep (in app/templates/_words.tpl:2)",
    ],
    ["{{ if }}", "app/templates/x.yaml:3: missing value for if"],
    ["{{ nothing }}", 'app/templates/x.yaml:3: function "nothing" not defined'],
    ["a: b\n - c: [", /^app\/templates\/x\.yaml: what the template gives cannot be read: .*line \d/],
    ["kind: A", "app/templates/x.yaml: apiVersion is missing"],
    [
      "kind: A\nkind: B",
      /^app\/templates\/x\.yaml: key "kind" is there twice: .* \(line 4 of a document that the template gives\)$/,
    ],
  ];
  const words = '{{- define "words" }}\n{{ .Values.none.deep }}{{ end }}';
  for (const [text, message] of templates) {
    await refused({ "app/templates/x.yaml": `# one\n# two\n${text}\n`, "app/templates/_words.tpl": words }, message);
  }
});

test("errors of templates and schemas quote no values", async () => {
  const secret = "hunter2-hunter2";
  const schema = { properties: { level: { pattern: "^[0-9]+$", format: "email", maxLength: 3 } } };
  const files: readonly TreeFiles[] = [
    { "app/values.schema.json": JSON.stringify(schema) },
    { "app/templates/x.yaml": "{{ tpl .Values.level . }}" },
    { "app/templates/x.yaml": '{{ tpl (printf "%s {{ nothing }}" .Values.level) . }}' },
    { "app/templates/x.yaml": '{{ mustToDate "2006" .Values.level }}' },
    { "app/templates/x.yaml": '{{ mustRegexMatch (printf "[%s" .Values.level) "a" }}' },
    { "app/templates/x.yaml": "{{ .Values.level | mustFromJson }}" },
    { "app/templates/x.yaml": '{{ semverCompare .Values.level "1.2.3" }}' },
    { "app/templates/x.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {{ .Values.level }}" },
  ];
  let failed = 0;
  for (const more of files) {
    await render({ ...shop, ...more }, { values: { level: `${secret} {{` } }).catch((error: Error) => {
      failed += 1;
      assert.ok(!error.message.includes("hunter2"), error.message);
    });
  }
  assert.equal(failed, files.length);
});

test("values that do not fit the chart's schema are refused", async () => {
  const schema = { required: ["level"], properties: { level: { type: "integer" } } };
  await refused(
    { "app/values.schema.json": JSON.stringify(schema) },
    /^app: the values do not fit values\.schema\.json: .*'\/level': got string, want integer/,
  );
});

test("a chart is told what the cluster can do, and only that, when it does not say for itself", async () => {
  const files = charts.below("app", charts.cluster);
  let asked = 0;
  const told: ClusterCapabilities = { kubeVersion: "v1.35.4", apiVersions: ["apps/v1", "apps/v1/Deployment", "v1"] };
  const capabilities = async (): Promise<ClusterCapabilities> => {
    asked += 1;
    return told;
  };
  const request = (helm: Partial<typeof noHelmOptions>): RenderRequest => {
    const source: ApplicationSource = { kind: "git", repository: "r", targetRevision: "main", path: "app", ...withHelm(helm) };
    return { application: "shop", namespace: "", remoteBases: [], sources: [{ source, tree: memoryTree(files) }], capabilities };
  };
  const rendered = await renderer.render(request({ apiVersions: ["monitoring.coreos.com/v1"] }));
  const data = dataOf(rendered.objects) as Record<string, string>;
  assert.deepEqual([data["version"], data["all"]], ["v1.35.4", "apps/v1,apps/v1/Deployment,v1,monitoring.coreos.com/v1"]);
  assert.equal(rendered.inputs.cluster, capabilitiesDigest(told));
  assert.equal(asked, 1);

  const stated = await renderer.render(request({ kubeVersion: "1.30.0" }));
  assert.equal((dataOf(stated.objects) as Record<string, string>)["version"], "v1.30.0");
  assert.deepEqual([stated.inputs.cluster, asked], ["", 1]);
});

test("a chart that asks for another Kubernetes is refused", async () => {
  await refused(
    { "app/Chart.yaml": charts.chartYaml("web", 'kubeVersion: ">=1.99.0"\n') },
    "app/Chart.yaml: the chart asks for Kubernetes >=1.99.0, and this is v1.30.0",
    { kubeVersion: "v1.30.0" },
  );
});

test("what is not a chart that gives objects is refused", async () => {
  await refused(
    { "app/Chart.yaml": charts.chartYaml("web", "type: library\n") },
    /^app\/Chart\.yaml: a chart of type library gives no objects/,
  );
  await refused(
    { "app/Chart.yaml": "apiVersion: v3\nname: web\nversion: 1.0.0\n" },
    "app/Chart.yaml: apiVersion v3 is not known: v1 and v2 are",
  );
  await refused(
    { "app/Chart.yaml": "apiVersion: v2\nname: web\n" },
    /^app\/Chart\.yaml: the chart cannot be read: .*version is required/,
  );
  await assert.rejects(renderFolder(renderer, { tree: memoryTree({ "app/a.yaml": "" }), path: "app", source: withHelm({}) }), {
    code: "render",
    message: /^app\/Chart\.yaml: the chart cannot be read: Chart\.yaml file is missing/,
  });
});

test("the chart in the repository's root is rendered", async () => {
  const files = charts.web;
  const { objects } = await renderFolder(renderer, { tree: memoryTree(files), path: "" });
  assert.equal(objects.length, 3);
});

test("links inside of the chart are followed, to files and to folders", async () => {
  const { objects } = await render({
    ...shop,
    "app/templates/again.yaml": { link: "../other/again.yaml" },
    "app/other/again.yaml": charts.configTemplate("again", 'text: {{ .Files.Get "linked/a.txt" }}'),
    "app/linked": { link: "files" },
    "app/files/a.txt": "behind two links",
  });
  assert.deepEqual(objects.find(({ metadata }) => metadata.name === "again")?.["data"], { text: "behind two links" });
});

const reference: ChartReference = {
  repository: "oci://registry.example/charts",
  name: "web",
  version: "1.2.3",
  digest: `sha256:${"0".repeat(64)}`,
};

/** Renders a chart of a chart repository, which is these bytes; `values` is a repository that another source lends. */
async function renderArchive(
  archive: Uint8Array,
  options: { readonly valueFiles?: readonly string[]; readonly values?: MemoryTree } = {},
) {
  const fetched: ChartReference[] = [];
  const fetching = await testRenderer({
    charts: {
      async fetch(chart) {
        fetched.push(chart);
        return archive;
      },
    },
  });
  const { valueFiles = [], values = memoryTree({ "a.yaml": "" }) } = options;
  const lender: GitSource = { kind: "git", repository: "r", targetRevision: "main", ref: "values" };
  const rendered = await fetching.render({
    application: "shop",
    namespace: "prod",
    remoteBases: [],
    sources: [
      { source: { kind: "chart", chart: reference, helm: { ...noHelmOptions, valueFiles } } },
      { source: lender, tree: values },
    ],
  });
  return { ...rendered, fetched };
}

const packed = (chart: charts.Chart): Buffer => tarball(charts.below("web", chart));

test("a chart of a chart repository is fetched once, by its reference, and told what pins it", async () => {
  const values = memoryTree({ "prod.yaml": "replicas: 7\n" });
  const { objects, inputs, fetched } = await renderArchive(packed(charts.web), { valueFiles: ["$values/prod.yaml"], values });
  assert.deepEqual(fetched, [reference]);
  assert.deepEqual(
    objects.map(({ kind }) => kind),
    ["ServiceAccount", "Service", "Deployment"],
  );
  assert.equal((objects[2]?.["spec"] as { replicas: number } | undefined)?.replicas, 7);
  assert.deepEqual(inputs.pinned, [`oci://registry.example/charts/web 1.2.3 sha256:${"0".repeat(64)}`]);
  assert.deepEqual(inputs.repositories[0]?.paths, { "prod.yaml": values.oid("prod.yaml") });
});

test("a mistake in a fetched chart is told with the chart's name", async () => {
  const broken = { ...charts.web, "templates/x.yaml": "{{ .Values.none.deep }}" };
  await assert.rejects(renderArchive(packed(broken)), {
    code: "render",
    message: "web/templates/x.yaml:1: nil pointer evaluating interface {}.deep",
  });
});

test("a fetched chart lends no value files", async () => {
  await assert.rejects(renderArchive(packed(charts.web), { valueFiles: ["values-prod.yaml"] }), {
    code: "render",
    message: "values-prod.yaml: a chart of a chart repository takes value files of other sources only: $REF/PATH",
  });
});

test("without a way to fetch charts, one of a chart repository is refused", async () => {
  const sources = [{ source: { kind: "chart", chart: reference } as const }];
  await assert.rejects(renderer.render({ application: "shop", namespace: "", remoteBases: [], sources }), {
    code: "render",
    message: /^web: charts of chart repositories are not fetched here/,
  });
});
