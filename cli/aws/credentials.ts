import type { CredentialProvider } from "../../lib/aws/signed-post.ts";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";

/**
 * The credentials of whoever types, as every client of AWS finds them: environment, AWS_PROFILE, single sign-on, instance role. The client is loaded
 * when they are first asked for. Throws `config` with what to do where there are none, or none that are still good.
 */
export function operatorCredentials(region: string): CredentialProvider {
  let client: Promise<{ readonly config: { readonly credentials: CredentialProvider } }> | undefined;
  return async (options) => {
    client ??= import("@aws-sdk/client-secrets-manager").then(({ SecretsManagerClient }) => new SecretsManagerClient({ region }));
    const found = await (await client).config.credentials(options).catch((cause: unknown) => {
      throw new DriftlessError("config", `${whyNone(cause)}: ${messageOf(cause)}; ${whatToDo}`, { cause });
    });
    if (found.expiration !== undefined && found.expiration <= systemClock.now())
      throw new DriftlessError("config", `the AWS credentials expired at ${found.expiration.toISOString()}; ${whatToDo}`);
    return found;
  };
}

/** What to do where there are no credentials, or they are refused. */
export const whatToDo =
  "sign in (`aws sso login`, or what your organisation uses), or name a profile that works with AWS_PROFILE";

function whyNone(cause: unknown): string {
  return /expired/i.test(messageOf(cause)) ? "the AWS credentials expired" : "there are no AWS credentials";
}
