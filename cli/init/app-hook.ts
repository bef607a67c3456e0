import { createAppAuth } from "@octokit/auth-app";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import type { Secret } from "../../lib/telemetry/secret.ts";

export interface AppHook {
  readonly apiUrl: string;
  readonly appId: string;
  readonly privateKey: Secret;
  /** Where deliveries go. */
  readonly url: string;
  /** What they are signed with. */
  readonly secret: Secret;
}

/** Has the App sign its deliveries with the secret that the webhook function reads, and send them to it. Throws `config`. */
export async function setAppHook({ apiUrl, appId, privateKey, url, secret }: AppHook): Promise<void> {
  try {
    const { token } = await createAppAuth({ appId, privateKey: privateKey.reveal() })({ type: "app" });
    const answer = await fetch(`${apiUrl}/app/hook/config`, {
      method: "PATCH",
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/vnd.github+json",
        "content-type": "application/json",
        "user-agent": "driftless",
        "x-github-api-version": "2022-11-28",
      },
      body: JSON.stringify({ url, content_type: "json", insecure_ssl: "0", secret: secret.reveal() }),
      signal: AbortSignal.timeout(20_000),
    });
    if (!answer.ok) throw new Error(`GitHub answered ${answer.status}`);
  } catch (cause) {
    throw new DriftlessError("config", `the App's webhook was not set: ${messageOf(cause)}`, { cause });
  }
}
