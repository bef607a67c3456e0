import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSignedPost } from "../lib/aws/signed-post.ts";
import type { Environment } from "../lib/config/environment.ts";
import { createDynamoStores } from "../lib/store/dynamodb.ts";
import { createDynamoClient } from "../lib/store/dynamodb-client.ts";
import { readSnapshotKey } from "../lib/store/snapshot-key.ts";
import type { Stores } from "../lib/store/store.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";

export { openClusters } from "./clusters.ts";

/** The table, with the key that its snapshots are sealed with. */
export async function openStores(env: Environment): Promise<Stores> {
  const { region, table } = env;
  const secrets = new SecretsManagerClient({ region });
  const snapshotKey = await readSnapshotKey({ client: secrets, secretId: env.snapshotKeyId });
  const { credentials } = secrets.config;
  const post = createSignedPost({ endpoint: env.tableEndpoint, region, service: "dynamodb", credentials, clock });
  return createDynamoStores({ client: createDynamoClient({ post }), table, clock, snapshotKey });
}
