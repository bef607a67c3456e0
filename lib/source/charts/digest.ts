import { createHash } from "node:crypto";

/** `sha256:` and 64 hex digits. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function isDigest(digest: unknown): digest is string {
  return typeof digest === "string" && /^sha256:[0-9a-f]{64}$/.test(digest);
}
