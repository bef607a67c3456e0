import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, test } from "node:test";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { startSecrets } from "../../cli/local/secrets.ts";
import { createSecretAgeKeys } from "../../lib/render/age-key-secret.ts";
import { createFileAgeKeys, parseAgeKeys } from "../../lib/render/age-keys.ts";
import type { Decryption } from "../../lib/render/decryption.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import { createKmsDecrypt } from "../../lib/render/kms.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startKms } from "../support/kms.ts";
import { startSops } from "../support/sops.ts";
import { encryptedRenders, encryptedManifest as manifest, encryptedObject as object } from "./encrypted.ts";
import { helperBinary, renderFolder } from "./helper.ts";
import { configMap } from "./manifests.ts";
import { memoryTree } from "./tree.ts";

const helper = await helperBinary();
const { render, refused } = await encryptedRenders();
const sops = await startSops();
const kms = await startKms();
const [ours, theirs, third] = await Promise.all([sops.newAgeKey(), sops.newAgeKey(), sops.newAgeKey()]);
after(async () => {
  await sops.close();
  await kms.close();
});

const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const aws = { AWS_ENDPOINT_URL_KMS: kms.endpoint };
const openKms = () => createKmsDecrypt({ endpoint: kms.endpoint, credentials, maxAttempts: 1 });
const ageKeys: Decryption["ageKeys"] = async () => [{ secret: new Secret(ours.identity), project: "" }];
const ourKeys: Decryption = { ageKeys };

const cannot = "app/db.yaml: it is encrypted with SOPS and cannot be decrypted: ";
const advice = ". Driftless opens files for age keys and AWS KMS keys: configure one of these, or encrypt it for one that is";
const forAge = (recipients: string) => sops.encrypt("db.yaml", { content: manifest, args: ["--age", recipients] });

test("an encrypted file is opened with the age key that it is for, among others of it and of ours", async () => {
  const text = await forAge(`${theirs.recipient},${ours.recipient}`);
  assert.deepEqual(await render(text, ourKeys), [object]);
  const both: Decryption["ageKeys"] = async () => [
    { secret: new Secret(third.identity), project: "" },
    { secret: new Secret(ours.identity), project: "" },
  ];
  assert.deepEqual(await render(text, { ageKeys: both }), [object]);
});

test("without a key an encrypted file is an error that names the keys that would open it, and never applied as it is", async () => {
  const text = await forAge(ours.recipient);
  await refused(text, `${cannot}age ${ours.recipient} (no age key is configured)${advice}`);
  const wrong: Decryption = { ageKeys: async () => [{ secret: new Secret(theirs.identity), project: "" }] };
  await refused(text, `${cannot}age ${ours.recipient} (none of the configured age keys is for it)${advice}`, wrong);
});

test("an encrypted file for keys that Driftless does not open says which these are", async () => {
  const text = await forAge(ours.recipient);
  const other = text.replace(
    /age:\n[^]*?(?= {4}lastmodified)/,
    [
      "pgp:",
      '        - created_at: "2026-01-01T00:00:00Z"',
      "          enc: x",
      "          fp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4",
      "    gcp_kms:",
      "        - resource_id: projects/p/locations/global/keyRings/r/cryptoKeys/k",
      '          created_at: "2026-01-01T00:00:00Z"',
      "          enc: x",
      "",
    ].join("\n"),
  );
  assert.notEqual(other, text);
  const pgp = "PGP FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4 (not supported)";
  const gcp = "GCP KMS projects/p/locations/global/keyRings/r/cryptoKeys/k (not supported)";
  await refused(other, `${cannot}${pgp}; ${gcp}${advice}`, ourKeys);
});

test("keys are asked for only when an encrypted file is met, and age keys once", async () => {
  let asked = 0;
  const counting: Decryption = {
    ageKeys: async () => {
      asked++;
      return [{ secret: new Secret(ours.identity), project: "" }];
    },
    kms: () => assert.fail("no key of KMS is needed"),
  };
  await render(configMap("a"), counting);
  await render("# sops: {mac: ENC[AES256_GCM,data:x]}\n" + configMap("a"), counting);
  assert.equal(asked, 0);
  const text = await forAge(ours.recipient);
  const renderer = createHelperRenderer({ helper, decryption: counting });
  const other = await sops.encrypt("other.yaml", { content: manifest.replace("db", "other"), args: ["--age", ours.recipient] });
  await renderFolder(renderer, { tree: memoryTree({ "app/db.yaml": text, "app/other.yaml": other }), path: "app" });
  await renderer.close();
  assert.equal(asked, 1);
});

test("a data key comes from KMS, in the key's region and with its encryption context; the next render does not ask again", async () => {
  const arn = kms.createKey("eu-west-3");
  const args = ["--kms", arn, "--encryption-context", "app:shop,stage:qa"];
  const text = await sops.encrypt("db.yaml", { content: manifest, args, environment: aws });
  kms.calls.length = 0;
  const decrypt = openKms();
  assert.deepEqual(await render(text, { kms: decrypt }), [object]);
  assert.deepEqual(await render(text, { kms: decrypt }), [object]);
  assert.deepEqual(kms.calls, [`Decrypt ${arn}`]);
  const reason = "InvalidCiphertextException: its ciphertext or its encryption context was changed";
  await refused(text.replace("stage: qa", "stage: prod"), `${cannot}AWS KMS ${arn} (${reason})${advice}`, { kms: decrypt });
  await refused(text, `${cannot}AWS KMS ${arn} (AWS KMS is not configured)${advice}`, ourKeys);
});

