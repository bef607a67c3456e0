import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { DriftlessError } from "../../lib/errors.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startSops } from "../support/sops.ts";
import { shopChart as chart, encryptFiles, statedHelmOptions as noOptions, type PlainFiles } from "./encrypted.ts";
import { type FolderToRender, helperBinary, renderFolder } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree } from "./tree.ts";

const helper = await helperBinary();
const sops = await startSops();
const key = await sops.newAgeKey();
const lines: string[] = [];
const renderer = createHelperRenderer({
  helper,
  decryption: { ageKeys: async () => [{ secret: new Secret(key.identity), project: "" }] },
  log: jsonLog({ level: "debug", write: (line) => lines.push(line) }),
});
after(async () => {
  await renderer.close();
  await sops.close();
});

type Options = Omit<FolderToRender, "tree" | "path">;

const canary = "hunter2-canary";
const template = (text: string) => ({ ...chart, "app/values.yaml": `password: ${canary}\n`, "app/templates/db.yaml": text });
const kustomization = (text: string, more: PlainFiles) => ({
  "app/kustomization.yaml": text,
  "app/map.yaml": configMap("map"),
  ...more,
});
/** Each is wrong once it is decrypted: the files, and those that are encrypted. */
const mistakes: Readonly<Record<string, readonly [files: PlainFiles, secret: readonly string[], options?: Options]>> = {
  "YAML that cannot be read": [
    { "app/a": `apiVersion: v1\nkind: Secret\n  data: ${canary}: x\n`, "app/kustomization.yaml": "resources: [a]\n" },
    ["app/a"],
  ],
  "a text where a map belongs": [
    { "app/a": `- ${canary}\n- *${canary}\n`, "app/kustomization.yaml": "resources: [a]\n" },
    ["app/a"],
  ],
  "an object without metadata": [
    { "app/a.yaml": `kind: Secret\napiVersion: v1\nstringData: {password: ${canary}}\n` },
    ["app/a.yaml"],
  ],
  "a kind that is a secret": [{ "app/a.yaml": `kind: [${canary}]\napiVersion: v1\n` }, ["app/a.yaml"]],
  "a label that is a number": [
    { "app/a.yaml": `apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {a: 1}}\nstringData: {password: ${canary}}\n` },
    ["app/a.yaml"],
  ],
  "a patch for nothing": [
    kustomization("resources: [map.yaml]\npatches: [{path: p.yaml}]\n", {
      "app/p.yaml": `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gone}\ndata: {mode: ${canary}}\n`,
    }),
    ["app/p.yaml"],
  ],
  "a patch that is none": [
    kustomization("resources: [map.yaml]\npatches: [{path: p}]\n", { "app/p": `${canary}: [${canary}\n` }),
    ["app/p"],
  ],
  "a JSON patch that does not fit": [
    kustomization("resources: [map.yaml]\npatches: [{path: p, target: {kind: ConfigMap}}]\n", {
      "app/p": `[{"op": "replace", "path": "/data/${canary}/x", "value": "${canary}"}]`,
    }),
    ["app/p"],
  ],
  "an environment file with a line that is none": [
    kustomization("secretGenerator: [{name: a, envs: [env]}]\n", {
      "app/env": Buffer.concat([Buffer.from(`USER=a\nPASSWORD=${canary}`), Buffer.from([0xff, 10])]),
    }),
    ["app/env"],
  ],
  "a generator's own file": [
    kustomization("generators: [g.yaml]\n", {
      "app/g.yaml": `apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: a}\nliterals: [${canary}]\n`,
    }),
    ["app/g.yaml"],
  ],
  "a template that fails with a value": [template('{{ fail (printf "bad: %s" .Values.password) }}'), ["app/values.yaml"]],
  "a template that fails with an encoded value": [template("{{ fail (b64enc .Values.password) }}"), ["app/values.yaml"]],
  "a template that fails with a value in capitals": [template("{{ fail (upper .Values.password) }}"), ["app/values.yaml"]],
  "a template that makes no YAML": [
    template("kind: Secret\n a: {{ .Values.password }}: {{ .Values.password }}\n"),
    ["app/values.yaml"],
  ],
  "a template that reads a value as another kind": [
    template("{{ range $k, $v := .Values.password }}{{ $k }}{{ end }}"),
    ["app/values.yaml"],
  ],
  "a template that parses a value": [template('{{ tpl (printf "{{ %s" .Values.password) . }}'), ["app/values.yaml"]],
  "values that do not fit the schema": [
    {
      ...template("kind: Secret\n"),
      "app/values.schema.json": '{"properties": {"password": {"type": "string", "pattern": "^[0-9]+$", "enum": ["a"]}}}',
    },
    ["app/values.yaml"],
  ],
  "values that are no YAML": [
    { ...template("kind: Secret\n"), "app/secrets": `a: ${canary}: b\n- ${canary}` },
    ["app/secrets"],
    { source: { helm: { ...noOptions, valueFiles: ["secrets"] } } },
  ],
};

