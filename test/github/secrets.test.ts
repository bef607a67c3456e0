import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import { inspect } from "node:util";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type LocalSecrets, startSecrets } from "../../cli/local/secrets.ts";
import { createWebhookSecrets, parseWebhookSecrets } from "../../lib/github/secrets.ts";
import type { WebhookSecret } from "../../lib/github/signature.ts";
import { silentLog } from "../../lib/telemetry/log.ts";

const revealed = (secrets: readonly WebhookSecret[] | undefined) =>
  secrets?.map(({ name, value }) => `${name}: ${value.reveal()}`);
const read = (text: string) => revealed(parseWebhookSecrets(text, "webhook"));

suite("the webhook secrets", () => {
  let server: LocalSecrets;
  let client: SecretsManagerClient;
  let minutes = 0;
  let reads = 0;
  const clock = { now: () => new Date(Date.UTC(2026, 0, 1, 0, 0, Math.round(minutes * 60))) };
  const opened = (secretId = "webhook") => createWebhookSecrets({ client, secretId, clock, log: silentLog });
  const clientOf = (endpoint: string): SecretsManagerClient => {
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const made = new SecretsManagerClient({ endpoint, region: "eu-central-1", credentials, maxAttempts: 1 });
    made.middlewareStack.add((next) => async (args) => {
      reads += 1;
      return next(args);
    });
    return made;
  };

  before(async () => {
    server = await startSecrets({ secrets: {} });
    client = clientOf(server.endpoint);
  });
  beforeEach(() => {
    server.put("webhook", '{"current":"new","previous":"old"}');
    minutes = 0;
    reads = 0;
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  test("current and previous are read once, and again after five minutes", async () => {
    const secrets = opened();
    assert.deepEqual(revealed(await secrets.get()), ["current: new", "previous: old"]);
    server.put("webhook", '{"current":"newer"}');
    minutes = 4.9;
    assert.deepEqual(revealed(await secrets.get()), ["current: new", "previous: old"]);
    assert.equal(reads, 1);
    minutes = 5;
    assert.deepEqual(revealed(await secrets.get()), ["current: newer"]);
    assert.equal(reads, 2);
  });

  test("a refresh reads at once, but once a minute", async () => {
    const secrets = opened();
    await secrets.get();
    server.put("webhook", "rotated");
    assert.deepEqual(revealed(await secrets.refresh()), ["current: rotated"]);
    assert.equal(await secrets.refresh(), undefined);
    minutes = 0.9;
    assert.equal(await secrets.refresh(), undefined);
    assert.equal(reads, 2);
    minutes = 1;
    assert.deepEqual(revealed(await secrets.refresh()), ["current: rotated"]);
  });

  test("secrets that cannot be read again stay in use, and are tried again a minute later", async () => {
    const gone = await startSecrets({ secrets: { webhook: "one" } });
    const own = clientOf(gone.endpoint);
    const secrets = createWebhookSecrets({ client: own, secretId: "webhook", clock, log: silentLog });
    await secrets.get();
    await gone.close();
    minutes = 6;
    assert.deepEqual(revealed(await secrets.get()), ["current: one"]);
    assert.deepEqual(revealed(await secrets.get()), ["current: one"]);
    assert.equal(reads, 2);
    minutes = 7;
    await secrets.get();
    assert.equal(reads, 3);
    own.destroy();
  });

  test("a rotation to something unusable keeps the secrets in use", async () => {
    const secrets = opened();
    await secrets.get();
    server.put("webhook", '{"curent":"typing error"}');
    minutes = 6;
    assert.deepEqual(revealed(await secrets.get()), ["current: new", "previous: old"]);
  });

  test("secrets that never could be read are an error that may pass", async () => {
    await assert.rejects(opened("another").get(), {
      code: "config",
      retryable: true,
      message: "the webhook secrets another could not be read",
    });
  });

  test("an aborted signal ends the read", async () => {
    await assert.rejects(opened().get({ signal: AbortSignal.abort() }), { code: "config", retryable: true });
  });

  test("a secret is JSON with current and previous, or plain text whose last line end does not count", () => {
    assert.deepEqual(read('{"current":"a","previous":"b"}'), ["current: a", "previous: b"]);
    assert.deepEqual(read('{"current":"a","previous":""}'), ["current: a"]);
    assert.deepEqual(read("plain"), ["current: plain"]);
    assert.deepEqual(read("plain\n"), ["current: plain"]);
    assert.deepEqual(read("{not json"), ["current: {not json"]);
    assert.deepEqual(read("12345"), ["current: 12345"]);
  });

  test("anything else is refused without a part of it, and secrets cannot be printed", () => {
    for (const text of [
      "",
      "\n",
      "{}",
      '{"current":""}',
      '{"current":1}',
      '{"current":"hunter2","previous":["x"]}',
      '{"current":"hunter2","old":"x"}',
      '["hunter2"]',
    ]) {
      assert.throws(
        () => parseWebhookSecrets(text, "webhook"),
        (error: Error) => {
          assert.match(error.message, /^the secret webhook does not hold webhook secrets: it must be /);
          assert.doesNotMatch(inspect(error), /hunter2/);
          return true;
        },
        text,
      );
    }
    assert.doesNotMatch(inspect(parseWebhookSecrets("hunter2", "webhook"), { depth: 9 }), /hunter2/);
  });
});
