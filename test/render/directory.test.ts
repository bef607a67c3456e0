import assert from "node:assert/strict";
import { test } from "node:test";
import type { DirectoryOptions, GitSource } from "../../lib/model/application-source.ts";
import { stringifyJson } from "../../lib/model/json.ts";
import { inputAt } from "../../lib/render/inputs.ts";
import { renderFolder, testRenderer } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();

const everyFile: DirectoryOptions = { recurse: false, include: [], exclude: [] };

const render = (files: TreeFiles, path = "app") => renderFolder(renderer, { tree: memoryTree(files), path });

const refused = (files: TreeFiles, message: string | RegExp, path = "app") =>
  assert.rejects(render(files, path), { name: "DriftlessError", code: "render", message });

test("a plain folder gives the objects of its yaml, yml and json files, in the order of their names", async () => {
  const { renderer: kind, objects } = await render({
    "app/c.yml": configMap("c"),
    "app/a.yaml": `${configMap("a1")}---\n${configMap("a2")}`,
    "app/b.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}',
  });
  assert.equal(kind, "directory");
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.name),
    ["a1", "a2", "b", "c"],
  );
});

test("sub-folders, hidden files and other files of a plain folder are left alone", async () => {
  const tree = memoryTree({
    "app/a.yaml": configMap("a"),
    "app/sub/b.yaml": configMap("b"),
    "app/.hidden.yaml": configMap("h"),
    "app/README.md": "not: [yaml",
  });
  const { objects } = await renderFolder(renderer, { tree, path: "app" });
  assert.equal(objects.length, 1);
  assert.deepEqual([...tree.blobsRead], [tree.oid("app/a.yaml")]);
});

/** Which of its inputs another commit changes. */
async function changedBy(before: TreeFiles, after: TreeFiles, source: Partial<GitSource> = {}): Promise<readonly string[]> {
  const { inputs } = await renderFolder(renderer, { tree: memoryTree(before), path: "app", source });
  const tree = memoryTree(after);
  const changed: string[] = [];
  for (const [input, id] of Object.entries(inputs)) if ((await inputAt(tree, input)) !== id) changed.push(input);
  assert.deepEqual([...tree.blobsRead], [], "no blob is read to find that out");
  return changed;
}

test("the inputs of a plain folder are the files that were read, and which files there are", async () => {
  const tree = memoryTree({ "app/a.yaml": configMap("a"), "app/README.md": "x", "other/b.yaml": configMap("b") });
  const { inputs } = await renderFolder(renderer, { tree, path: "app" });
  assert.deepEqual(Object.keys(inputs).sort(), ["app/", "app/a.yaml"]);
  assert.equal(inputs["app/a.yaml"], tree.oid("app/a.yaml"));
});

test("a plain folder is rendered again for its own manifests only", async () => {
  const before: TreeFiles = { "app/a.yaml": configMap("a"), "app/b.json": "", "app/README.md": "x", "app/sub/c.yaml": "" };
  assert.deepEqual(await changedBy(before, before), []);
  assert.deepEqual(
    await changedBy(before, { ...before, "app/sub/c.yaml": "changed", "app/README.md": "y", "app/new.md": "" }),
    [],
  );
  assert.deepEqual(await changedBy(before, { ...before, "app/a.yaml": configMap("a2") }), ["app/a.yaml"]);
  assert.deepEqual(await changedBy(before, { ...before, "app/new.yml": "" }), ["app/"]);
  assert.deepEqual(await changedBy(before, { ...before, "app/kustomization.yaml": "" }), ["app/"]);
  assert.deepEqual(await changedBy(before, { "app/a.yaml": configMap("a") }), ["app/", "app/b.json"]);
  assert.deepEqual(await changedBy(before, { ...before, "app/b.json": { link: "a.yaml" } }), ["app/", "app/b.json"]);
  assert.deepEqual(await changedBy(before, { elsewhere: "" }), ["app/", "app/a.yaml", "app/b.json"]);
});

test("with recurse, anything below the folder counts", async () => {
  const before: TreeFiles = { "app/a.yaml": configMap("a"), "app/sub/c.yaml": configMap("c") };
  const source = { directory: { ...everyFile, recurse: true } };
  assert.deepEqual(await changedBy(before, { ...before, "other/x.yaml": "" }, source), []);
  assert.deepEqual(await changedBy(before, { ...before, "app/sub/deep/d.yaml": "" }, source), ["app"]);
});

