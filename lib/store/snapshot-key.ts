import { readSecretText, type SecretPlace } from "../aws/secrets-manager.ts";
import { DriftlessError } from "../errors.ts";
import { Secret } from "../telemetry/secret.ts";

/** Reads the key that seals snapshots (32 bytes in base64) from Secrets Manager, once a cold start. Throws `config`. */
export async function readSnapshotKey(place: SecretPlace): Promise<Secret> {
  try {
    return new Secret((await readSecretText(place)).trim());
  } catch (cause) {
    throw new DriftlessError("config", `the snapshot key ${place.secretId} could not be read from Secrets Manager`, {
      cause,
      retryable: true,
    });
  }
}
