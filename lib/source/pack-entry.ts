import { inflateSync } from "node:zlib";
import { DriftlessError, type DriftlessErrorOptions } from "../errors.ts";
import { idLength, type ObjectFormat, type ObjectType } from "./objects.ts";

/** Header of one entry of a pack, as it stands before the deflated body. */
export interface EntryHeader {
  /** A whole object, or how a delta names its base: bytes back in the pack, or an object id. */
  readonly kind: { readonly type: ObjectType } | { readonly back: number } | { readonly baseId: string };
  /** Inflated size of the body (of the delta, where it is one). */
  readonly size: number;
  /** Bytes of this header. */
  readonly length: number;
}

const types: { readonly [code: number]: ObjectType } = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const largestChunk = 1024 * 1024;
/** Longest header: 8 bytes of size and an id of 32 bytes. */
export const headerBytes = 48;

/** Reads the header at the start of `bytes`. Throws `source` when they are none. */
export function readEntryHeader(bytes: Uint8Array, format: ObjectFormat): EntryHeader {
  let at = 0;
  let byte = byteAt(bytes, at++);
  const code = (byte >> 4) & 7;
  let size = byte & 15;
  for (let shift = 4; byte & 0x80; shift += 7) {
    if (shift > 46) throw damagedPack("an entry has an impossible size");
    byte = byteAt(bytes, at++);
    size += (byte & 0x7f) * 2 ** shift;
  }
  if (code === 6) {
    byte = byteAt(bytes, at++);
    let back = byte & 0x7f;
    while (byte & 0x80) {
      byte = byteAt(bytes, at++);
      back = (back + 1) * 128 + (byte & 0x7f);
      if (back > Number.MAX_SAFE_INTEGER / 256) throw damagedPack("a delta has an impossible base");
    }
    return { kind: { back }, size, length: at };
  }
  if (code === 7) {
    const end = at + idLength(format);
    if (end > bytes.length) throw damagedPack("it ends too early");
    return { kind: { baseId: Buffer.from(bytes.subarray(at, end)).toString("hex") }, size, length: end };
  }
  const type = types[code];
  if (type === undefined) throw damagedPack(`an entry has the unknown type ${code}`);
  return { kind: { type }, size, length: at };
}

/** Inflates exactly `size` bytes from the start of `bytes`; `consumed` counts the deflated ones. */
export function inflateEntry(bytes: Uint8Array, size: number): { readonly body: Uint8Array; readonly consumed: number } {
  const chunkSize = Math.max(64, Math.min(size + 1, largestChunk));
  let inflated: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    const options = { info: true, chunkSize, maxOutputLength: size + 1 };
    inflated = inflateSync(bytes, options) as unknown as typeof inflated;
  } catch (cause) {
    throw damagedPack("an entry does not inflate", { cause });
  }
  if (inflated.buffer.length !== size) throw damagedPack("an entry has another size than its header says");
  return { body: inflated.buffer, consumed: inflated.engine.bytesWritten };
}

/** Retryable: a pack is damaged on its way far more often than on its disk. */
export function damagedPack(reason: string, options: DriftlessErrorOptions = {}): DriftlessError {
  return new DriftlessError("source", `the pack is damaged: ${reason}`, { ...options, retryable: true });
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw damagedPack("it ends too early");
  return byte;
}