test("the root of a repository is a folder like any other", async () => {
  const tree = memoryTree({ "a.yaml": configMap("a") });
  const { objects, inputs } = await renderFolder(renderer, { tree, path: "" });
  assert.equal(objects.length, 1);
  assert.deepEqual(Object.keys(inputs).sort(), ["/", "a.yaml"]);
  assert.equal(await inputAt(tree, "/"), inputs["/"]);
});

test("a folder without manifests gives no objects", async () => {
  const { objects } = await render({ "app/README.md": "x" });
  assert.deepEqual(objects, []);
});

test("integers beyond 2^53 stay exact", async () => {
  const { objects } = await render({
    "app/a.yaml": "apiVersion: x/v1\nkind: X\nmetadata: {name: a}\nspec: {big: 9007199254740993, max: 9223372036854775807}\n",
  });
  assert.equal(
    stringifyJson(objects[0]!),
    '{"apiVersion":"x/v1","kind":"X","metadata":{"name":"a"},"spec":{"big":9007199254740993,"max":9223372036854775807}}',
  );
});

test("E5 a key named __proto__ is data", async () => {
  const { objects } = await render({
    "app/a.yaml": `${configMap("a")}  __proto__: polluted\n`,
  });
  assert.equal(stringifyJson(objects[0]!["data"]!), '{"__proto__":"polluted","mode":"fast"}');
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("an error names the file, the line and what to do", async () => {
  await refused({ "app/a.yaml": `${configMap("a")}---\na: 1\nb:\n\t- x\n` }, /^app\/a\.yaml:10: .*indent with spaces\)$/);
  await refused({ "app/a.yaml": "a: 1\na: 2\n" }, 'app/a.yaml:2: key "a" is there twice: remove one of the two');
  await refused({ "app/a.yaml": "\n# c\nkind: A\n" }, "app/a.yaml:3: apiVersion is missing");
  await assert.rejects(render({ "app/a.yaml": "a: 1\na: 2\n" }), { facts: { file: "app/a.yaml", line: 2 }, retryable: false });
});

test("E7 the same object twice is refused, naming both files", async () => {
  await refused(
    { "app/a.yaml": configMap("x", { namespace: "shop" }), "app/b.yaml": `# copy\n${configMap("x", { namespace: "shop" })}` },
    "app/b.yaml:2: ConfigMap shop/x is there twice, here and in app/a.yaml:1: remove one of the two",
  );
  const { objects } = await render({
    "app/a.yaml": configMap("x", { namespace: "shop" }),
    "app/b.yaml": configMap("x", { namespace: "till" }),
  });
  assert.equal(objects.length, 2);
});

test("words that Kubernetes reads as booleans give a warning with the line", async () => {
  const { warnings } = await render({
    "app/a.yaml": "apiVersion: x/v1\nkind: X\nmetadata: {name: a}\nspec:\n  on: push\n  countries: [SE, NO]\n",
  });
  assert.deepEqual(warnings, [
    'app/a.yaml:5: key on is read as "true": quote it',
    "app/a.yaml:6: NO is read as false: write false, or quote it",
  ]);
});

test("a missing folder, a file in its place, submodules and LFS pointers are refused", async () => {
  await refused({ "b/a.yaml": "" }, /^app: the folder does not exist in commit [0-9a-f]{7}: correct the path$/);
  await refused({ app: "x" }, "app: the application's path is a file: name the folder that holds it");
  const behind = "app: the application's path leads over a symbolic link: name the folder behind it";
  await refused({ app: { link: "b" }, "b/a.yaml": "" }, behind);
  await refused({ app: { link: "b" }, "b/c/a.yaml": "" }, behind, "app/c");
  await refused(
    { "app/vendor": { submodule: "0123456789012345678901234567890123456789" } },
    "app/vendor: submodules are not read: put the files into this repository",
  );
  await refused(
    { "app/a.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n" },
    "app/a.yaml: the file is a Git LFS pointer, its content is not in the commit: store manifests without LFS",
  );
});

test("what is not UTF-8 is refused, not guessed", async () => {
  await refused({ "app/a.yaml": Buffer.from("a: \u00e9\n", "latin1") }, "app/a.yaml:1: the file is not valid UTF-8");
  await refused({ "app/a.yaml": Buffer.from("\ufeffa: 1\n", "utf16le") }, "app/a.yaml:1: the file is UTF-16: save it as UTF-8");
});

test("C4 an application of more than 10 MiB is refused", async () => {
  const large = `${configMap("a")}  text: ${"x".repeat(6 * 1024 * 1024)}\n`;
  await refused({ "app/a.yaml": large, "app/b.yaml": `${large} ` }, /^app\/b\.yaml: .* take more than 10 MiB$/);
});

const folders: TreeFiles = {
  "app/a.yaml": configMap("a"),
  "app/z.yml": configMap("z"),
  "app/one/b.yaml": configMap("b"),
  "app/one/two/c.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}',
  "app/one/.hidden/h.yaml": configMap("h"),
  "app/one/.h.yaml": configMap("h"),
  "app/one/notes.txt": "not: [yaml",
};

const namesWith = async (options: Partial<DirectoryOptions>, files: TreeFiles = folders) => {
  const source = { directory: { ...everyFile, ...options } };
  const { objects, renderer: kind } = await renderFolder(renderer, { tree: memoryTree(files), path: "app", source });
  assert.equal(kind, "directory");
  return objects.map(({ metadata }) => metadata.name);
};

test("recurse takes the folders below, in the order of names, but no hidden ones", async () => {
  assert.deepEqual(await namesWith({}), ["a", "z"]);
  assert.deepEqual(await namesWith({ recurse: true }), ["a", "b", "c", "z"]);
});

test("include and exclude are held to the path below the folder, exclude over include", async () => {
  assert.deepEqual(await namesWith({ recurse: true, include: ["*.yaml"] }), ["a", "b"]);
  assert.deepEqual(await namesWith({ recurse: true, include: ["one/*"] }), ["b", "c"]);
  assert.deepEqual(await namesWith({ recurse: true, include: ["{a,z}.*", "*/c.json"] }), ["a", "c", "z"]);
  assert.deepEqual(await namesWith({ recurse: true, exclude: ["one/two"] }), ["a", "b", "z"]);
  assert.deepEqual(await namesWith({ recurse: true, include: ["*.yaml"], exclude: ["a*"] }), ["b"]);
  assert.deepEqual(await namesWith({ include: ["nothing*"] }), []);
});

test("what is left out is neither read nor judged", async () => {
  const files = {
    ...folders,
    "app/one/values.yaml": "not: [yaml",
    "app/chart/Chart.yaml": "name: x\n",
    "app/one/lfs.yaml": { link: "/x" },
  };
  assert.deepEqual(await namesWith({ recurse: true, exclude: ["chart", "*/values.yaml", "one/lfs*"] }, files), [
    "a",
    "b",
    "c",
    "z",
  ]);
});

test("below a plain folder a kustomization, a chart and what is no manifest are errors that say so", async () => {
  const recurse = { source: { directory: { ...everyFile, recurse: true } } };
  const refusedBelow = (files: TreeFiles, message: string) =>
    assert.rejects(renderFolder(renderer, { tree: memoryTree({ ...folders, ...files }), path: "app", ...recurse }), {
      code: "render",
      message,
    });
  await refusedBelow(
    { "app/one/kustomization.yaml": "resources: []\n" },
    "app/one/kustomization.yaml: is no manifest: make this kustomization an application of its own, without `directory`, or exclude it here",
  );
  await refusedBelow(
    { "app/chart/Chart.yaml": "name: x\n" },
    "app/chart/Chart.yaml: is no manifest: make this chart an application of its own, without `directory`, or exclude it here",
  );
  await refusedBelow({ "app/one/two/values.yaml": "replicas: 1\n" }, "app/one/two/values.yaml:1: apiVersion is missing");
});

test("C4 more than 20,000 files and folders in one application are refused", async () => {
  const files = Object.fromEntries(Array.from({ length: 20_001 }, (_, index) => [`app/one/${index}.txt`, ""]));
  const source = { directory: { ...everyFile, recurse: true } };
  await assert.rejects(renderFolder(renderer, { tree: memoryTree(files), path: "app", source }), {
    code: "render",
    message: "app/one: the folders of this application hold more than 20,000 files and folders",
  });
});
