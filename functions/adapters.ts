import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EKSClient } from "@aws-sdk/client-eks";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createClusters, type OpenClusters } from "../lib/cluster/clusters.ts";
import type { Environment } from "../lib/config/environment.ts";
import { createDynamoStores } from "../lib/store/dynamodb.ts";
import { readSnapshotKey } from "../lib/store/snapshot-key.ts";
import type { Stores } from "../lib/store/store.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import type { Log } from "../lib/telemetry/log.ts";

/** The table, with the key that its snapshots are sealed with. */
export async function openStores(env: Environment): Promise<Stores> {
  const { region, table } = env;
  const snapshotKey = await readSnapshotKey({ client: new SecretsManagerClient({ region }), secretId: env.snapshotKeyId });
  return createDynamoStores({ client: new DynamoDBClient({ region }), table, clock, snapshotKey });
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
