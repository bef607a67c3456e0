import assert from "node:assert/strict";
import { test } from "node:test";
import type { KustomizeOptions } from "../../lib/model/application-source.ts";
import { canonicalJson } from "../../lib/model/json.ts";
import { noKustomizeOptions as noOptions, renderFolder, testRenderer } from "./helper.ts";
import { kubectlKustomize } from "./kubectl.ts";
import { configMap, webShop } from "./manifests.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();
const kubectl = kubectlKustomize(renderer);

const own =
  "resources: [../base]\nnamePrefix: own-\nnamespace: own\nimages:\n- {name: nginx, newName: mirror/nginx, newTag: '1.26'}\n";
const shop: TreeFiles = {
  "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: settings, literals: [mode=fast]}]\n",
  "base/web.yaml": webShop(),
  "shop/kustomization.yaml": own,
  "components/extra/kustomization.yaml":
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [extra.yaml]\nnamePrefix: extra-\n",
  "components/extra/extra.yaml": configMap("extra"),
};

const render = (options: Partial<KustomizeOptions>, files: TreeFiles = shop) =>
  renderFolder(renderer, { tree: memoryTree(files), path: "shop", source: { kustomize: { ...noOptions, ...options } } });

/** What the options give is what kubectl builds of a kustomization that says so itself. */
async function same(options: Partial<KustomizeOptions>, kustomization: string): Promise<void> {
  const { objects } = await render(options);
  const wanted = await kubectl.buildFiles({ ...shop, "shop/kustomization.yaml": kustomization }, "shop");
  assert.deepEqual(objects.map(canonicalJson), wanted);
  assert.ok(objects.length >= 3);
}

const refused = (options: Partial<KustomizeOptions>, message: string | RegExp, files: TreeFiles = shop) =>
  assert.rejects(render(options, files), { name: "DriftlessError", code: "render", message });

test("without options there is no difference", () => same({}, own));

test("an option takes the place of the kustomization's own prefix, suffix and namespace", async () => {
  const wanted = own.replace("own-", "qa-").replace("namespace: own", "namespace: qa");
  await same({ namePrefix: "qa-", namespace: "qa", nameSuffix: "-v2" }, `${wanted}nameSuffix: -v2\n`);
});

test("an image option replaces what the kustomization says of that image", async () => {
  const without = own.slice(0, own.indexOf("images:"));
  await same({ images: ["nginx:1.27"] }, `${without}images: [{name: nginx, newTag: '1.27'}]\n`);
  await same({ images: ["nginx=registry:5000/web"] }, `${without}images: [{name: nginx, newName: registry:5000/web}]\n`);
  const digest = `sha256:${"ab".repeat(32)}`;
  await same({ images: [`nginx@${digest}`] }, `${without}images: [{name: nginx, digest: '${digest}'}]\n`);
  await same({ images: ["nginx=a/b:2"] }, `${without}images: [{name: nginx, newName: a/b, newTag: '2'}]\n`);
});

test("an asterisk in an image keeps the kustomization's own name, tag or digest", async () => {
  const without = own.slice(0, own.indexOf("images:"));
  await same({ images: ["nginx=*:1.27"] }, `${without}images: [{name: nginx, newName: mirror/nginx, newTag: '1.27'}]\n`);
  await same({ images: ["nginx=other:*"] }, `${without}images: [{name: nginx, newName: other, newTag: '1.26'}]\n`);
});

test("other images of the kustomization stay, and are changed in the order of their names", async () => {
  const kustomization = own.replace("images:\n", "images:\n- {name: unused, newTag: '7'}\n");
  const { objects } = await render(
    { images: ["mirror/nginx:9", "alpine:3"] },
    { ...shop, "shop/kustomization.yaml": kustomization },
  );
  const sorted =
    "images: [{name: alpine, newTag: '3'}, {name: mirror/nginx, newTag: '9'}, {name: nginx, newName: mirror/nginx, newTag: '1.26'}, {name: unused, newTag: '7'}]\n";
  const wanted = `${own.slice(0, own.indexOf("images:"))}${sorted}`;
  assert.deepEqual(objects.map(canonicalJson), await kubectl.buildFiles({ ...shop, "shop/kustomization.yaml": wanted }, "shop"));
});

test("labels and annotations join the kustomization's own, and win over them", async () => {
  const labelled = `${own}commonLabels: {team: own, tier: web}\ncommonAnnotations: {owner: own}\n`;
  const files = { ...shop, "shop/kustomization.yaml": labelled };
  const { objects } = await render({ commonLabels: { team: "blue" }, commonAnnotations: { owner: "ada", note: "5" } }, files);
  const wanted = `${own}commonLabels: {team: blue, tier: web}\ncommonAnnotations: {owner: ada, note: '5'}\n`;
  assert.deepEqual(objects.map(canonicalJson), await kubectl.buildFiles({ ...shop, "shop/kustomization.yaml": wanted }, "shop"));
});

test("replicas replace those of the kustomization for the same name", async () => {
  const files = { ...shop, "shop/kustomization.yaml": `${own}replicas: [{name: web, count: 2}]\n` };
  const { objects } = await render({ replicas: [{ name: "web", count: 0 }] }, files);
  assert.deepEqual(
    objects.filter(({ kind }) => kind === "Deployment").map(({ spec }) => (spec as { replicas: number }).replicas),
    [0],
  );
  await same({ replicas: [{ name: "web", count: 5 }] }, `${own}replicas: [{name: web, count: 5}]\n`);
});

