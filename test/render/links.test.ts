import assert from "node:assert/strict";
import { test } from "node:test";
import type { GitSource } from "../../lib/model/application-source.ts";
import { canonicalJson } from "../../lib/model/json.ts";
import { renderFolder, testRenderer } from "./helper.ts";
import { kubectlKustomize } from "./kubectl.ts";
import { configMap } from "./manifests.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();
const kubectl = kubectlKustomize(renderer);

const render = (files: TreeFiles, source: Partial<GitSource> = {}) =>
  renderFolder(renderer, { tree: memoryTree(files), path: "app", source });

const refused = (files: TreeFiles, message: string | RegExp, source?: Partial<GitSource>) =>
  assert.rejects(render(files, source), { name: "DriftlessError", code: "render", message });

/** Renders as kubectl does in a checkout with real links. */
async function asInACheckout(files: TreeFiles): Promise<readonly string[]> {
  const { objects, inputs } = await render(files);
  assert.deepEqual(objects.map(canonicalJson), await kubectl.buildFiles(files, "app"));
  assert.ok(objects.length > 0);
  return Object.keys(inputs).filter((path) => inputs[path] !== "");
}

const app = (kustomization: string, more: TreeFiles): TreeFiles => ({ "app/kustomization.yaml": kustomization, ...more });

test("C2 a link to a file of the application is read as that file, and both are inputs", async () => {
  const files = app("resources: [a.yaml]\n", {
    "app/a.yaml": { link: "files/real.yaml" },
    "app/files/real.yaml": configMap("a"),
  });
  assert.deepEqual(await asInACheckout(files), ["app/kustomization.yaml", "app/a.yaml", "app/files/real.yaml"]);
  const tree = memoryTree(files);
  const { inputs } = await renderFolder(renderer, { tree, path: "app" });
  assert.equal(inputs["app/a.yaml"], tree.oid("app/a.yaml"));
  assert.equal(inputs["app/files/real.yaml"], tree.oid("app/files/real.yaml"));
});

test("C2 links to folders, through folders and through other links lead where they do on a disk", async () => {
  await asInACheckout(
    app("resources: [sub/a.yaml, base]\n", {
      "app/sub": { link: "files" },
      "app/files/a.yaml": configMap("a"),
      "app/base": { link: "bases/current" },
      "app/bases/current": { link: "v2/" },
      "app/bases/v2/kustomization.yaml": "resources: [b.yaml]\nnamePrefix: v2-\n",
      "app/bases/v2/b.yaml": configMap("b"),
    }),
  );
  // Seen from behind the link, .. is another folder than it reads.
  await asInACheckout(
    app("resources: [a.yaml]\n", {
      "app/a.yaml": { link: "short/../b.yaml" },
      "app/short": { link: "deep/er" },
      "app/deep/er/x": "",
      "app/deep/b.yaml": configMap("deep"),
      "app/b.yaml": configMap("shallow"),
    }),
  );
});

test("C2 a kustomization, patches and files of generators may be links", async () => {
  await asInACheckout({
    "app/kustomization.yaml": { link: "prod.yaml" },
    "app/prod.yaml":
      "resources: [a.yaml]\npatches: [{path: p.yaml}]\nconfigMapGenerator: [{name: g, files: [g.txt], envs: [e.env]}]\n",
    "app/a.yaml": configMap("a"),
    "app/p.yaml": { link: "patches/slow.yaml" },
    "app/patches/slow.yaml": configMap("a", { mode: "slow" }),
    "app/g.txt": { link: "./e.env" },
    "app/e.env": { link: "real.env" },
    "app/real.env": "A=1\n",
  });
});

test("C2 a link of a base may lead to what lies in that base", async () => {
  const files = (target: string): TreeFiles => ({
    "app/kustomization.yaml": "resources: [../bases/web]\n",
    "bases/web/kustomization.yaml": "resources: [sub/a.yaml]\n",
    "bases/web/sub/a.yaml": { link: target },
    "bases/web/real.yaml": configMap("a"),
    "bases/other.yaml": configMap("other"),
  });
  await asInACheckout(files("../real.yaml"));
  await assert.rejects(kubectl.buildFiles(files("../../other.yaml"), "app"), /is not in or below/);
  await refused(
    files("../../other.yaml"),
    "bases/web/sub/a.yaml: is a symbolic link to ../../other.yaml, out of bases/web: put the file itself there",
  );
});

