import { parseSecretObject, readSecretText, type SecretPlace } from "../aws/secrets-manager.ts";
import { DriftlessError, isDriftlessError } from "../errors.ts";
import { type CallOptions, signalWithin } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { Secret } from "../telemetry/secret.ts";
import type { WebhookSecret } from "./signature.ts";

/** The secrets that GitHub may sign with at the moment. */
export interface WebhookSecrets {
  /** The secrets as last read, at most five minutes old unless they cannot be read. Throws `config` when there never were any. */
  get(options?: CallOptions): Promise<readonly WebhookSecret[]>;
  /** Reads them again, for a signature that none of them made; undefined when that was done within the last minute. */
  refresh(options?: CallOptions): Promise<readonly WebhookSecret[] | undefined>;
}

export interface WebhookSecretsDeps extends SecretPlace {
  readonly clock: Clock;
  readonly log: Log;
}

const freshMs = 5 * 60_000;
const pauseMs = 60_000;
const callMs = 3_000;

/** Webhook secrets from Secrets Manager: `{"current": "...", "previous": "..."}`, or one secret as plain text. */
export function createWebhookSecrets({ client, secretId, clock, log }: WebhookSecretsDeps): WebhookSecrets {
  let known: readonly WebhookSecret[] | undefined;
  let readAgainAt = 0;
  let refreshAgainAt = 0;

  async function read(options: CallOptions): Promise<readonly WebhookSecret[]> {
    const signal = signalWithin(callMs, options);
    const now = clock.now().getTime();
    try {
      known = parseWebhookSecrets(await readSecretText({ client, secretId }, { signal }), secretId);
      readAgainAt = now + freshMs;
      return known;
    } catch (error) {
      if (known !== undefined) {
        readAgainAt = now + pauseMs;
        log.warn("webhook.secrets-stale", { secretId, error });
        return known;
      }
      if (isDriftlessError(error)) throw error;
      throw new DriftlessError("config", `the webhook secrets ${secretId} could not be read`, { cause: error, retryable: true });
    }
  }

  return {
    async get(options = {}) {
      return known !== undefined && clock.now().getTime() < readAgainAt ? known : read(options);
    },
    async refresh(options = {}) {
      const now = clock.now().getTime();
      if (now < refreshAgainAt) return undefined;
      refreshAgainAt = now + pauseMs;
      return read(options);
    },
  };
}

/** Reads the text of the secret; throws `config`, never with any part of it. */
export function parseWebhookSecrets(text: string, secretId: string): readonly WebhookSecret[] {
  const given = parseSecretObject(text) ?? { current: text.replace(/\r?\n$/, "") };
  const { current, previous = "", ...others } = given;
  const wrong = typeof current !== "string" || current === "" || typeof previous !== "string" || Object.keys(others).length > 0;
  if (wrong) {
    const advice = 'it must be {"current": "...", "previous": "..."} (previous may be left out), or one secret as plain text';
    throw new DriftlessError("config", `the secret ${secretId} does not hold webhook secrets: ${advice}`, {
      facts: { secretId },
    });
  }
  const secrets: WebhookSecret[] = [{ name: "current", value: new Secret(current) }];
  if (previous !== "") secrets.push({ name: "previous", value: new Secret(previous) });
  return secrets;
}
