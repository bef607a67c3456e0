import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DriftlessError } from "../errors.ts";
import { once, parseAgeKeys, type ReadAgeKeys } from "./age-keys.ts";
import { mayPass } from "./decryption.ts";

/** Age keys in a secret of Secrets Manager, read when first asked for. */
export function createSecretAgeKeys({ client, secretId }: { client: SecretsManagerClient; secretId: string }): ReadAgeKeys {
  return once(async ({ signal }) => {
    const origin = `the secret ${secretId}`;
    let text: string | undefined;
    try {
      const abortSignal = AbortSignal.any([AbortSignal.timeout(5_000), ...(signal === undefined ? [] : [signal])]);
      ({ SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: secretId }), { abortSignal }));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.name : "unknown reason";
      const message = `the age keys in ${origin} could not be read from Secrets Manager: ${reason}`;
      throw new DriftlessError("config", message, { cause, retryable: mayPass(cause) });
    }
    return parseAgeKeys(text ?? "", origin);
  });
}
