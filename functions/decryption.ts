import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Environment } from "../lib/config/environment.ts";
import { createSecretAgeKeys } from "../lib/render/age-key-secret.ts";
import type { Decryption } from "../lib/render/decryption.ts";
import type { DecryptWithKms } from "../lib/render/kms.ts";

/** Keys for files encrypted with SOPS. Neither the age keys nor the client of KMS are there before a file asks for them. */
export function openDecryption({ sopsAgeSecretId: secretId, region }: Environment): Decryption {
  let kms: Promise<DecryptWithKms> | undefined;
  return {
    ...(secretId === undefined
      ? {}
      : { ageKeys: createSecretAgeKeys({ client: new SecretsManagerClient({ region }), secretId }) }),
    async kms(request, options) {
      kms ??= import("../lib/render/kms.ts").then(({ createKmsDecrypt }) => createKmsDecrypt());
      return (await kms)(request, options);
    },
  };
}
