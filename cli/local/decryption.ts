import { createFileAgeKeys, parseAgeKeys, type ReadAgeKeys } from "../../lib/render/age-keys.ts";
import type { Decryption } from "../../lib/render/decryption.ts";
import type { DecryptWithKms } from "../../lib/render/kms.ts";

/** Keys for files encrypted with SOPS, as the user of a command has them: age keys where `sops` itself looks, and AWS credentials. */
export function localDecryption(environment: NodeJS.ProcessEnv): Decryption {
  let kms: Promise<DecryptWithKms> | undefined;
  const ageKeys = localAgeKeys(environment);
  return {
    ...(ageKeys === undefined ? {} : { ageKeys }),
    async kms(request, options) {
      kms ??= import("../../lib/render/kms.ts").then(({ createKmsDecrypt }) => createKmsDecrypt());
      return (await kms)(request, options);
    },
  };
}

function localAgeKeys(environment: NodeJS.ProcessEnv): ReadAgeKeys | undefined {
  const file = environment["DRIFTLESS_SOPS_AGE_KEY_FILE"] || environment["SOPS_AGE_KEY_FILE"];
  if (file !== undefined && file !== "") return createFileAgeKeys(file);
  const text = environment["SOPS_AGE_KEY"];
  if (text === undefined || text === "") return undefined;
  return async () => parseAgeKeys(text.trim().split(/\s+/).join("\n"), "SOPS_AGE_KEY");
}
