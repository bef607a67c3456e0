import { messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Secret } from "../telemetry/secret.ts";
import type { AgeKeysReply, DecryptedReply, KmsCiphertext } from "./helper-protocol.ts";

/** What opens files that are encrypted with SOPS; asked only when a render meets one. What they throw is told with the file. */
export interface Decryption {
  /** Identities of age, `AGE-SECRET-KEY-1...` each. */
  readonly ageKeys?: (options: CallOptions) => Promise<readonly Secret[]>;
  /** Has AWS KMS decrypt a data key. */
  readonly kms?: (request: KmsCiphertext, options: CallOptions) => Promise<Uint8Array>;
}

/** Answers the helper's questions for keys. A key that cannot be had is an answer too: another one of the file may open it. */
export interface KeyAnswers {
  ageKeys(options: CallOptions): Promise<AgeKeysReply>;
  decrypt(request: KmsCiphertext, options: CallOptions): Promise<DecryptedReply>;
}

export function createKeyAnswers({ ageKeys, kms }: Decryption): KeyAnswers {
  return {
    async ageKeys(options) {
      try {
        const keys = (await ageKeys?.(options)) ?? [];
        return { op: "ageKeys", ageKeys: keys.map((key) => key.reveal()) };
      } catch (error) {
        return { op: "ageKeys", ageKeys: [], ...refusalOf(error) };
      }
    },
    async decrypt(request, options) {
      if (kms === undefined) return { op: "decrypted", plaintext: "", refusal: "AWS KMS is not configured", retryable: false };
      try {
        const key = await kms(request, options);
        return { op: "decrypted", plaintext: Buffer.from(key).toString("base64") };
      } catch (error) {
        return { op: "decrypted", plaintext: "", ...refusalOf(error) };
      }
    },
  };
}

function refusalOf(error: unknown): { readonly refusal: string; readonly retryable: boolean } {
  const retryable = error instanceof Error && "retryable" in error && error.retryable === true;
  return { refusal: messageOf(error) || "unknown reason", retryable };
}

/** True for an outage, a network that is down, throttling: what AWS refuses for a reason of ours stays refused. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  const refused = "$fault" in error && error.$fault === "client";
  return !refused || /Throttl|LimitExceeded|TooManyRequests/.test(error.name);
}
