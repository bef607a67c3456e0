import { messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { ReadAgeKeys } from "./age-keys.ts";
import type { AgeKeysReply, DecryptedReply, KmsCiphertext } from "./helper-protocol.ts";

/** What opens files that are encrypted with SOPS; asked only when a render meets one. What they throw is told with the file. */
export interface Decryption {
  readonly ageKeys?: ReadAgeKeys;
  /** Has AWS KMS decrypt a data key. */
  readonly kms?: (request: KmsCiphertext, options: CallOptions) => Promise<Uint8Array>;
}

/** Name in the encryption context of a key of KMS that says for which project's applications alone a file is to be opened. */
const projectContext = "driftless-project";

/** For whom a file is opened. */
export interface KeyOptions extends CallOptions {
  /** Absent for somebody with keys of his own: every key will do. */
  readonly project?: string;
}

/** Answers the helper's questions for keys. A key that cannot be had is an answer too: another one of the file may open it. */
export interface KeyAnswers {
  ageKeys(options: KeyOptions): Promise<AgeKeysReply>;
  decrypt(request: KmsCiphertext, options: KeyOptions): Promise<DecryptedReply>;
}

export function createKeyAnswers({ ageKeys, kms }: Decryption): KeyAnswers {
  return {
    async ageKeys({ project, ...options }) {
      try {
        const keys = ((await ageKeys?.(options)) ?? []).filter((key) => isFor(key.project, project));
        return { op: "ageKeys", ageKeys: keys.map(({ secret }) => secret.reveal()) };
      } catch (error) {
        return { op: "ageKeys", ageKeys: [], ...refusalOf(error) };
      }
    },
    async decrypt(request, { project, ...options }) {
      const { [projectContext]: owner = "" } = request.context;
      if (!isFor(owner, project)) {
        const refusal = `by its encryption context (${projectContext}) it is for project ${owner} alone`;
        return { op: "decrypted", plaintext: "", refusal, retryable: false };
      }
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

/** Whether a key of one project may be used for another; "" is everybody's. */
function isFor(owner: string, project: string | undefined): boolean {
  return owner === "" || project === undefined || owner === project;
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
