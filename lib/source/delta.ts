import { DriftlessError } from "../errors.ts";

/** Size of the object that a delta makes, before making it. */
export function deltaResultSize(delta: Uint8Array): number {
  const cursor = { at: 0 };
  readSize(delta, cursor);
  return readSize(delta, cursor);
}

/** Applies a delta of a pack to its base. Throws `source` when the two do not fit. */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array {
  const cursor = { at: 0 };
  if (readSize(delta, cursor) !== base.length) throw damaged("its base has another size");
  const result = Buffer.allocUnsafeSlow(readSize(delta, cursor));
  let filled = 0;
  while (cursor.at < delta.length) {
    const from = readInstruction(base, delta, cursor);
    if (filled + from.length > result.length) throw damaged("it makes more than it says");
    result.set(from, filled);
    filled += from.length;
  }
  if (filled !== result.length) throw damaged("it makes less than it says");
  return result;
}

/** The bytes that the next instruction adds: a copy out of the base, or bytes that stand in the delta. */
function readInstruction(base: Uint8Array, delta: Uint8Array, cursor: { at: number }): Uint8Array {
  const code = delta[cursor.at++]!;
  if (code === 0) throw damaged("it has a reserved instruction");
  if ((code & 0x80) === 0) {
    const end = cursor.at + code;
    if (end > delta.length) throw damaged("it ends too early");
    const bytes = delta.subarray(cursor.at, end);
    cursor.at = end;
    return bytes;
  }
  const offset = readFlagged(delta, cursor, [code & 1, code & 2, code & 4, code & 8]);
  const size = readFlagged(delta, cursor, [code & 0x10, code & 0x20, code & 0x40]) || 0x10000;
  if (offset + size > base.length) throw damaged("it copies from beyond its base");
  return base.subarray(offset, offset + size);
}

/** A little-endian number of which only the flagged bytes are present. */
function readFlagged(delta: Uint8Array, cursor: { at: number }, flags: readonly number[]): number {
  let value = 0;
  for (const [index, flag] of flags.entries()) {
    if (flag === 0) continue;
    const byte = delta[cursor.at++];
    if (byte === undefined) throw damaged("it ends too early");
    value += byte * 2 ** (8 * index);
  }
  return value;
}

function readSize(delta: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 49; shift += 7) {
    const byte = delta[cursor.at++];
    if (byte === undefined) throw damaged("it ends too early");
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw damaged("its size is not a number");
}

function damaged(reason: string): DriftlessError {
  return new DriftlessError("source", `a delta in the pack is damaged: ${reason}`, { retryable: true });
}
