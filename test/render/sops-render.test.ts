import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startSops } from "../support/sops.ts";
import { shopChart as chart, encryptFiles, statedHelmOptions as noOptions, type PlainFiles } from "./encrypted.ts";
import { type FolderToRender, helperBinary, renderFolder } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree } from "./tree.ts";

const helper = await helperBinary();
const sops = await startSops();
const key = await sops.newAgeKey();
const renderer = createHelperRenderer({
  helper,
  decryption: { ageKeys: async () => [{ secret: new Secret(key.identity), project: "" }] },
});
after(async () => {
  await renderer.close();
  await sops.close();
});

type Options = Omit<FolderToRender, "tree" | "path">;

/** What the files give when some are encrypted must be what `sops decrypt` and then the same render give. */
async function sameAsDecrypted(plain: PlainFiles, secret: readonly string[], options: Options = {}) {
  const files = await encryptFiles(plain, { secret, sops, key });
  const texts = Object.fromEntries(secret.map((file) => [file, files[file] as string]));
  const decrypted = await sops.decrypt(texts, key);
  const rendered = await renderFolder(renderer, { tree: memoryTree(files), path: "app", ...options });
  const expected = await renderFolder(renderer, { tree: memoryTree({ ...plain, ...decrypted }), path: "app", ...options });
  assert.deepEqual(rendered.objects, expected.objects);
  const { inputs } = await renderFolder(renderer, { tree: memoryTree(files), path: "app", ...options });
  assert.deepEqual(Object.keys(inputs), Object.keys(expected.inputs));
  return rendered.objects;
}

const secretManifest = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: db\nstringData:\n    password: hunter2-canary\n";

test("a plain folder may mix files that are encrypted and files that are not", async () => {
  const files = {
    "app/db.yaml": secretManifest,
    "app/map.yaml": configMap("map"),
    "app/list.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"json"}}',
  };
  const objects = await sameAsDecrypted(files, ["app/db.yaml", "app/list.json"]);
  assert.deepEqual(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(), [
    "ConfigMap json",
    "ConfigMap map",
    "Secret db",
  ]);
});

test("resources, patches and generators of a kustomization may be encrypted; generated names are those of the decrypted content", async () => {
  const files = {
    "app/kustomization.yaml": [
      "resources: [db.yaml, map.yaml]",
      "patches: [{path: patch.yaml}]",
      "secretGenerator:",
      "- {name: env, envs: [app.env]}",
      "- {name: file, files: [tls.key, config.json, renamed=values.yaml]}",
      "configMapGenerator:",
      "- {name: map, behavior: merge, files: [app.ini]}",
      "",
    ].join("\n"),
    "app/db.yaml": secretManifest,
    "app/map.yaml": configMap("map"),
    "app/patch.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n    name: db\nstringData:\n    user: shop-canary\n",
    "app/app.env": "# of the shop\nUSER=shop\nPASSWORD=hunter2-canary\n",
    "app/tls.key": Buffer.from([0, 159, 146, 150, 10]),
    "app/config.json": '{"token": "canary", "port": 8080}',
    "app/values.yaml": "# with a comment\na: 1\n",
    "app/app.ini": "[a]\nb = c\n",
  };
  const secret = Object.keys(files).filter((file) => !/kustomization|map\.yaml/.test(file));
  const objects = await sameAsDecrypted(files, secret);
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
  assert.match(names.join("; "), /^ConfigMap map; Secret db; Secret env-\w{10}; Secret file-\w{10}$/);
  const env = objects.find(({ metadata }) => metadata.name.startsWith("env-"));
  assert.deepEqual(env?.["data"], { USER: "c2hvcA==", PASSWORD: "aHVudGVyMi1jYW5hcnk=" });
});

test("a base beside the application may be encrypted too, and components", async () => {
  const files = {
    "app/kustomization.yaml": "resources: [../base]\ncomponents: [../extra]\n",
    "base/kustomization.yaml": "resources: [db.yaml]\n",
    "base/db.yaml": secretManifest,
    "extra/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [more.yaml]\n",
    "extra/more.yaml": secretManifest.replace("db", "more"),
  };
  const objects = await sameAsDecrypted(files, ["base/db.yaml", "extra/more.yaml"]);
  assert.equal(objects.length, 2);
});

test("values of a chart, value files and files that templates read may be encrypted", async () => {
  const files = {
    ...chart,
    "app/values.yaml": "user: shop\npassword: first-canary\n",
    "app/secrets.yaml": "password: hunter2-canary\n",
    "app/extra.txt": "text of a file",
  };
  const source = { helm: { ...noOptions, valueFiles: ["secrets.yaml"] } };
  const [object] = await sameAsDecrypted(files, ["app/values.yaml", "app/secrets.yaml", "app/extra.txt"], { source });
  assert.deepEqual(object?.["stringData"], { user: "shop", password: "hunter2-canary", file: "text of a file" });
});