test("components come after the kustomization's own, before its names and labels", async () => {
  await same(
    { components: ["../components/extra"], namePrefix: "qa-" },
    `${own.replace("own-", "qa-")}components: [../components/extra]\n`,
  );
  const tree = memoryTree(shop);
  const source = { kustomize: { ...noOptions, components: ["../components/extra"] } };
  const { inputs } = await renderFolder(renderer, { tree, path: "shop", source });
  assert.equal(inputs["components/extra/extra.yaml"], tree.oid("components/extra/extra.yaml"));
});

test("patches come after the kustomization's own: strategic merge by its own name, JSON by its target", async () => {
  const merge = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {hostNetwork: true}}}\n";
  const json = '[{"op": "replace", "path": "/spec/replicas", "value": 4}]';
  const indented = merge.replace(/^/gm, "    ").trimEnd();
  await same(
    { patches: [{ patch: merge }, { patch: json, target: { kind: "Deployment", labelSelector: "app=web" } }] },
    `${own}patches:\n- patch: |\n${indented}\n- patch: '${json}'\n  target: {kind: Deployment, labelSelector: app=web}\n`,
  );
});

test("the application's own kustomization is the only one that is changed", async () => {
  const files = { ...shop, "base/kustomization.yaml": `namePrefix: base-\n${shop["base/kustomization.yaml"] as string}` };
  const { objects } = await render({ namePrefix: "qa-" }, files);
  assert.deepEqual(objects.map(({ metadata }) => metadata.name.replace(/-\w{10}$/, "")).sort(), [
    "qa-base-settings",
    "qa-base-web",
    "qa-base-web",
  ]);
});

test("an option that can't be meant is an error that names it", async () => {
  for (const image of ["nginx", "nginx:", "nginx@sha256:12", "=nginx:1", "nginx:1 2", "nginx=:1", "nginx:a/b:"]) {
    await refused(
      { images: [image] },
      `shop: kustomize.images: "${image}" is no image: write NAME=NEW:TAG, NAME:TAG or NAME@DIGEST`,
    );
  }
  await refused({ images: ["nginx:1", "nginx:2"] }, "shop: kustomize.images: nginx is there twice: keep one");
  await refused({ components: ["../gone"] }, "shop: kustomize.components: ../gone does not exist in the commit");
  await refused({ components: ["../../out"] }, "shop: kustomize.components: ../../out lies outside the repository");
  await refused(
    { components: ["https://example.com/a"] },
    "shop: kustomize.components: https://example.com/a is remote; a render reads the commit only: copy it into the repository",
  );
  await refused({ components: ["../base"] }, /^shop: kustomize\.components: .*expected kind 'Component'/);
  await refused({ replicas: [{ name: "nope", count: 1 }] }, /^shop: kustomize\.replicas: .*nope/);
  await refused(
    { patches: [{ patch: "- {op: add, path: /a, value: 1}", target: { kind: "Deployment", name: "nope" } }] },
    "shop: kustomize.patches[0]: its target selects no object: kind Deployment, name nope",
  );
  await refused(
    { patches: [{ patch: "a: 1", target: { kinds: "Deployment" } }] },
    /^shop: kustomize\.patches\[0\]\.target: "kinds" is no field of a target: write annotationSelector, group, /,
  );
  const unknown = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nope}\n";
  await refused({ patches: [{ patch: unknown }] }, /^shop: kustomize\.patches: .*no matches for Id Deployment.*nope/);
});

test("a patch that can't be read is named without its text", async () => {
  await assert.rejects(render({ patches: [{ patch: "password: hush: hush" }] }), (error: Error) => {
    assert.match(error.message, /^shop: kustomize\.patches: .*the text of a patch is neither/);
    assert.doesNotMatch(error.message, /hush/);
    return true;
  });
});

test("an error of the kustomization itself is not blamed on the options", () =>
  refused({ namePrefix: "qa-" }, "shop/kustomization.yaml:1: resources: gone.yaml does not exist in the commit", {
    "shop/kustomization.yaml": "resources: [gone.yaml]\n",
  }));

test("options on a folder without kustomization, and with two, are refused", async () => {
  await refused(
    { namePrefix: "qa-" },
    "shop: kustomize: the folder has no kustomization.yaml: add one, or take the options away",
    {
      "shop/a.yaml": configMap("a"),
    },
  );
  await refused({ namePrefix: "qa-" }, /Found multiple kustomization files under: shop/, { ...shop, "shop/Kustomization": own });
});

test("an empty kustomization may live by its options alone", async () => {
  const { objects } = await render({ components: ["../components/extra"] }, { ...shop, "shop/kustomization.yaml": "" });
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.name),
    ["extra-extra"],
  );
});

test("fields that Kustomize will give up are warnings, with the file; those of the options are not", async () => {
  const { warnings } = await render(
    { commonLabels: { team: "blue" } },
    { ...shop, "shop/kustomization.yaml": "bases: [../base]\nvars: []\npatchesStrategicMerge: []\n" },
  );
  assert.deepEqual(warnings, [
    "shop/kustomization.yaml: 'bases' is deprecated. Please use 'resources' instead",
    "shop/kustomization.yaml: 'patchesStrategicMerge' is deprecated. Please use 'patches' instead",
    "shop/kustomization.yaml: 'vars' is deprecated. Please use 'replacements' instead",
  ]);
});
