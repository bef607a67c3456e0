import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { type HelmOptions, noHelmOptions } from "../../lib/model/application-source.ts";
import { canonicalJson, type JsonObject, parseJson, stringifyJson } from "../../lib/model/json.ts";
import { type HelmCli, startHelmCli } from "../support/helm-cli.ts";
import * as charts from "./helm-charts.ts";
import { corpora, renderFolder, testRenderer } from "./helper.ts";
import { filesBelow, memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();
let helm: HelmCli;
before(async () => {
  helm = await startHelmCli();
});
after(() => helm.close());

interface Comparison {
  readonly chart: TreeFiles;
  readonly options?: Partial<HelmOptions>;
  readonly namespace?: string;
}

/** Both ways; the objects of both, as canonical texts. */
async function compare({ chart, options = {}, namespace = "" }: Comparison): Promise<readonly string[]> {
  const given = { ...noHelmOptions, ...options };
  const { objects } = await renderFolder(renderer, {
    tree: memoryTree(under("app", chart)),
    path: "app",
    application: "shop",
    namespace,
    testHooks: true,
    source: { helm: given },
  });
  const folder = await helm.write({ ...(chart as charts.Chart), "../inline.json": stringifyJson(given.values) });
  const printed = await helm.run(templateArguments(given, { folder, namespace }));
  const rendered = objects.map(canonicalJson);
  assert.deepEqual(rendered, await readWithHelper(printed));
  return rendered;
}

const under = (folder: string, files: TreeFiles): TreeFiles =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));

function templateArguments(
  given: HelmOptions,
  { folder, namespace }: { readonly folder: string; readonly namespace: string },
): readonly string[] {
  return [
    "template",
    given.releaseName || "shop",
    folder,
    ...(namespace === "" ? [] : ["--namespace", namespace]),
    ...given.valueFiles.flatMap((file) => ["--values", join(folder, file)]),
    "--values",
    join(folder, "../inline.json"),
    ...given.parameters.flatMap(({ name, value, forceString }) => [forceString ? "--set-string" : "--set", `${name}=${value}`]),
    ...(given.kubeVersion === "" ? [] : ["--kube-version", given.kubeVersion]),
    ...given.apiVersions.flatMap((version) => ["--api-versions", version]),
    ...(given.skipCrds ? [] : ["--include-crds"]),
  ];
}

/** Helm prints YAML: read as a plain folder with one file for each object, so that their order is kept. */
async function readWithHelper(printed: string): Promise<readonly string[]> {
  const name = (index: number): string => `printed/${String(index).padStart(4, "0")}.yaml`;
  const tree = memoryTree(Object.fromEntries(printed.split(/^---\n/m).map((text, index) => [name(index), text])));
  const { objects } = await renderFolder(renderer, { tree, path: "printed" });
  return objects.map(canonicalJson);
}

const kindsOf = (objects: readonly string[]): readonly string[] =>
  objects.map((text) => {
    const { kind, metadata } = JSON.parse(text) as { kind: string; metadata: { name: string } };
    return `${kind} ${metadata.name}`;
  });

test("helpers, tpl, loops and several objects in a template give what helm template gives", async () => {
  const objects = await compare({ chart: charts.web });
  assert.deepEqual(kindsOf(objects), ["ServiceAccount shop-web", "Service shop-web", "Deployment shop-web"]);
});

test("release name, namespace, value files, values and parameters count in Helm's order", async () => {
  const chart = {
    ...charts.web,
    "values-qa.yaml": "replicas: 3\nenv: {LEVEL: debug, MODE: null, ADDED: x}\nports: [1]\n",
    "more/values.yaml": "replicas: 4\nresources: null\n---\nreplicas: 5\nimage: {tag: from-file}\n",
  };
  const objects = await compare({
    chart,
    namespace: "qa",
    options: {
      releaseName: "rel",
      valueFiles: ["values-qa.yaml", "more/values.yaml"],
      values: { image: { tag: "inline" }, ingress: { enabled: true }, env: { ADDED: null } },
      parameters: [
        { name: "ingress.hosts", value: "{a.example,b.example}", forceString: false },
        { name: "ingress.hosts[2]", value: "c.example", forceString: false },
        { name: "image.tag", value: "1", forceString: true },
        { name: "image.tag", value: "2", forceString: false },
        { name: "env.NUMBER", value: "007", forceString: false },
      ],
    },
  });
  assert.match(objects.join("\n"), /"image":"registry.example\/web:1"/);
});

test("conditions, tags, aliases, globals, imported values, libraries and nested subcharts are Helm's", async () => {
  const objects = await compare({ chart: charts.family });
  assert.equal(objects.length, 7);
  const all = { tags: { metrics: true }, queue: { enabled: true }, cache: { enabled: false }, global: { more: [1] } };
  await compare({ chart: charts.family, options: { values: all } });
});

test("subcharts in archives, and in archives of archives, are Helm's", async () => {
  const inner = await helm.write(charts.told("inner", "size: 1\n"));
  await helm.run(["package", inner, "--destination", inner]);
  const packed = await readFile(join(inner, "inner-1.2.3.tgz"));
  const middle = { ...charts.told("middle", "inner: {size: 2}\n"), "charts/inner-1.2.3.tgz": packed };
  const middleFolder = await helm.write(middle);
  await helm.run(["package", middleFolder, "--destination", middleFolder]);
  const outer = {
    ...charts.told(
      "outer",
      "middle: {inner: {size: 3}}\n",
      "dependencies: [{name: middle, version: 1.2.3, repository: 'https://charts.example'}]\n",
    ),
    "charts/middle-1.2.3.tgz": await readFile(join(middleFolder, "middle-1.2.3.tgz")),
  };
  const objects = await compare({ chart: outer });
  assert.deepEqual(kindsOf(objects), [
    "ConfigMap shop-outer.middle.inner",
    "ConfigMap shop-outer.middle",
    "ConfigMap shop-outer",
  ]);
});

