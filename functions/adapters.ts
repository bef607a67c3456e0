import { EKSClient } from "@aws-sdk/client-eks";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSignedPost } from "../lib/aws/signed-post.ts";
import { createClusters, type OpenClusters } from "../lib/cluster/clusters.ts";
import type { Environment } from "../lib/config/environment.ts";
import { createDynamoStores } from "../lib/store/dynamodb.ts";
import { createDynamoClient } from "../lib/store/dynamodb-client.ts";
import { readSnapshotKey } from "../lib/store/snapshot-key.ts";
import type { Stores } from "../lib/store/store.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import type { Log } from "../lib/telemetry/log.ts";

/** The table, with the key that its snapshots are sealed with. */
export async function openStores(env: Environment): Promise<Stores> {
  const { region, table } = env;
  const secrets = new SecretsManagerClient({ region });
  const snapshotKey = await readSnapshotKey({ client: secrets, secretId: env.snapshotKeyId });
  const { credentials } = secrets.config;
  const post = createSignedPost({ endpoint: env.tableEndpoint, region, service: "dynamodb", credentials, clock });
  return createDynamoStores({ client: createDynamoClient({ post }), table, clock, snapshotKey });
}

/** The clusters that the stored configuration names. */
export function openClusters(env: Environment, { stores, log }: { stores: Stores; log: Log }): OpenClusters {
  return createClusters({
    find: async (name, options) =>
      (await stores.configuration.load(options))?.configuration.clusters.find((cluster) => cluster.name === name),
    ...(env.kubeconfig === undefined ? {} : { kubeconfigPath: env.kubeconfig }),
    eksClient: (region) => new EKSClient({ region }),
    clock,
    log,
  });
}
