import { createHash } from "node:crypto";
import { DecryptCommand, KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import { DriftlessError } from "../errors.ts";
import { type CallOptions, signalWithin } from "../model/call.ts";
import { mayPass } from "./decryption.ts";
import type { KmsCiphertext } from "./helper-protocol.ts";

export type DecryptWithKms = (request: KmsCiphertext, options: CallOptions) => Promise<Uint8Array>;

const keyArn = /^arn:aws[\w-]*:kms:([a-z0-9-]{1,40}):\d{12}:(?:key|alias)\/[\w/-]+$/;

/** Data keys that are kept: each opens one file, and a file has not many keys. */
const maxKept = 1_000;
const callMs = 5_000;

/** Data keys by AWS KMS, in the region of each key; an answer is kept for as long as the process lives. */
export function createKmsDecrypt(clientOptions: KMSClientConfig = {}): DecryptWithKms {
  const clients = new Map<string, KMSClient>();
  const kept = new Map<string, Uint8Array>();
  return async (request, options) => {
    const region = regionOf(request);
    const id = idOf(request);
    const known = kept.get(id);
    if (known !== undefined) return known;
    let client = clients.get(region);
    if (client === undefined) clients.set(region, (client = new KMSClient({ ...clientOptions, region })));
    const key = await decrypt(client, request, options);
    for (const oldest of kept.keys()) {
      if (kept.size < maxKept) break;
      kept.delete(oldest);
    }
    kept.set(id, key);
    return key;
  };
}

function idOf({ arn, ciphertext, context }: KmsCiphertext): string {
  const sorted = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([arn, ciphertext, sorted]))
    .digest("base64");
}

function regionOf({ arn, role }: KmsCiphertext): string {
  const region = keyArn.exec(arn)?.[1];
  if (region === undefined) throw new DriftlessError("render", "it is not the ARN of a key of KMS");
  if (role !== "") {
    const advice = "allow Driftless's own role kms:Decrypt on the key, and encrypt without a role";
    throw new DriftlessError("render", `it is to be used as the role ${role}, and Driftless takes no role for a key: ${advice}`);
  }
  return region;
}

async function decrypt(client: KMSClient, request: KmsCiphertext, options: CallOptions): Promise<Uint8Array> {
  const abortSignal = signalWithin(callMs, options);
  const command = new DecryptCommand({
    KeyId: request.arn,
    CiphertextBlob: Buffer.from(request.ciphertext, "base64"),
    EncryptionContext: { ...request.context },
  });
  try {
    const { Plaintext: key } = await client.send(command, { abortSignal });
    if (key === undefined) throw new DriftlessError("render", "the answer holds no key");
    return key;
  } catch (error) {
    throw explain(error);
  }
}

const advice: Readonly<Record<string, string>> = {
  AccessDeniedException: "allow kms:Decrypt on the key to the role or user that Driftless runs as",
  NotFoundException: "there is no such key",
  DisabledException: "the key is disabled",
  KMSInvalidStateException: "the key is about to be deleted, or not ready",
  InvalidCiphertextException: "its ciphertext or its encryption context was changed",
  IncorrectKeyException: "the ciphertext was made with another key",
  CredentialsProviderError: "there are no AWS credentials",
  ExpiredTokenException: "the AWS credentials have expired",
};

function explain(cause: unknown): DriftlessError {
  if (cause instanceof DriftlessError) return cause;
  const name = cause instanceof Error ? cause.name : "unknown reason";
  const told = advice[name];
  const message = told === undefined ? name : `${name}: ${told}`;
  return new DriftlessError("render", message, { cause, retryable: told === undefined && mayPass(cause) });
}
