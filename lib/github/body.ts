import type { IncomingMessage } from "node:http";
import { DriftlessError } from "../errors.ts";

export type Body = { readonly kind: "whole"; readonly bytes: Uint8Array } | { readonly kind: "too-large" };

const clientGone = "the client went away before the body's end";

/**
 * The exact bytes of a request. Beyond `maxBytes` nothing more is kept: the rest is let through unread, so that the
 * answer reaches a client that is still sending. Throws `webhook` when the client goes away, and the reason of the signal.
 */
export function readBody(
  request: IncomingMessage,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Body> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) {
    request.resume();
    return Promise.resolve({ kind: "too-large" });
  }
  return new Promise((resolve, reject) => {
    let chunks: Uint8Array[] = [];
    let size = 0;
    const keep = (chunk: Uint8Array): void => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks = [];
      request.off("data", keep).resume();
      resolve({ kind: "too-large" });
    };
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    request
      .on("data", keep)
      .once("end", () => resolve({ kind: "whole", bytes: Buffer.concat(chunks) }))
      .once("error", (cause) => reject(new DriftlessError("webhook", clientGone, { cause })))
      .once("close", () => reject(new DriftlessError("webhook", clientGone)));
  });
}
