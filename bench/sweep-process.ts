/** A process of its own that sweeps when it is told to, as the sweep function does: its memory is that of sweeps alone. */
import { randomUUID } from "node:crypto";
import { openTable } from "../cli/local/table.ts";
import { createDiscoveryCache } from "../lib/cluster/discovery.ts";
import { createClusterReader } from "../lib/cluster/kubernetes.ts";
import { createTransport } from "../lib/cluster/transport.ts";
import { DriftlessError, messageOf } from "../lib/errors.ts";
import { createDynamoStores } from "../lib/store/dynamodb.ts";
import { createSweepShard } from "../lib/sync/sweep/sweep-shard.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import { processMeter } from "../lib/telemetry/effort.ts";
import { silentLog } from "../lib/telemetry/log.ts";
import { Secret } from "../lib/telemetry/secret.ts";
import { type GrowthAccess, growthCluster, growthTable } from "./growth.ts";

process.on("disconnect", () => process.exit(0));
process.once("message", (access: GrowthAccess) => {
  const { server, ca, token, tableEndpoint, snapshotKey } = access;
  const authorization = new Secret(`Bearer ${token}`);
  const transport = createTransport({ connection: { server, ca, authorize: () => Promise.resolve(authorization) } });
  const discovery = createDiscoveryCache();
  const client = openTable(tableEndpoint);
  const sweep = createSweepShard({
    stores: createDynamoStores({ client, table: growthTable, clock, snapshotKey: new Secret(snapshotKey) }),
    clusters: {
      reader: () => Promise.resolve(createClusterReader({ transport, discovery })),
      writer: () => Promise.reject(new DriftlessError("cluster", "a sweep writes nothing")),
    },
    starter: { start: () => Promise.reject(new DriftlessError("queue", "nothing is to be healed")) },
    meter: processMeter,
    clock,
    log: silentLog,
  });
  process.on("message", () => {
    sweep({ id: randomUUID(), cluster: growthCluster }).then(
      (report) => process.send?.({ report }),
      (error: unknown) => process.send?.({ error: messageOf(error) }),
    );
  });
  process.send?.({ ready: process.resourceUsage().maxRSS / 1024 });
});
