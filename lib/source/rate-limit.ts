import type { IncomingHttpHeaders } from "node:http";
import type { HttpAnswer } from "./http.ts";

/** Seconds to wait when a host says that it is asked too much, but not for how long. */
const unsaidSeconds = 60;
/** Characters of a refusal's body that are looked at. */
const longestRefusal = 16_384;

export interface LimitedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** How the body of a 403 or 429 begins; "" where nobody looked. */
  readonly text: string;
  readonly now: Date;
}

/**
 * Seconds that an answer asks to wait; undefined when it asks for nothing. Read in the order that GitHub documents for
 * its primary and secondary limits: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function askedWait({ status, headers, text, now }: LimitedAnswer): number | undefined {
  const seconds = retryAfterSeconds(headers["retry-after"], now);
  if (seconds !== undefined) return seconds;
  if (status !== 403 && status !== 429) return undefined;
  if (headers["x-ratelimit-remaining"] === "0") return secondsUntil(headers["x-ratelimit-reset"], now);
  return /secondary rate limit/i.test(text) ? unsaidSeconds : undefined;
}

/** The same for an answer whose body nobody needs any more: it may tell of a limit that no header tells of. */
export async function waitAskedBy(
  { status, headers, body }: Pick<HttpAnswer, "status" | "headers" | "body">,
  now: Date,
): Promise<number | undefined> {
  const text = status === 403 || status === 429 ? await beginningOf(body) : "";
  return askedWait({ status, headers, text, now });
}

function retryAfterSeconds(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

/** `reset` is a point of time in seconds since 1970. */
function secondsUntil(reset: string | string[] | undefined, now: Date): number {
  if (typeof reset !== "string" || !/^\d{1,12}$/.test(reset)) return unsaidSeconds;
  return Math.max(1, Math.ceil(Number(reset) - now.getTime() / 1000));
}

async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  try {
    for await (const chunk of body) {
      text += Buffer.from(chunk).toString("latin1");
      if (text.length > longestRefusal) break;
    }
  } catch {
    // The status alone says enough.
  }
  return text;
}
