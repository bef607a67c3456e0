import assert from "node:assert/strict";
import { test } from "node:test";
import { stringifyJson } from "../../lib/model/json.ts";
import { type RenderedFolder, renderFolder, testRenderer } from "./helper.ts";
import { memoryTree } from "./tree.ts";

const renderer = await testRenderer();

const render = (text: string): Promise<RenderedFolder> =>
  renderFolder(renderer, { tree: memoryTree({ "app/a.yaml": text }), path: "app" });

const refused = (text: string, message: string) =>
  assert.rejects(render(text), { name: "DriftlessError", code: "render", retryable: false, message });

const texts = ({ objects }: RenderedFolder): readonly string[] => objects.map((object) => stringifyJson(object));

test("E7 an object is the same one under another version, in the same and in another file", async () => {
  const deployment = (version: string) =>
    `apiVersion: apps/${version}\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n`;
  await refused(
    `${deployment("v1")}---\n${deployment("v1beta1")}`,
    "app/a.yaml:5: Deployment shop/web is there twice, here and in app/a.yaml:1: remove one of the two",
  );
  const others = await render(`${deployment("v1")}---\n${deployment("v1").replace("apps", "other.example")}`);
  assert.equal(others.objects.length, 2);
});

test("E7 lists of any kind give their items, also lists in lists, and an item may leave its kind to a list of one kind", async () => {
  const rendered = await render(
    [
      "apiVersion: v1",
      "kind: List",
      "items:",
      "- apiVersion: v1",
      "  kind: ConfigMapList",
      "  items:",
      "  - metadata: {name: a}",
      "- {apiVersion: example.com/v1, kind: Note, metadata: {name: b}, items: [1]}",
    ].join("\n"),
  );
  assert.deepEqual(texts(rendered), [
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}',
    '{"apiVersion":"example.com/v1","items":[1],"kind":"Note","metadata":{"name":"b"}}',
  ]);
  await refused(
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
    "app/a.yaml:1: ConfigMap a is there twice, here and in app/a.yaml:1: remove one of the two",
  );
});

test("E7 an object without a name of its own is refused", async () => {
  await refused(
    "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n",
    "app/a.yaml:1: Job has metadata.generateName, which gives a new object on every sync: use metadata.name",
  );
  await refused("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "app/a.yaml:1: ConfigMap metadata.name is missing");
});

test("a hook may leave its name to each sync, and is called by its content until then", async () => {
  const hook = (phase: string) =>
    `apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-, annotations: {argocd.argoproj.io/hook: ${phase}}}\n`;
  const { objects } = await render(`${hook("PreSync")}---\n${hook("PostSync")}`);
  assert.deepEqual(
    objects.map(({ metadata }) => [metadata["generateName"], metadata.name]),
    [
      ["run-", "run-b4f9ecc0"],
      ["run-", "run-e0211f6d"],
    ],
  );
  await refused(
    `${hook("PreSync")}---\n${hook("PreSync")}`,
    "app/a.yaml:5: Job run-b4f9ecc0 is there twice, here and in app/a.yaml:1: remove one of the two",
  );
});

test("E7 what only the server sets is left out with a warning", async () => {
  const rendered = await render(
    [
      "apiVersion: v1",
      "kind: ConfigMap",
      "metadata:",
      "  name: a",
      "  uid: 00000000-0000-0000-0000-000000000000",
      '  resourceVersion: "1"',
      "  generation: 2",
      "  creationTimestamp: 2001-12-14T00:00:00Z",
      "  managedFields: [{manager: kubectl}]",
      "status: {phase: old}",
    ].join("\n"),
  );
  assert.deepEqual(texts(rendered), ['{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}']);
  assert.deepEqual(rendered.warnings, [
    "app/a.yaml:1: ConfigMap a: status, metadata.uid, metadata.resourceVersion, metadata.managedFields, metadata.creationTimestamp, metadata.generation left out, only the server sets that",
  ]);
  const written = await render("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: null}\nstatus: {}\n");
  assert.deepEqual(texts(written), ['{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}']);
  assert.deepEqual(written.warnings, []);
});
