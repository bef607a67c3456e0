import assert from "node:assert/strict";
import { test } from "node:test";
import { stringifyJson } from "../../lib/model/json.ts";
import { testRenderer } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree, type TreeFiles } from "./tree.ts";

const renderer = await testRenderer();

const render = (files: TreeFiles, path = "app") => renderer.render({ tree: memoryTree(files), path });

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
  const { objects } = await renderer.render({ tree, path: "app" });
  assert.equal(objects.length, 1);
  assert.deepEqual([...tree.blobsRead], [tree.oid("app/a.yaml")]);
});

test("the inputs of a plain folder are its tree and the files that were read", async () => {
  const tree = memoryTree({ "app/a.yaml": configMap("a"), "app/README.md": "x", "other/b.yaml": configMap("b") });
  const { inputs } = await renderer.render({ tree, path: "app" });
  assert.deepEqual(inputs, { app: tree.oid("app"), "app/a.yaml": tree.oid("app/a.yaml") });
});

test("the root of a repository is a folder like any other", async () => {
  const tree = memoryTree({ "a.yaml": configMap("a") });
  const { objects, inputs } = await renderer.render({ tree, path: "" });
  assert.equal(objects.length, 1);
  assert.deepEqual(inputs, { "": tree.oid(""), "a.yaml": tree.oid("a.yaml") });
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

test("a key named __proto__ is data", async () => {
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

test("the same object twice is refused, naming both files", async () => {
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

test("a missing folder, a file in its place, links, submodules and LFS pointers are refused", async () => {
  await refused({ "b/a.yaml": "" }, /^app: the folder does not exist in commit [0-9a-f]{7}: correct the path$/);
  await refused({ app: "x" }, "app: the application's path is a file: name the folder that holds it");
  await refused(
    { "app/a.yaml": { link: "../b.yaml" } },
    "app/a.yaml: symbolic links are not followed: put the file itself there",
  );
  await refused({ app: { link: "b" }, "b/a.yaml": "" }, "app: symbolic links are not followed: put the file itself there");
  await refused({ app: { link: "b" }, "b/c/a.yaml": "" }, /^app: symbolic links are not followed/, "app/c");
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

test("an application of more than 10 MiB is refused", async () => {
  const large = `${configMap("a")}  text: ${"x".repeat(6 * 1024 * 1024)}\n`;
  await refused({ "app/a.yaml": large, "app/b.yaml": `${large} ` }, /^app\/b\.yaml: .* take more than 10 MiB$/);
});
