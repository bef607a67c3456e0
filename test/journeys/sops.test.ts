import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { guestbook, overlay } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { type LocalKms, startKms } from "../support/kms.ts";
import { type AgeKeyPair, type Sops, startSops } from "../support/sops.ts";

const prefix = "sops";
const namespace = "sops-qa";
const values = { byAge: "by-age-canary-4711", byKms: "by-kms-canary-4712", broken: "broken-canary-4713" };

describe("secrets that are encrypted with SOPS in Git", () => {
  let journey: Journey;
  let sops: Sops;
  let kms: LocalKms;
  let age: AgeKeyPair;

  before(async () => {
    [sops, kms] = await Promise.all([startSops(), startKms()]);
    age = await sops.newAgeKey();
    journey = await startJourney({ sops: { ageKeys: age.file, kmsEndpoint: kms.endpoint } });
  });
  after(async () => {
    await journey?.close();
    await kms.close();
    await sops.close();
  });

  const live = async (path: string) =>
    Buffer.from(await journey.field(["secret", namespace, "db"], path), "base64").toString("utf8");
  const encryptedSecret = (password: string, recipient = age.recipient) =>
    sops.encrypt("db.yaml", {
      content: `apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  password: ${Buffer.from(password).toString("base64")}\n`,
      rule: { age: recipient, encrypted_regex: "^(data|stringData)$" },
    });

  test("reach the cluster decrypted, by an age key and by KMS", async () => {
    const environment = { AWS_ENDPOINT_URL_KMS: kms.endpoint };
    const args = ["--kms", kms.createKey("us-east-1"), "--encryption-context", "app:guestbook"];
    const generator = "secretGenerator: [{ name: token, envs: [token.env] }]\n";
    const commit = await journey.push({
      ...guestbook({ prefix, environments: ["qa"] }),
      "overlays/qa/kustomization.yaml": `${overlay({ prefix, environment: "qa", resources: ["db.yaml"] })}${generator}`,
      "overlays/qa/db.yaml": await encryptedSecret(values.byAge),
      "overlays/qa/token.env": await sops.encrypt("token.env", { content: `TOKEN=${values.byKms}\n`, args, environment }),
    });
    const sync = await journey.synced(namespace, commit);
    assert.deepEqual([sync.phase, sync.counts.created], ["Succeeded", 5]);
    assert.equal(await live(".data.password"), values.byAge);
    const tokens = await journey.kubectl("get", "secrets", "-n", namespace, "-o", "jsonpath={.items[*].data.TOKEN}");
    assert.equal(Buffer.from(tokens, "base64").toString("utf8"), values.byKms);
    assert.equal(kms.calls.filter((call) => call.startsWith("Decrypt")).length, 1);
  });

  test("are repaired when somebody changes them", async () => {
    await journey.kubectl(
      "patch",
      "secret",
      "db",
      "-n",
      namespace,
      "--type=merge",
      `-p={"stringData":{"password":"${values.broken}"}}`,
    );
    assert.equal(await live(".data.password"), values.broken);
    await journey.sweep();
    await eventually("the secret is healed", async () => (await live(".data.password")) === values.byAge);
    const rows = (await journey.installation.stores.drift.list({ application: namespace })).items;
    assert.ok(rows.some(({ ref }) => ref.kind === "Secret" && ref.name === "db"));
  });

  test("that nobody here can open fail the plan, and leave the cluster as it is", async () => {
    const stranger = await sops.newAgeKey();
    await journey.push({ "overlays/qa/db.yaml": await encryptedSecret(values.broken, stranger.recipient) });
    const reason = await eventually("the plan has failed", async () => (await journey.state(namespace))?.planError || undefined);
    const told = `overlays/qa/db.yaml: it is encrypted with SOPS and cannot be decrypted: age ${stranger.recipient} (none of the`;
    assert.ok(reason.startsWith(told), reason);
    assert.equal(await live(".data.password"), values.byAge);
  });

  test("stand in clear in no row, log line or answer of the API", async () => {
    const { installation, events } = journey;
    const rows = (await installation.dynamodb.call("Scan", { TableName: installation.table }))?.Items ?? [];
    assert.ok(rows.length > 10);
    const places = [
      ...rows.map((row) => textOf(row)),
      ...events.map((event) => JSON.stringify(event)),
      ...(await Promise.all(routes.map(async (route) => (await fetch(`${installation.url}/api${route}`)).text()))),
    ];
    assert.ok(places.some((place) => place.includes("overlays/qa/db.yaml")));
    for (const value of Object.values(values)) {
      for (const form of [value, Buffer.from(value).toString("base64")]) {
        const found = places.filter((place) => place.includes(form));
        assert.deepEqual(found, [], form);
      }
    }
    for (const form of [age.identity, age.identity.slice(16)]) assert.ok(!places.some((place) => place.includes(form)));
  });
});

const routes = [
  "/applications",
  `/applications/${namespace}`,
  `/applications/${namespace}/syncs`,
  `/applications/${namespace}/resources`,
  `/applications/${namespace}/drift`,
  "/drift",
  "/deliveries",
  `/applications/${namespace}/inputs`,
  "/clusters/local/sweeps",
];

/** A row with its binary attributes byte for byte, and inflated where they are deflated. */
function textOf(row: object): string {
  return JSON.stringify(row, (key, value: unknown) => {
    if (key !== "B" || typeof value !== "string") return value;
    const bytes = Buffer.from(value, "base64");
    return [bytes, inflated(bytes)].map((each) => Buffer.from(each).toString("latin1"));
  });
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(bytes);
  } catch {
    return Buffer.of(); // sealed
  }
}
