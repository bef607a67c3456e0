import { Webhooks } from "@octokit/webhooks";
import type { Secret } from "../telemetry/secret.ts";

/** During a rotation both names stand; afterwards only `current`. */
export interface WebhookSecret {
  readonly name: "current" | "previous";
  readonly value: Secret;
}

/** What GitHub sends in X-Hub-Signature-256. */
export const signatureShape = /^sha256=[0-9a-f]{64}$/;

/**
 * The name of the secret that a body was signed with, undefined when it was none of them. All secrets are tried, each in
 * constant time. The library reads text only, so bytes that are not UTF-8 cannot be held against a signature: they fail.
 */
export async function verifyDelivery({
  secrets,
  rawBody,
  signature,
}: {
  readonly secrets: readonly WebhookSecret[];
  readonly rawBody: Uint8Array;
  readonly signature: string;
}): Promise<WebhookSecret["name"] | undefined> {
  const body = exactText(rawBody);
  if (body === undefined || body === "" || !signatureShape.test(signature)) return undefined;
  const matches = await Promise.all(secrets.map(({ value }) => new Webhooks({ secret: value.reveal() }).verify(body, signature)));
  return secrets[matches.indexOf(true)]?.name;
}

/** Text that encodes to the same bytes again: a byte order mark is kept, and nothing is replaced. */
function exactText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
