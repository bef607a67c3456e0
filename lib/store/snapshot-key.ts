import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DriftlessError } from "../errors.ts";
import { Secret } from "../telemetry/secret.ts";

/** Reads the key that seals snapshots (32 bytes in base64) from Secrets Manager, once a cold start. Throws `config`. */
export async function readSnapshotKey({ client, secretId }: { client: SecretsManagerClient; secretId: string }): Promise<Secret> {
  try {
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
    return new Secret((text ?? "").trim());
  } catch (cause) {
    throw new DriftlessError("config", `the snapshot key ${secretId} could not be read from Secrets Manager`, {
      cause,
      retryable: true,
    });
  }
}
