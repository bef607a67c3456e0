import assert from "node:assert/strict";
import { after, test } from "node:test";
import { parseAgeKeys } from "../../lib/render/age-keys.ts";
import type { Decryption } from "../../lib/render/decryption.ts";
import { createHelperRenderer } from "../../lib/render/helper-renderer.ts";
import { createKmsDecrypt } from "../../lib/render/kms.ts";
import { startKms } from "../support/kms.ts";
import { startSops } from "../support/sops.ts";
import { encryptedManifest as manifest, encryptedObject as object } from "./encrypted.ts";
import { helperBinary } from "./helper.ts";
import { memoryTree } from "./tree.ts";

const helper = await helperBinary();
const sops = await startSops();
const kms = await startKms();
const [everybody, shop, crm] = await Promise.all([sops.newAgeKey(), sops.newAgeKey(), sops.newAgeKey()]);
const file = [
  everybody.file,
  "# project: shop",
  shop.file,
  "# project: crm",
  crm.identity,
  "# project: *",
  "# nothing follows",
].join("\n");
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const decryption: Decryption = {
  ageKeys: async () => parseAgeKeys(file, "keys"),
  kms: createKmsDecrypt({ endpoint: kms.endpoint, credentials, maxAttempts: 1 }),
};
const renderer = createHelperRenderer({ helper, decryption });
after(async () => {
  await renderer.close();
  await sops.close();
  await kms.close();
});

async function render(text: string, project?: string) {
  const { objects } = await renderer.render({
    application: "db",
    ...(project === undefined ? {} : { project }),
    namespace: "",
    sources: [
      {
        source: { kind: "git", repository: "https://git.example/a.git", targetRevision: "main", path: "app" },
        tree: memoryTree({ "app/db.yaml": text }),
      },
    ],
    remoteBases: [],
  });
  return objects;
}

test("an age key below a project's name opens files of that project's applications alone, those above all names everybody's", async () => {
  const encrypt = (recipient: string) => sops.encrypt("db.yaml", { content: manifest, args: ["--age", recipient] });
  const ofAll = await encrypt(everybody.recipient);
  const ofShop = await encrypt(shop.recipient);
  const ofCrm = await encrypt(crm.recipient);
  for (const project of ["shop", "crm", "default", undefined]) assert.deepEqual(await render(ofAll, project), [object]);
  assert.deepEqual(await render(ofShop, "shop"), [object]);
  assert.deepEqual(await render(ofCrm, "crm"), [object]);
  assert.deepEqual(await render(ofCrm), [object]);
  const refused = { code: "render", message: /none of the configured age keys is for it/ };
  for (const project of ["crm", "default", "shop-2"]) await assert.rejects(render(ofShop, project), refused, project);
  // Two at once in one helper do not lend each other their keys.
  const both = await Promise.allSettled([render(ofShop, "shop"), render(ofShop, "crm"), render(ofCrm, "crm")]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
});

test("a file whose encryption context names a project is opened for that project alone, and KMS is not asked for another", async () => {
  const arn = kms.createKey("eu-west-3");
  const args = ["--kms", arn, "--encryption-context", "driftless-project:shop"];
  const text = await sops.encrypt("db.yaml", {
    content: manifest,
    args,
    environment: { AWS_ENDPOINT_URL_KMS: kms.endpoint },
  });
  kms.calls.length = 0;
  const refused = { code: "render", message: /by its encryption context \(driftless-project\) it is for project shop alone/ };
  await assert.rejects(render(text, "crm"), refused);
  assert.deepEqual(kms.calls, []);
  assert.deepEqual(await render(text, "shop"), [object]);
  // A key that is known by now is not lent either.
  await assert.rejects(render(text, "crm"), refused);
  await assert.rejects(render(text.replace("driftless-project: shop", "driftless-project: crm"), "crm"), {
    code: "render",
    message: /its encryption context was changed/,
  });
});

test("a key file says by a comment whose keys follow", () => {
  assert.deepEqual(
    parseAgeKeys(file, "keys").map(({ project }) => project),
    ["", "shop", "crm"],
  );
});
