import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { HelperProcess } from "../../lib/render/helper-process.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startSops } from "../support/sops.ts";
import { helperBinary } from "./helper.ts";

const sops = await startSops();
const key = await sops.newAgeKey();
const child = new HelperProcess({
  helper: await helperBinary(),
  timeoutMs: 30_000,
  concurrency: 8,
  decryption: { ageKeys: async () => [{ secret: new Secret(key.identity), project: "" }] },
  log: silentLog,
});
after(async () => {
  await child.close();
  await sops.close();
});

const age = ["--age", key.recipient];

/** What a file holds as Kubernetes reads it: its documents, or why not. */
async function read(path: string, content: string | Uint8Array): Promise<string> {
  const bytes = Buffer.from(content);
  const entry = { path, type: "file", base64: bytes.toString("base64") } as const;
  const { objects = [], error } = await child.run({
    request: { op: "decode", path: "", entries: [entry] },
    lookup: async () => [],
  });
  return error === undefined ? objects.join("\n") : "refused";
}

/** Encrypts, and compares what the helper opens with what `sops decrypt` does. */
async function sameAsSops(file: string, content: string | Uint8Array, rule: object = {}): Promise<string> {
  const encrypted = await sops.encrypt(file, { content, rule: { age: key.recipient, ...rule } });
  const { [file]: decrypted = "" } = await sops.decrypt({ [file]: encrypted }, key);
  const opened = await read(file, encrypted);
  assert.equal(opened, await read(file, decrypted), file);
  return opened;
}

const values = [
  "# first",
  "text: hunter2 # beside",
  "empty: ''",
  "whole: 9007199254740993",
  "negative: -12",
  "octal: 0644",
  "real: 1.5",
  "exact: 0.1",
  "large: 1e+21",
  "yes: true",
  "no: false",
  "nothing: null",
  "quoted: 'yes'",
  "date: 2026-01-02",
  "lines: |",
  "  one",
  "  two",
  "list: [a, 1, 2.5, true, null, {deep: [x]}]",
  "# about the map",
  "map:",
  "  # inside",
  "  plain_unencrypted: seen",
  "  code: §ü→💥",
  "  hidden_secret: s3cret",
  "",
].join("\n");

const rules: readonly Readonly<Record<string, string | boolean>>[] = [
  {},
  { unencrypted_suffix: "_unencrypted" },
  { encrypted_suffix: "_secret" },
  { encrypted_regex: "^(text|list|hidden_.*)$" },
  { unencrypted_regex: "^(map|real)$" },
  { encrypted_regex: "^text$", mac_only_encrypted: true },
  { encrypted_comment_regex: "about" },
  { unencrypted_comment_regex: "beside" },
];

for (const rule of rules) {
  test(`YAML is opened as sops decrypts it: ${JSON.stringify(rule)}`, async () => {
    const opened = await sameAsSops("values.yaml", values, rule);
    assert.match(opened, /"text":"hunter2"/);
    assert.match(opened, /"whole":9007199254740993,/);
    assert.match(opened, /"octal":420/);
    assert.match(opened, /"list":\["a",1,2\.5,true,null,\{"deep":\["x"\]\}\]/);
  });
}

test("every document of a stream is opened, and the keys of SOPS stand in none of them", async () => {
  const opened = await sameAsSops("two.yaml", "a: 1\n---\n# second\nb: two\n---\nc: [3]\n");
  assert.equal(opened, '{"a":1}\n{"b":"two"}\n{"c":[3]}');
});

test("JSON is opened as sops decrypts it", async () => {
  const document = { text: "hunter2", whole: 9007199254740991, real: -0.25, list: [[], {}, null, true], map: { "a b": "" } };
  assert.deepEqual(JSON.parse(await sameAsSops("values.json", JSON.stringify(document))), document);
});

test("a file whose name says nothing is opened by what it holds", async () => {
  const manifest = "kind: Secret\nstringData: {key: hunter2}\n";
  assert.equal(await sameAsSops("secret.enc", manifest), '{"kind":"Secret","stringData":{"key":"hunter2"}}');
  const yaml = await sops.encrypt("a.yaml", { content: "a: 1\n", args: age });
  for (const name of ["Kustomization", "a.YAML", "a.txt"]) assert.equal(await read(name, yaml), '{"a":1}');
  const json = await sops.encrypt("a.json", { content: '{"a":1,"data":2}', args: age });
  for (const name of ["a", "a.yaml"]) assert.equal(await read(name, json), '{"a":1,"data":2}');
});

test("random documents are opened as sops decrypts them", async () => {
  const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text !== "sops" && text !== "<<");
  const leaf = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(name, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const document = fc.dictionary(name, tree, { minKeys: 1, maxKeys: 6, noNullPrototype: true });
  const stream = fc.record({
    documents: fc.array(document, { minLength: 1, maxLength: 16 }),
    form: fc.constantFrom("yaml", "yaml", "json"),
  });
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(stream, async ({ documents, form }) => {
      const texts = documents.map((value) => JSON.stringify(value));
      const content = form === "json" ? texts[0]! : texts.join("\n---\n");
      const opened = await sameAsSops(`random.${form}`, content);
      if (opened !== "refused") compared += opened.split("\n").length;
    }),
    { numRuns: 16 },
  );
  assert.ok(compared > 50, `${compared} documents were compared`);
});

test("environment files, INI and binary content come out byte for byte", async () => {
  const binary = Buffer.from([0, 255, 254, 1, 10, 13, 0x80, ...Buffer.from("hunter2")]);
  const contents = {
    "app.env": "# of the shop\nUSER=shop\nPASSWORD=a=b \"quoted\" 'x'\nLINES=one\\ntwo\n",
    "app.ini": "[db]\nuser = shop\npassword = hunter2\n",
    "app.bin": binary,
    app: "any text\n",
    "app.yaml": values,
    "app.json": '{"a": [1, 2.50, "x"]}',
  };
  for (const [file, content] of Object.entries(contents)) {
    const encrypted = await sops.encrypt(file, { content, args: age });
    const { [file]: decrypted } = await sops.decrypt({ [file]: encrypted }, key);
    assert.deepEqual(await generated(file, encrypted), decrypted, file);
  }
});

/** The content of a file as a Secret made by Kustomize holds it. */
async function generated(file: string, content: string): Promise<Buffer> {
  const kustomization = `secretGenerator:\n- name: a\n  files: [${file}]\n`;
  const { objects = [], error } = await child.run({
    request: {
      op: "render",
      renderer: "kustomize",
      path: "app",
      remoteBases: [],
      entries: [
        { path: "app/kustomization.yaml", type: "file", text: kustomization },
        { path: `app/${file}`, type: "file", text: content },
      ],
    },
    lookup: async (paths) => paths.map((path) => ({ path, type: "none" })),
  });
  assert.equal(error, undefined);
  const secret = JSON.parse(objects[0] ?? "") as { readonly data: Readonly<Record<string, string>> };
  return Buffer.from(secret.data[file] ?? "", "base64");
}

test("the module of sops that opens files is the release that made them", () => {
  const versionIn = (file: string) =>
    /getsops\/sops\/v3 (v\S+)/.exec(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"))?.[1];
  assert.equal(versionIn("lib/render/helper/go.mod"), versionIn("test/oracles/sops/go.mod"));
});
