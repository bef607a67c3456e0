import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readBody, sendJson, startLoopback } from "../../cli/local/loopback.ts";

/** Stands for AWS KMS; clients find it by AWS_ENDPOINT_URL_KMS. */
export interface LocalKms {
  readonly endpoint: string;
  /** Operations that were asked for, in order, as `Decrypt KEY-ARN`. */
  readonly calls: string[];
  /** Makes a key, and gives its ARN. */
  createKey(region?: string): string;
  /** From now on refuses to use a key, by this error; undefined allows it again. */
  refuse(arn: string, error: { readonly type: string; readonly status?: number } | undefined): void;
  close(): Promise<void>;
}

interface Input {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
  readonly NumberOfBytes?: number;
}

const headers = { "content-type": "application/x-amz-json-1.1" };

/** Serves Encrypt, Decrypt and GenerateDataKey, with AES-GCM under a random key and the encryption context authenticated. */
export async function startKms(): Promise<LocalKms> {
  const keys = new Map<string, Buffer>();
  const refused = new Map<string, { readonly type: string; readonly status?: number }>();
  const calls: string[] = [];

  const seal = ({ KeyId: arn = "", EncryptionContext: context }: Input, plaintext: Buffer): string => {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", keys.get(arn)!, iv).setAAD(contextBytes(context));
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    const name = Buffer.from(arn);
    return Buffer.concat([Buffer.from([name.length]), name, iv, cipher.getAuthTag(), sealed]).toString("base64");
  };
  const open = ({ CiphertextBlob: blob = "", EncryptionContext: context }: Input): Buffer => {
    const bytes = Buffer.from(blob, "base64");
    const start = 1 + bytes.readUInt8(0);
    const key = keys.get(bytes.subarray(1, start).toString())!;
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(start, start + 12)).setAAD(contextBytes(context));
    decipher.setAuthTag(bytes.subarray(start + 12, start + 28));
    return Buffer.concat([decipher.update(bytes.subarray(start + 28)), decipher.final()]);
  };

  const server = await startLoopback(async (request, response) => {
    const operation = String(request.headers["x-amz-target"]).replace("TrentService.", "");
    const input = JSON.parse((await readBody(request, 65_536))?.toString() ?? "{}") as Input;
    const { KeyId: arn = "" } = input;
    calls.push(`${operation} ${arn}`);
    const fail = (type: string, status = 400): void => sendJson(response, status, { __type: type, message: type }, headers);
    const refusal = refused.get(arn);
    if (refusal !== undefined) return fail(refusal.type, refusal.status);
    if (!keys.has(arn)) return fail("NotFoundException");
    try {
      sendJson(response, 200, { KeyId: arn, ...answerTo(operation, input, { seal, open }) }, headers);
    } catch {
      fail("InvalidCiphertextException");
    }
  });
  return {
    endpoint: server.url,
    calls,
    createKey(region = "eu-central-1") {
      const arn = `arn:aws:kms:${region}:000000000000:key/${randomBytes(8).toString("hex")}`;
      keys.set(arn, randomBytes(32));
      return arn;
    },
    refuse(arn, error) {
      if (error === undefined) refused.delete(arn);
      else refused.set(arn, error);
    },
    close: () => server.close(),
  };
}

interface Box {
  readonly seal: (input: Input, plaintext: Buffer) => string;
  readonly open: (input: Input) => Buffer;
}

function answerTo(operation: string, input: Input, { seal, open }: Box): object {
  switch (operation) {
    case "Encrypt":
      return { CiphertextBlob: seal(input, Buffer.from(input.Plaintext ?? "", "base64")) };
    case "GenerateDataKey": {
      const plaintext = randomBytes(input.NumberOfBytes ?? 32);
      return { CiphertextBlob: seal(input, plaintext), Plaintext: plaintext.toString("base64") };
    }
    case "Decrypt":
      return { Plaintext: open(input).toString("base64") };
    default:
      throw new Error(`${operation} is not served`);
  }
}

function contextBytes(context: Readonly<Record<string, string>> = {}): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));
}
