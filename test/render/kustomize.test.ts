import assert from "node:assert/strict";
import { test } from "node:test";
import { renderFolder, testRenderer } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();

const shop: TreeFiles = {
  "base/kustomization.yaml": "resources:\n- settings.yaml\n",
  "base/settings.yaml": configMap("settings"),
  "base/README.md": "about the base",
  "overlays/qa/kustomization.yaml": "resources:\n- ../../base\nnamespace: qa\npatches:\n- path: slow.yaml\n",
  "overlays/qa/slow.yaml": configMap("settings", { mode: "slow" }),
  "overlays/qa/notes.txt": "nothing of use",
};

const render = (files: TreeFiles, path = "overlays/qa") => renderFolder(renderer, { tree: memoryTree(files), path });

const refused = (files: TreeFiles, message: string | RegExp, path?: string) =>
  assert.rejects(render({ ...shop, ...files }, path), { name: "DriftlessError", code: "render", message });

test("a folder with a kustomization is built by Kustomize", async () => {
  const { renderer: kind, objects } = await render(shop);
  assert.equal(kind, "kustomize");
  assert.deepEqual(objects, [
    { apiVersion: "v1", data: { mode: "slow" }, kind: "ConfigMap", metadata: { name: "settings", namespace: "qa" } },
  ]);
});

test("the inputs are what the build looked at, in the base too, and nothing else", async () => {
  const tree = memoryTree(shop);
  const { inputs } = await renderFolder(renderer, { tree, path: "overlays/qa" });
  assert.deepEqual(inputs, {
    "overlays/qa/kustomization.yaml": tree.oid("overlays/qa/kustomization.yaml"),
    "overlays/qa/kustomization.yml": "",
    "overlays/qa/Kustomization": "",
    "overlays/qa/slow.yaml": tree.oid("overlays/qa/slow.yaml"),
    "base/kustomization.yaml": tree.oid("base/kustomization.yaml"),
    "base/kustomization.yml": "",
    "base/Kustomization": "",
    "base/settings.yaml": tree.oid("base/settings.yaml"),
  });
  assert.equal(tree.blobsRead.size, 4);
});

test("a second kustomization that appears later is an input that changed, and an error", async () => {
  const { inputs } = await render(shop);
  const path = "base/kustomization.yml";
  assert.equal(inputs[path], "");
  assert.notEqual(memoryTree({ ...shop, [path]: "resources: []\n" }).oid(path), "");
  await refused({ [path]: "resources: []\n" }, /Found multiple kustomization files under: base/);
});

test("every kind of reference is fetched and becomes an input", async () => {
  const tree = memoryTree({
    "app/Kustomization": [
      "resources: [settings.yaml]",
      "components: [../component]",
      "configMapGenerator:\n- name: files\n  files: [plain.txt, renamed=binary.dat]\n  envs: [some.env]",
      "replacements: [{path: replacement.yaml}]",
      "",
    ].join("\n"),
    "app/settings.yaml": configMap("settings"),
    "app/plain.txt": "hello",
    "app/binary.dat": Buffer.from([0xff, 0x00, 0xfe]),
    "app/some.env": "A=1\n",
    "app/replacement.yaml":
      "source: {kind: ConfigMap, name: settings, fieldPath: data.mode}\ntargets: [{select: {name: other}, fieldPaths: [data.mode]}]\n",
    "component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [other.yaml]\n",
    "component/other.yaml": configMap("other", { mode: "unset" }),
  });
  const { objects, inputs } = await renderFolder(renderer, { tree, path: "app" });
  const data = Object.fromEntries(objects.map(({ metadata, ...rest }) => [metadata.name.replace(/-\w{10}$/, ""), rest]));
  assert.deepEqual(data["files"], {
    apiVersion: "v1",
    kind: "ConfigMap",
    data: { A: "1", "plain.txt": "hello" },
    binaryData: { renamed: "/wD+" },
  });
  assert.deepEqual(data["other"]?.["data"], { mode: "fast" });
  const found = Object.keys(inputs).filter((path) => inputs[path] !== "");
  assert.deepEqual(found.sort(), [
    "app/Kustomization",
    "app/binary.dat",
    "app/plain.txt",
    "app/replacement.yaml",
    "app/settings.yaml",
    "app/some.env",
    "component/kustomization.yaml",
    "component/other.yaml",
  ]);
});

test("what Kustomize writes is read as Kubernetes reads it", async () => {
  const { objects } = await render(
    {
      "app/kustomization.yaml": "resources: [a.yaml]\n",
      "app/a.yaml": "apiVersion: x/v1\nkind: X\nmetadata: {name: a}\nspec: {mode: 0644, big: 9007199254740993}\n",
    },
    "app",
  );
  assert.deepEqual(objects[0]?.["spec"], { mode: 420, big: 9007199254740993n });
});

test("what points outside the commit is refused, with the line that names it", async () => {
  const kustomization = "overlays/qa/kustomization.yaml";
  const resource = (text: string) => ({ [kustomization]: `namespace: qa\nresources:\n- ${text}\n` });
  const remote = "is remote; a render reads the commit only: copy it into the repository";
  await refused(resource("https://example.com/a.yaml"), `${kustomization}:3: resources: https://example.com/a.yaml ${remote}`);
  await refused(
    resource("git::https://me:hush@example.com/a"),
    `${kustomization}:3: resources: git::https://example.com/a ${remote}`,
  );
  await refused(resource("git@example.com:a/b"), `${kustomization}:3: resources: git@example.com:a/b ${remote}`);
  await refused(
    { "base/kustomization.yaml": "resources:\n- github.com/a/b?ref=v1\n" },
    /^base\/kustomization\.yaml:2: .* is remote/,
  );
  await refused(
    resource("../.."),
    `${kustomization}:3: resources: ../.. is the repository's root, which holds this folder itself`,
  );
  await refused(resource("../../../other"), `${kustomization}:3: resources: ../../../other lies outside the repository`);
  await refused(
    { [kustomization]: "helmCharts:\n- name: a\n" },
    /^overlays\/qa\/kustomization\.yaml:2: helmCharts: .* commit the rendered chart$/,
  );
});

test("a kustomization's mistakes name the file, and never the values of a secret", async () => {
  const kustomization = "overlays/qa/kustomization.yaml";
  await refused(
    { [kustomization]: "resources:\n- gone.yaml\n" },
    `${kustomization}:2: resources: gone.yaml does not exist in the commit`,
  );
  await refused(
    { [kustomization]: "resources:\n- ../../docs\n", "docs/a.md": "" },
    `${kustomization}:2: resources: the folder ../../docs has no kustomization.yaml`,
  );
  await refused(
    { "base/settings.yaml": `${configMap("a")}x: b: c\n` },
    "base/settings.yaml:7: mapping values are not allowed in this context",
  );
  await refused({ [kustomization]: "resorces: []\n" }, /^overlays\/qa\/kustomization\.yaml: .*unknown field "resorces"/);
  await refused(
    { "app/kustomization.yaml": "secretGenerator:\n- name: a\n  literals: [key=hush, hush2]\n" },
    "app/kustomization.yaml: loading KV pairs: a literal that is not key=value",
    "app",
  );
});
