import { promisify } from "node:util";
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from "node:zlib";

const deflateLarge = promisify(deflateRaw);
const inflateLarge = promisify(inflateRaw);

/** Up to so many bytes a thread of its own costs more than the work. */
const small = 32 * 1024;
/** A window of 4 KB takes half the time to set up, and a text of that size uses no more of it. */
const tiny = 4096;

/** Deflates a short text at once. */
export function deflateNow(text: string): Buffer {
  return deflateRawSync(text, text.length <= tiny ? { windowBits: 12, memLevel: 5 } : {});
}

/** Deflates a text of any size. */
export async function deflate(text: string): Promise<Buffer> {
  return text.length <= small ? deflateNow(text) : deflateLarge(text);
}

/** The text that was deflated. */
export async function inflate(bytes: Uint8Array): Promise<string> {
  const text = bytes.length <= small / 4 ? inflateRawSync(bytes) : await inflateLarge(bytes);
  return text.toString("utf8");
}
