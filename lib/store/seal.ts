import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes } from "node:crypto";
import { DriftlessError } from "../errors.ts";
import type { Secret } from "../telemetry/secret.ts";

/** Keeps bytes unreadable and unforgeable without the key, and names texts without telling what they say. */
export interface Seal {
  /** AES-256-GCM; `context` (the place where the bytes will stand) is bound in, so that no row can pose as another. */
  seal(bytes: Uint8Array, context: string): Uint8Array;
  /** Throws `store` when the key or the context is another, or a bit was changed. */
  open(sealed: Uint8Array, context: string): Uint8Array;
  /** HMAC-SHA256, hex. */
  digest(text: string): string;
}

/** One byte of format, 12 of nonce, 16 of tag, then the ciphertext. */
const format = 1;
const nonceBytes = 12;
const headerBytes = 1 + nonceBytes + 16;

/** From 32 bytes in base64. Throws `config` for any other key. */
export function createSeal(key: Secret): Seal {
  const secret = Buffer.from(key.reveal(), "base64");
  if (secret.length !== 32)
    throw new DriftlessError("config", "the snapshot key must be 32 bytes in base64: openssl rand -base64 32");
  const sealing = derive(secret, "driftless seal");
  const naming = createSecretKey(derive(secret, "driftless digest"));
  return {
    seal(bytes, context) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", sealing, nonce).setAAD(Buffer.from(context));
      const text = [cipher.update(bytes), cipher.final()];
      return Buffer.concat([Uint8Array.of(format), nonce, cipher.getAuthTag(), ...text]);
    },
    open(sealed, context) {
      try {
        if (sealed[0] !== format) throw new Error(`unknown format ${sealed[0]}`);
        const nonce = sealed.subarray(1, 1 + nonceBytes);
        const cipher = createDecipheriv("aes-256-gcm", sealing, nonce, { authTagLength: 16 }).setAAD(Buffer.from(context));
        cipher.setAuthTag(sealed.subarray(1 + nonceBytes, headerBytes));
        return Buffer.concat([cipher.update(sealed.subarray(headerBytes)), cipher.final()]);
      } catch (cause) {
        throw new DriftlessError(
          "store",
          "sealed bytes cannot be opened: the snapshot key is not the one they were sealed with",
          { cause },
        );
      }
    },
    digest: (text) => createHmac("sha256", naming).update(text).digest("hex"),
  };
}

/** One key a purpose, so that nothing learnt of one helps with the other. */
function derive(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", purpose, 32));
}