test("hooks follow the objects, sorted as Helm sorts them", async () => {
  const objects = await compare({ chart: charts.hooks });
  assert.equal(objects.filter((text) => text.includes("helm.sh/hook")).length, 7);
});

test("CRDs come first, untouched by templates, and can be skipped", async () => {
  const objects = await compare({ chart: charts.definitions });
  assert.deepEqual(
    kindsOf(objects).map((name) => name.split(" ")[1]),
    ["ants.example.com", "bees.example.com", "wasps.example.com", "xs.example.com", "one"],
  );
  assert.deepEqual(kindsOf(await compare({ chart: charts.definitions, options: { skipCrds: true } })), ["ant one"]);
});

test("files, globs and .helmignore are Helm's", async () => {
  await compare({ chart: charts.files });
});

test("a chart is told the versions that helm template tells", async () => {
  await compare({ chart: charts.cluster });
  await compare({ chart: charts.cluster, options: { kubeVersion: "1.31" } });
  const apiVersions = ["monitoring.coreos.com/v1", "apps/v1/Deployment"];
  await compare({ chart: charts.cluster, options: { kubeVersion: "v1.35.4-eks-1234567", apiVersions } });
});

test("an old chart with requirements.yaml is rendered", async () => {
  assert.equal((await compare({ chart: charts.old })).length, 2);
  assert.equal((await compare({ chart: charts.old, options: { values: { cache: { enabled: false } } } })).length, 1);
});

test("a schema with references inside lets good values through", async () => {
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    definitions: { port: { type: "integer", minimum: 1 } },
    properties: { ports: { items: { $ref: "#/definitions/port" } }, name: { $ref: "urn:example:anything" } },
  };
  const chart = { ...charts.web, "values.schema.json": JSON.stringify(schema) };
  await compare({ chart, options: { values: { name: "x" } } });
});

test("numbers in values are what Helm makes of them, int64 included", async () => {
  const texts = [
    "0",
    "-0",
    "1",
    "1.0",
    "1e3",
    "1000000",
    "12345678",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1.5",
    "0.1",
    "1e100",
    "0x1F",
    "0o17",
    "017",
    "1_000",
    ".5",
    "+1",
    ".inf",
    "12e03",
    "08",
    "yes",
    "null",
    "~",
    "2020-01-01",
    "1:30",
    '"1"',
    "'007'",
    "!!str 1",
    "!!int '1'",
    "1.0e+3",
    "true",
    "0b11",
    "4294967296",
    "100000000000000000000",
  ].filter((text) => text !== ".inf");
  const chart = { ...charts.printer, "numbers.yaml": `list:\n${texts.map((text) => `- ${text}\n`).join("")}` };
  const options = { valueFiles: ["numbers.yaml"] };
  await compare({ chart, options });
  await compare({ chart: { ...chart, "values.yaml": chart["numbers.yaml"] } });
  const values = parseJson('{"list": [9007199254740993, 9223372036854775807, -1, 1.5, 1e21, 100000000]}') as JsonObject;
  await compare({ chart, options: { ...options, values } });
});

test("parameters are what --set and --set-string make of them", async () => {
  const texts = [
    "1",
    "1.5",
    "1e3",
    "true",
    "false",
    "null",
    "",
    "007",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551616",
    "-1",
    "0",
    "x\\,y",
    "{1,2,x}",
    "{}",
    "a=b",
    "a.b",
    "\\{not\\}",
    "yes",
    "2020-01-01",
    " spaced ",
    '"quoted"',
    "0x1F",
    "1_000",
    "ünï",
    "a,b.c=2",
  ];
  const names = texts.map((_, index) => `list[${index}]`);
  for (const forceString of [false, true]) {
    const parameters = texts.map((value, index) => ({ name: names[index] ?? "", value, forceString }));
    await compare({ chart: charts.printer, options: { parameters } });
  }
  const paths = ["kept.a", "kept.new.deep", "fresh[1].x", "fresh[0]", "kept\\.dotted", "removed"];
  await compare({
    chart: charts.printer,
    options: { parameters: paths.map((name) => ({ name, value: "5", forceString: false })) },
  });
  await compare({ chart: charts.printer, options: { parameters: [{ name: "kept", value: "null", forceString: false }] } });
});

const manifests = join(corpora ?? "", "manifests");
const found = corpora === undefined ? [] : readdirSync(manifests, { recursive: true, encoding: "utf8" });
for (const file of found.filter((path) => basename(path) === "Chart.yaml" && basename(dirname(dirname(path))) !== "charts")) {
  test(`${dirname(file)} renders as helm template renders it`, async () => {
    await compare({ chart: filesBelow(join(manifests, dirname(file))) });
  });
}

test("any values come through as Helm lets them through", async () => {
  const list = fc.sample(fc.jsonValue({ maxDepth: 3, noUnicodeString: false }), { numRuns: 120, seed: 20261 });
  await compare({ chart: charts.printer, options: { values: { list } } });
});
