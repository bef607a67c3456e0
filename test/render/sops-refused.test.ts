import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Decryption } from "../../lib/render/decryption.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startSops } from "../support/sops.ts";
import { encryptedRenders, encryptedManifest as manifest } from "./encrypted.ts";

const sops = await startSops();
after(() => sops.close());
const [ours, theirs] = await Promise.all([sops.newAgeKey(), sops.newAgeKey()]);
const ourKeys: Decryption = { ageKeys: async () => [{ secret: new Secret(ours.identity), project: "" }] };
const { render, refused } = await encryptedRenders();

test("a file that was changed without SOPS is refused, whatever was changed", async () => {
  const content = "kind: Secret\nmetadata:\n  name: db\nstringData:\n  first: one-canary\n  second: two-canary\n";
  const rule = { age: ours.recipient, encrypted_regex: "^stringData$" };
  const text = await sops.encrypt("db.yaml", { content, rule });
  const [first = "", second = ""] = [...text.matchAll(/ENC\[\S+/g)].map(([value]) => value);
  const without = "without SOPS: change it by `sops edit` only, or encrypt it again";
  const mac = `app/db.yaml: MAC mismatch, the file was changed ${without}`;
  const changes: readonly (readonly [string, string])[] = [
    [text.replace("name: db", "name: other"), mac],
    [text.replace("kind: Secret", "kind: ConfigMap"), mac],
    [text.replace(/ {4}second: .*\n/, ""), mac],
    [text.replace(/mac: .*/, 'mac: ""'), mac],
    [text.replace(/lastmodified: "..../, 'lastmodified: "1999'), mac],
    [text.replace("encrypted_regex: ^stringData$", "encrypted_regex: ^none$"), mac],
    [`${text}---\nkind: Secret\nmetadata: {name: more}\n`, mac],
    [text.replace(second, first), `app/db.yaml: the value at stringData.second was written, changed or moved ${without}`],
    [text.replace(first, "plain-canary"), `app/db.yaml: the value at stringData.first was written, changed or moved ${without}`],
    [text.replace(first, "5"), `app/db.yaml: a value was written ${without}`],
    [text.replace(/type:str\]/, "type:bytes]"), /^app\/db\.yaml: it is marked as encrypted with SOPS, and cannot be read/.source],
    [
      `kind: Secret\nmetadata: {name: more}\n---\n${text}`,
      "app/db.yaml: only a part of it is encrypted with SOPS: encrypt the file as a whole, by `sops encrypt`",
    ],
    [
      `${text.replace("name: db", "name: &a db")}more: *a\n`,
      "app/db.yaml: it is encrypted with SOPS and has YAML aliases, which SOPS never writes: change it by `sops edit` only",
    ],
    [
      text.replace(/^ {4}age:\n[^]*?(?= {4}lastmodified)/m, ""),
      "app/db.yaml: it is marked as encrypted with SOPS, and cannot be read as such: see what `sops decrypt` says to it",
    ],
  ];
  for (const [changed, message] of changes) {
    assert.notEqual(changed, text);
    await refused(changed, message.startsWith("^") ? new RegExp(message) : message, ourKeys);
  }
});

test("values that SOPS encrypted never reach the cluster as they are, not even without their metadata", async () => {
  const text = await sops.encrypt("db.yaml", {
    content: manifest,
    rule: { age: ours.recipient, encrypted_regex: "^stringData$" },
  });
  const bare = text.replace(/^sops:\n[^]*/m, "");
  const message =
    "app: Secret db would be applied encrypted: its file has values that SOPS encrypted, but not the metadata to decrypt them: encrypt the whole file by `sops encrypt`";
  await refused(bare, message, ourKeys);
  const value = /password: (.*)/.exec(bare)?.[1] ?? "";
  const data = bare.replace("stringData", "data").replace(value, Buffer.from(value).toString("base64"));
  await refused(data, message, ourKeys);
});

test("what an operator in the cluster decrypts is left to it", async () => {
  const content = "apiVersion: isindir.github.com/v1alpha3\nkind: SopsSecret\nmetadata: {name: a}\nspec: {password: hunter2}\n";
  const text = await sops.encrypt("a.yaml", { content, rule: { age: theirs.recipient, encrypted_suffix: "password" } });
  const [found] = await render(text);
  assert.match(JSON.stringify(found?.["spec"]), /ENC\[AES256_GCM/);
  assert.ok(found?.["sops"] !== undefined);
});

test("an encrypted file that would grow beyond all bounds is refused", { timeout: 60_000 }, async () => {
  const text = await sops.encrypt("db.json", { content: '{"a": 1}', args: ["--age", ours.recipient] });
  const deep = text.replace('"a":', `"b": ${"[".repeat(2_000)}${"]".repeat(2_000)}, "a":`);
  await assert.rejects(render(deep, ourKeys, "db.json"), {
    message: "app/db.json: it is nested more than 128 levels deep",
  });
});
