import { createHmac, randomUUID } from "node:crypto";
import type { JsonObject } from "../../lib/model/json.ts";

export const currentSecret = "the current secret";
export const previousSecret = "the previous secret";
export const head = "9f5d1e0b7c3a4f6e8d2b1a0c9e8f7d6c5b4a3928";
export const nobody = "0000000000000000000000000000000000000000";

/** The payload of a push, as far as GitHub's documentation makes it a promise. */
export function aPush(change: JsonObject = {}): JsonObject {
  return {
    ref: "refs/heads/main",
    before: "1111111111111111111111111111111111111111",
    after: head,
    created: false,
    deleted: false,
    forced: false,
    repository: {
      id: 186853002,
      full_name: "acme/guestbook",
      html_url: "https://github.com/acme/guestbook",
      clone_url: "https://github.com/acme/guestbook.git",
    },
    pusher: { name: "octocat" },
    head_commit: { id: head, message: "Scale the frontend \u{1f680}\r\n\r\nüber" },
    ...change,
  };
}

export function sign(body: string | Uint8Array, secret = currentSecret): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** The headers of a delivery that GitHub could have sent; `undefined` takes one out. */
export function headersFor(
  body: string | Uint8Array,
  { secret, ...change }: { readonly secret?: string; readonly [name: string]: string | undefined } = {},
): Record<string, string> {
  const headers = {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/044aadd",
    "x-github-delivery": randomUUID(),
    "x-github-event": "push",
    "x-hub-signature-256": sign(body, secret),
    ...change,
  };
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
