import { DriftlessError } from "../errors.ts";

/** Ends a message. */
export const flushPacket = "0000";
/** Stands between the sections of a message. */
export const delimiterPacket = "0001";

export type Packet = { readonly type: "line"; readonly payload: Buffer } | { readonly type: "flush" | "delimiter" | "end" };

/** One line of Git's packet format: four hex digits of length, the text, a newline. */
export function packetLine(text: string): string {
  return `${(Buffer.byteLength(text) + 5).toString(16).padStart(4, "0")}${text}\n`;
}

/** The text of a line without its newline. */
export function lineText(payload: Uint8Array): string {
  return Buffer.from(payload).toString("utf8").replace(/\n$/, "");
}

/** Splits a stream into packets. A stream that ends inside one throws `source`, retryable. */
export async function* readPackets(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    let at = 0;
    while (pending.length - at >= 4) {
      const length = packetLength(pending.toString("latin1", at, at + 4));
      if (length < 4) {
        yield { type: length === 0 ? "flush" : length === 1 ? "delimiter" : "end" };
        at += 4;
      } else {
        if (pending.length - at < length) break;
        yield { type: "line", payload: pending.subarray(at + 4, at + length) };
        at += length;
      }
    }
    pending = pending.subarray(at);
  }
  if (pending.length > 0) throw cutOff();
}

export function cutOff(): DriftlessError {
  return new DriftlessError("source", "the answer of the Git server was cut off", { retryable: true });
}

function packetLength(digits: string): number {
  const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : 3;
  if (length === 3)
    throw new DriftlessError("source", "the answer is not in Git's packet format: is this the URL of a Git repository?");
  return length;
}
