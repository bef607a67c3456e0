import assert from "node:assert/strict";
import { test } from "node:test";
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { startSecrets } from "../../../cli/local/secrets.ts";

test("a secret is read by name or ARN, a new version of it at once, an unknown one is not found", async (t) => {
  const secrets = await startSecrets({ secrets: { "driftless/webhook": "first" } });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new SecretsManagerClient({ endpoint: secrets.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
  t.after(async () => {
    client.destroy();
    await secrets.close();
  });
  const get = (SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));
  const { ARN, SecretString, VersionStages, CreatedDate } = await get("driftless/webhook");
  assert.equal(SecretString, "first");
  assert.deepEqual(VersionStages, ["AWSCURRENT"]);
  assert.ok(CreatedDate instanceof Date);
  secrets.put("driftless/webhook", "second");
  assert.equal((await get(ARN ?? "")).SecretString, "second");
  await assert.rejects(get("driftless/other"), ResourceNotFoundException);
  await assert.rejects(client.send(new ListSecretsCommand({})), { name: "InvalidRequestException" });
});
