import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Environment } from "../lib/config/environment.ts";
import { createGithubAuthorization } from "../lib/source/github-app.ts";
import { createGithubCredentials } from "../lib/source/github-credentials.ts";
import type { Sources } from "../lib/source/source.ts";
import { createSources } from "../lib/source/sources.ts";
import type { Stores } from "../lib/store/store.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import type { Log } from "../lib/telemetry/log.ts";

/** Git repositories: GitHub's with the credentials that the environment names, every other one anonymously. */
export function openSources(env: Environment, { stores, log }: { stores: Stores; log: Log }): Sources {
  const { githubSecretId: secretId, githubApiUrl: apiUrl, region } = env;
  if (secretId === undefined) return createSources({ log });
  const credentials = createGithubCredentials({ client: new SecretsManagerClient({ region }), secretId, clock });
  const bindings = stores.repositories;
  return createSources({ authorization: createGithubAuthorization({ apiUrl, credentials, bindings, clock, log }), log });
}