test("a refused key leaves the file to the next one, and an outage makes the render worth another try", async () => {
  const [first, second] = [kms.createKey("eu-west-1"), kms.createKey("eu-west-2")];
  const text = await sops.encrypt("db.yaml", { content: manifest, args: ["--kms", `${first},${second}`], environment: aws });
  kms.refuse(first, { type: "AccessDeniedException" });
  assert.deepEqual(await render(text, { kms: openKms() }), [object]);
  kms.refuse(second, { type: "ThrottlingException" });
  const reasons = [
    `AWS KMS ${first} (AccessDeniedException: allow kms:Decrypt on the key to the role or user that Driftless runs as)`,
    `AWS KMS ${second} (ThrottlingException)`,
  ];
  await refused(text, `${cannot}${reasons.join("; ")}${advice}`, { kms: openKms() }, true);
  kms.refuse(second, { type: "KMSInternalException", status: 500 });
  await refused(text, /\(KMSInternalException\)/, { kms: openKms() }, true);
  kms.refuse(second, { type: "DisabledException" });
  await refused(text, /\(DisabledException: the key is disabled\)/, { kms: openKms() });
  const gone = createKmsDecrypt({ endpoint: "http://127.0.0.1:9", credentials, maxAttempts: 1 });
  await refused(text, new RegExp(`${first} \\(\\w+\\)`), { kms: gone }, true);
});

test("a key of KMS that is to be used as another role is refused, with what to do instead", async () => {
  const arn = kms.createKey();
  const text = await sops.encrypt("db.yaml", { content: manifest, args: ["--kms", arn], environment: aws });
  const role = "arn:aws:iam::000000000000:role/sops";
  const withRole = text.replace(/( +)created_at/, `$1role: ${role}\n$1created_at`);
  const reason = `it is to be used as the role ${role}, and Driftless takes no role for a key: allow Driftless's own role kms:Decrypt on the key, and encrypt without a role`;
  await refused(withRole, `${cannot}AWS KMS ${arn} (${reason})${advice}`, { kms: openKms() });
  await refused(text.replace(arn, "arn:aws:kms:evil.example/x:1:key/a"), /\(it is not the ARN of a key of KMS\)/, {
    kms: openKms(),
  });
});

test("of several groups of keys as many are needed as the file says, whatever their kinds", async () => {
  const arn = kms.createKey();
  const groups = {
    key_groups: [{ age: [ours.recipient] }, { kms: [{ arn }] }, { age: [theirs.recipient] }],
    shamir_threshold: 2,
  };
  const text = await sops.encrypt("db.yaml", { content: manifest, rule: groups, environment: aws });
  assert.deepEqual(await render(text, { ageKeys, kms: openKms() }), [object]);
  const needed = `it asks for 2 of 3 groups of keys, and too few opened: `;
  const reasons = [
    `AWS KMS ${arn} (AWS KMS is not configured)`,
    `age ${theirs.recipient} (none of the configured age keys is for it)`,
  ];
  await refused(text, `${cannot}${needed}${reasons.join("; ")}${advice}`, ourKeys);
});

test("age keys come from a secret of Secrets Manager that holds an age key file, read once and not before they are needed", async () => {
  const secrets = await startSecrets({ secrets: { "driftless/sops-age": `# ours\n${ours.file}\n${theirs.identity}\r\n` } });
  const client = new SecretsManagerClient({ endpoint: secrets.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  try {
    const text = await forAge(theirs.recipient);
    const read = createSecretAgeKeys({ client, secretId: "driftless/sops-age" });
    assert.deepEqual(await render(text, { ageKeys: read }), [object]);
    secrets.put("driftless/sops-age", third.file);
    assert.deepEqual(await render(text, { ageKeys: read }), [object]);
    const missing = createSecretAgeKeys({ client, secretId: "gone" });
    const reason = "the age keys in the secret gone could not be read from Secrets Manager: ResourceNotFoundException";
    await refused(text, `${cannot}age ${theirs.recipient} (${reason})${advice}`, { ageKeys: missing });
    const unreachable = new SecretsManagerClient({
      endpoint: "http://127.0.0.1:9",
      region: "us-east-1",
      credentials,
      maxAttempts: 1,
    });
    const away = { ageKeys: createSecretAgeKeys({ client: unreachable, secretId: "driftless/sops-age" }) };
    await refused(text, /could not be read from Secrets Manager: \w+\)/, away, true);
    unreachable.destroy();
    secrets.put("gone", theirs.file);
    assert.deepEqual(await render(text, { ageKeys: missing }), [object]);
  } finally {
    client.destroy();
    await secrets.close();
  }
});

test("on this machine age keys come from a key file", async () => {
  const file = path.join(sops.folder, "keys.txt");
  await writeFile(file, ours.file);
  const text = await forAge(ours.recipient);
  assert.deepEqual(await render(text, { ageKeys: createFileAgeKeys(file) }), [object]);
  await refused(text, /the age key file \S+gone could not be read/, { ageKeys: createFileAgeKeys(`${file}.gone`) });
});

test("a text that is no age key file is refused without any part of it", () => {
  assert.equal(parseAgeKeys(`${ours.file}\n\n  ${theirs.identity}  `, "x").length, 2);
  const wrong = (text: string, message: string) =>
    assert.throws(() => parseAgeKeys(text, "the secret a"), { code: "config", message });
  wrong("# nothing\n", "the secret a holds no age key: put the file of age-keygen there");
  const no = "is no age key: give AGE-SECRET-KEY-1... as age-keygen writes it, a key a line";
  wrong(`# one\n${ours.recipient}`, `the secret a: line 2 ${no}`);
  wrong("AGE-PLUGIN-YUBIKEY-1QQQ", `the secret a: line 1 ${no}`);
});
