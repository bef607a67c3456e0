import { createPrivateKey } from "node:crypto";
import { parseSecretObject, readSecretText, type SecretPlace } from "../aws/secrets-manager.ts";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Clock } from "../telemetry/clock.ts";
import { Secret } from "../telemetry/secret.ts";

/** What opens GitHub: an App with its key, or one token for a first try. */
export type GithubCredentials =
  | { readonly kind: "app"; readonly appId: string; readonly privateKey: Secret }
  | { readonly kind: "token"; readonly token: Secret };

export interface GithubCredentialsReader {
  /** The credentials as last read. Throws `config`. */
  get(): Promise<GithubCredentials>;
  /** Reads them again, for when GitHub refuses those that are known; undefined when that was done within the last minute. */
  refresh(): Promise<GithubCredentials | undefined>;
}

export interface GithubCredentialsDeps extends SecretPlace {
  readonly clock: Clock;
}

const pauseMs = 60_000;
const callMs = 5_000;

/** Credentials from Secrets Manager, read when they are first needed: `{"appId", "privateKey"}` or `{"token"}`. */
export function createGithubCredentials({ client, secretId, clock }: GithubCredentialsDeps): GithubCredentialsReader {
  let known: Promise<GithubCredentials> | undefined;
  let refreshAgainAt = 0;

  const read = (): Promise<GithubCredentials> => {
    // Shared by everyone who asks meanwhile, so no caller's signal ends it.
    const reading = readSecret({ client, secretId }, { signal: AbortSignal.timeout(callMs) });
    known = reading;
    reading.catch(() => {
      if (known === reading) known = undefined;
    });
    return reading;
  };
  return {
    get: () => known ?? read(),
    async refresh() {
      const now = clock.now().getTime();
      if (now < refreshAgainAt) return undefined;
      refreshAgainAt = now + pauseMs;
      return read();
    },
  };
}

async function readSecret(place: SecretPlace, options: CallOptions): Promise<GithubCredentials> {
  const { secretId } = place;
  const text = await readSecretText(place, options).catch((cause: unknown) => {
    throw new DriftlessError("config", `the GitHub credentials ${secretId} could not be read from Secrets Manager`, {
      cause,
      retryable: true,
      facts: { secretId },
    });
  });
  return parseGithubCredentials(text, secretId);
}

/** Reads the text of the secret; throws `config`, never with any part of it. */
export function parseGithubCredentials(text: string, secretId: string): GithubCredentials {
  const { appId, privateKey, token, ...others } = parseSecretObject(text) ?? {};
  const wrong = (advice: string): DriftlessError =>
    new DriftlessError("config", `the secret ${secretId} does not hold GitHub credentials: ${advice}`, { facts: { secretId } });
  if (Object.keys(others).length === 0 && isToken(token) && appId === undefined && privateKey === undefined)
    return { kind: "token", token: new Secret(token) };
  const id = typeof appId === "number" ? String(appId) : appId;
  const isApp = typeof id === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(id) && typeof privateKey === "string";
  if (!isApp || token !== undefined || Object.keys(others).length > 0)
    throw wrong('it must be {"appId": "...", "privateKey": "..."} of a GitHub App, or {"token": "..."}');
  const pem = rsaKey(privateKey);
  if (pem === undefined) throw wrong("privateKey is no RSA key in PEM form: put in the whole file that GitHub made");
  return { kind: "app", appId: id, privateKey: new Secret(pem) };
}

/** A header takes nothing else. */
function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,4096}$/.test(value);
}

/** The key with its line breaks, which are often lost to `\n` on the way into a secret. */
function rsaKey(text: string): string | undefined {
  const pem = `${text.replaceAll("\\n", "\n").trim()}\n`;
  try {
    return createPrivateKey(pem).asymmetricKeyType === "rsa" ? pem : undefined;
  } catch {
    // What OpenSSL says of it is no help, and nobody can swear that it holds nothing of the key.
    return undefined;
  }
}
