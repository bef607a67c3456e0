import { readSecretText, type SecretPlace } from "../aws/secrets-manager.ts";
import { DriftlessError } from "../errors.ts";
import { signalWithin } from "../model/call.ts";
import { once, parseAgeKeys, type ReadAgeKeys } from "./age-keys.ts";
import { mayPass } from "./decryption.ts";

const callMs = 5_000;

/** Age keys in a secret of Secrets Manager, read when first asked for. */
export function createSecretAgeKeys(place: SecretPlace): ReadAgeKeys {
  return once(async (options) => {
    const origin = `the secret ${place.secretId}`;
    const text = await readSecretText(place, { signal: signalWithin(callMs, options) }).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.name : "unknown reason";
      const message = `the age keys in ${origin} could not be read from Secrets Manager: ${reason}`;
      throw new DriftlessError("config", message, { cause, retryable: mayPass(cause) });
    });
    return parseAgeKeys(text, origin);
  });
}
