import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { helperBinary } from "../render/helper.ts";
import { type LocalKms, startKms } from "../support/kms.ts";
import { type AgeKeyPair, type Sops, startSops } from "../support/sops.ts";
import { runDriftless } from "./run.ts";

const manifest = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: hunter2\n";

describe("driftless render of files that are encrypted with SOPS", () => {
  let sops: Sops;
  let kms: LocalKms;
  let key: AgeKeyPair;
  let folder: string;

  before(async () => {
    [sops, kms] = await Promise.all([startSops(), startKms()]);
    key = await sops.newAgeKey();
    folder = path.join(sops.folder, "app");
    await mkdir(folder);
  });
  after(async () => {
    await kms.close();
    await sops.close();
  });

  async function render(text: string, environment: Readonly<Record<string, string>> = {}) {
    await writeFile(path.join(folder, "db.yaml"), text);
    const helper = { DRIFTLESS_RENDER_HELPER: await helperBinary() };
    return runDriftless(["render", folder], { environment: { ...helper, ...environment } });
  }

  test("takes age keys from a file or from the environment, as sops does", async () => {
    const text = await sops.encrypt("db.yaml", { content: manifest, args: ["--age", key.recipient] });
    const file = path.join(sops.folder, "keys.txt");
    await writeFile(file, key.file);
    const environments = [{ DRIFTLESS_SOPS_AGE_KEY_FILE: file }, { SOPS_AGE_KEY_FILE: file }, { SOPS_AGE_KEY: key.identity }];
    for (const environment of environments) {
      const { status, stdout, stderr } = await render(text, environment);
      assert.deepEqual([status, stderr], [0, ""]);
      assert.match(stdout, /password: hunter2\n/);
    }
    const { status, stdout, stderr } = await render(text);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /db\.yaml: it is encrypted with SOPS and cannot be decrypted: age \S+ \(no age key is configured\)/);
  });

  test("asks KMS with the user's own credentials", async () => {
    const environment = { AWS_ENDPOINT_URL_KMS: kms.endpoint };
    const text = await sops.encrypt("db.yaml", { content: manifest, args: ["--kms", kms.createKey()], environment });
    const aws = { AWS_ACCESS_KEY_ID: "mine", AWS_SECRET_ACCESS_KEY: "mine", ...environment };
    assert.match((await render(text, aws)).stdout, /password: hunter2\n/);
    const { stderr } = await render(text, { ...environment, AWS_EC2_METADATA_DISABLED: "true" });
    assert.match(stderr, /\(CredentialsProviderError: there are no AWS credentials\)/);
  });
});
