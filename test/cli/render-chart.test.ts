import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { canonicalJson, parseJson } from "../../lib/model/json.ts";
import { isManifest } from "../../lib/model/resource.ts";
import * as charts from "../render/helm-charts.ts";
import { helperBinary, renderFolder, testRenderer } from "../render/helper.ts";
import { memoryTree } from "../render/tree.ts";
import { type HelmCli, startHelmCli } from "../support/helm-cli.ts";
import { runDriftless } from "./run.ts";

const renderer = await testRenderer();
let helm: HelmCli;
let folder: string;
before(async () => {
  helm = await startHelmCli();
  folder = await helm.write({
    ...charts.below("repository/charts/web", charts.web),
    ...charts.below("repository/charts/hooks", charts.hooks),
    ...charts.below("repository/charts/definitions", charts.definitions),
    ...charts.below("repository/charts/cluster", charts.cluster),
    "elsewhere/one.yaml": "replicas: 3\nenv: {LEVEL: debug}\n",
    "elsewhere/two.yaml": "replicas: 4\n",
  });
  await mkdir(join(folder, "repository", ".git"));
});
after(() => helm.close());

const render = async (chart: string, ...options: readonly string[]) =>
  runDriftless(["render", join(folder, "repository/charts", chart), ...options], {
    environment: { DRIFTLESS_RENDER_HELPER: await helperBinary() },
  });

const template = (chart: string, ...options: readonly string[]): Promise<string> =>
  helm.run(["template", join(folder, "repository/charts", chart), "--include-crds", ...options], folder);

/** Objects of printed YAML as canonical texts, in their order. */
async function objectsOf(yaml: string): Promise<readonly string[]> {
  const name = (index: number): string => `printed/${String(index).padStart(4, "0")}.yaml`;
  const tree = memoryTree(Object.fromEntries(yaml.split(/^---\n/m).map((text, index) => [name(index), text])));
  return (await renderFolder(renderer, { tree, path: "printed" })).objects.map(canonicalJson);
}

for (const chart of ["web", "hooks", "definitions", "cluster"]) {
  test(`driftless render of the chart ${chart} prints the objects that helm template prints, hooks of tests included`, async () => {
    const expected = await objectsOf(await template(chart));
    assert.ok(expected.length > 0);
    const yaml = await render(chart, "--output", "yaml");
    assert.deepEqual([yaml.status, await objectsOf(yaml.stdout)], [0, expected]);
    const json = await render(chart, "--output", "json");
    const objects = parseJson(json.stdout);
    assert.ok(Array.isArray(objects) && objects.every(isManifest));
    assert.deepEqual(objects.map(canonicalJson), expected);
  });
}

test("value files lie anywhere on disk, and options are taken as helm template takes them", async () => {
  const files = ["elsewhere/one.yaml", "elsewhere/two.yaml"].map((file) => join(folder, file));
  const both = [
    "--set",
    "ports={1,2},env.A=x",
    "--set-string",
    "env.B=7",
    "--namespace",
    "qa",
    "--kube-version",
    "1.31",
    "--api-versions",
    "a/v1,b/v1",
  ];
  const ours = await render("web", ...files.flatMap((file) => ["--helm-values", file]), ...both, "--release-name", "blue");
  const theirs = await helm.run(
    ["template", "blue", join(folder, "repository/charts/web"), ...files.flatMap((file) => ["--values", file]), ...both],
    folder,
  );
  assert.deepEqual(await objectsOf(ours.stdout), await objectsOf(theirs));
  assert.match(ours.stdout, /replicas: 4/);
});

test("CRDs can be left out", async () => {
  const { stdout } = await render("definitions", "--skip-crds");
  assert.equal((await objectsOf(stdout)).length, 1);
});

test("a value file that is not there, a value without a name and an unknown form of output are told", async () => {
  const missing = await render("web", "--helm-values", "none.yaml");
  assert.deepEqual([missing.status, missing.stdout], [1, ""]);
  assert.match(missing.stderr, /^driftless: none\.yaml cannot be read: name a file of values, from the current folder\n$/);
  const nameless = await render("web", "--set", "replicas");
  assert.deepEqual([nameless.status, nameless.stderr.split("\n")[0]], [2, "driftless: --set takes NAME=VALUE, not replicas"]);
  const form = await render("web", "--output", "xml");
  assert.equal(form.status, 2);
  const other = await runDriftless(["status", "--output", "yaml"]);
  assert.deepEqual([other.status, other.stderr.split("\n")[0]], [2, "driftless: --output is table or json, not yaml"]);
});

test("a folder that is no chart is not one because of an option for charts", async () => {
  const plain = join(folder, "repository/charts/plain/a.yaml");
  await mkdir(dirname(plain), { recursive: true });
  await writeFile(plain, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
  assert.equal((await render("plain")).status, 0);
  const { status, stderr } = await render("plain", "--set", "a=1");
  assert.deepEqual(
    [status, stderr],
    [1, "driftless: charts/plain/Chart.yaml: the chart cannot be read: Chart.yaml file is missing\n"],
  );
});