test("C2 a link to a folder beside it may choose a shared base", async () => {
  const files: TreeFiles = {
    "app/kustomization.yaml": "resources: [../bases/current]\n",
    "bases/current": { link: "v1" },
    "bases/v1/kustomization.yaml": "resources: [a.yaml]\n",
    "bases/v1/a.yaml": configMap("a"),
  };
  assert.deepEqual(await asInACheckout(files), [
    "app/kustomization.yaml",
    "bases/current",
    "bases/v1/kustomization.yaml",
    "bases/v1/a.yaml",
  ]);
});

test("C2 a link that leads out of the application, in circles or nowhere is refused", async () => {
  const link = (target: string, more: TreeFiles = {}): TreeFiles => ({
    "app/a.yaml": { link: target },
    "b.yaml": configMap("b"),
    ...more,
  });
  const cases: readonly (readonly [TreeFiles, string])[] = [
    [
      link("/etc/passwd"),
      "app/a.yaml: is a symbolic link to an absolute path: let it lead to a file of the repository, or put the file itself there",
    ],
    [link("../b.yaml"), "app/a.yaml: is a symbolic link to ../b.yaml, out of app: put the file itself there"],
    [link("../nowhere.yaml"), "app/a.yaml: is a symbolic link to ../nowhere.yaml, out of app: put the file itself there"],
    [link("../../x"), "app/a.yaml: is a symbolic link that leads out of the repository: put the file itself there"],
    [link("gone.yaml"), "app/a.yaml: is a symbolic link to gone.yaml, which is not there"],
    [link("a.yaml"), "app/a.yaml: leads over more than 8 symbolic links, or in circles"],
    [link("c.yaml", { "app/c.yaml": { link: "a.yaml" } }), "app/a.yaml: leads over more than 8 symbolic links, or in circles"],
    [
      link("sub/b.yaml", { "app/sub": { link: ".." } }),
      "app/sub: is a symbolic link to .., out of app: put the file itself there",
    ],
    [link(""), "app/a.yaml: is a symbolic link that names no path"],
    [link("..\\b.yaml"), "app/a.yaml: is a symbolic link that names no path"],
    [link("b\0.yaml"), "app/a.yaml: is a symbolic link that names no path"],
    [link("x".repeat(5000)), "app/a.yaml: is a symbolic link that names no path"],
    [
      link("lib/b.yaml", { "app/lib": { submodule: "0".repeat(40) } }),
      "app/lib: submodules are not read: put the files into this repository",
    ],
  ];
  for (const [files, message] of cases) {
    await refused({ ...files, "app/kustomization.yaml": "resources: [a.yaml]\n" }, message);
    // As a plain folder: the same words, unless something else of that folder is refused before.
    if (!message.includes("submodules")) await refused(files, message);
  }
});

test("C2 eight links are followed, a ninth is not", async () => {
  const chain = (length: number): TreeFiles => ({
    "app/a0.yaml": configMap("end"),
    ...Object.fromEntries(Array.from({ length }, (_, index) => [`app/a${index + 1}.yaml`, { link: `a${index}.yaml` }])),
  });
  const files = (length: number) => app(`resources: [a${length}.yaml]\n`, chain(length));
  assert.equal((await asInACheckout(files(8))).length, 10);
  await refused(files(9), "app/a9.yaml: leads over more than 8 symbolic links, or in circles");
});

test("C2 paths through a link are refused where the link is", async () => {
  await refused(
    app("resources: [out/b.yaml]\n", { "app/out": { link: "../other" }, "other/b.yaml": configMap("b") }),
    "app/out: is a symbolic link to ../other, out of app: put the file itself there",
  );
});

test("a plain folder reads a link to a file below it, under the link's name, and follows none to a folder", async () => {
  const { objects, inputs } = await render({ "app/a.yaml": { link: "files/b.yaml" }, "app/files/b.yaml": configMap("b") });
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.name),
    ["b"],
  );
  assert.deepEqual(Object.keys(inputs).sort(), ["app/", "app/a.yaml", "app/files/b.yaml"]);
  await refused(
    { "app/a.yaml": { link: "b.yaml" }, "app/b.yaml": configMap("b") },
    "app/b.yaml:1: ConfigMap b is there twice, here and in app/a.yaml:1: remove one of the two",
  );
  const folder: TreeFiles = { "app/a.yaml": { link: "files" }, "app/files/b.yaml": configMap("b") };
  await refused(
    folder,
    "app/a.yaml: is a symbolic link to a folder, which is not followed: exclude it, or take the folder by `recurse`",
  );
  const { objects: all } = await render(
    { "app/same": { link: "files" }, "app/files/b.yaml": configMap("b") },
    { directory: { recurse: true, include: [], exclude: [] } },
  );
  assert.equal(all.length, 1);
});