for (const [name, [files, secret, options]] of Object.entries(mistakes)) {
  test(`an error tells the place and never a decrypted value: ${name}`, async () => {
    const tree = memoryTree(await encryptFiles(files, { secret, sops, key }));
    await assert.rejects(renderFolder(renderer, { tree, path: "app", ...options }), (error: unknown) => {
      assert.ok(error instanceof DriftlessError, String(error));
      assert.equal(error.code, "render");
      assert.match(error.message, /^app/);
      noCanary(JSON.stringify([error.message, error.facts, String(error.cause)]));
      return true;
    });
    noCanary(lines.join(""));
  });
}

function noCanary(text: string): void {
  for (const form of [
    "hunter2",
    "canary",
    Buffer.from(canary).toString("base64").slice(0, 12),
    [...Buffer.from("canary")].join(" "),
  ]) {
    assert.ok(!text.toLowerCase().includes(form.toLowerCase()), text);
  }
}

test("warnings tell no decrypted value either", async () => {
  const content = `apiVersion: v1\nkind: Secret\nmetadata: {name: a, uid: ${canary}}\nstatus: {a: ${canary}}\nstringData: {${canary}-key: x}\n`;
  const files = await encryptFiles({ "app/a.yaml": content }, { secret: ["app/a.yaml"], sops, key });
  const { warnings } = await renderFolder(renderer, { tree: memoryTree(files), path: "app" });
  assert.deepEqual(warnings, ["app/a.yaml:1: Secret a: status, metadata.uid left out, only the server sets that"]);
});

test("an error without decrypted values is told as it is", async () => {
  const content = `apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {a: 1}}\nstringData: {password: ${canary}}\n`;
  const files = await encryptFiles({ "app/a.yaml": content }, { secret: ["app/a.yaml"], sops, key });
  await assert.rejects(renderFolder(renderer, { tree: memoryTree(files), path: "app" }), {
    message:
      'app/a.yaml: line 1 of what it holds decrypted: Secret a: metadata.labels: the value of "a" is a number, not text: quote it',
  });
});

test("the helper writes nothing of what it decrypts to standard error", async () => {
  // A comment that an old release left unencrypted, which the library would tell.
  const text = await sops.encrypt("a.yaml", { content: `# ${canary}\na: ${canary}\n`, args: ["--age", key.recipient] });
  const old = text.replace(/^#ENC.*$/m, `# ${canary}`);
  assert.notEqual(old, text);
  const child = spawn(helper, [], { env: {}, stdio: ["pipe", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const say = (message: object) => child.stdin.write(`${JSON.stringify({ id: 1, ...message })}\n`);
  say({ op: "decode", path: "", entries: [{ path: "a.yaml", type: "file", text: old }] });
  const answers: unknown[] = [];
  for await (const line of createInterface(child.stdout)) {
    answers.push(JSON.parse(line));
    if (answers.length === 1) say({ op: "ageKeys", ageKeys: [key.identity] });
    else child.stdin.end();
  }
  assert.deepEqual(answers, [
    { id: 1, ageKeys: true },
    { id: 1, objects: [`{"a":"${canary}"}`], done: true },
  ]);
  assert.equal(stderr, "");
});
