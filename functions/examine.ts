import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { OpenClusters } from "../lib/cluster/clusters.ts";
import type { Environment } from "../lib/config/environment.ts";
import type { Examine } from "../lib/queue/examine.ts";
import { createGithubCredentials } from "../lib/source/github-credentials.ts";
import { createGithubInspector } from "../lib/source/github-inspection.ts";
import type { Stores } from "../lib/store/store.ts";
import { createExamine } from "../lib/sync/doctor/examine.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";

/** What `driftless doctor` asks of the function that can reach clusters and GitHub. */
export function openExamine(env: Environment, { stores, clusters }: { stores: Stores; clusters: OpenClusters }): Examine {
  const { githubSecretId: secretId, githubApiUrl: apiUrl, configRepository, region } = env;
  const client = new SecretsManagerClient({ region });
  const credentials = secretId === undefined ? undefined : createGithubCredentials({ client, secretId, clock });
  const github = credentials && createGithubInspector({ apiUrl, credentials, clock });
  return createExamine({ stores, clusters, configRepository, clock, ...(github === undefined ? {} : { github }) });
}
