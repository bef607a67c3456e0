import { randomUUID } from "node:crypto";
import type { Clock } from "../telemetry/clock.ts";
import type { Secret } from "../telemetry/secret.ts";
import { createApplications } from "./applications.ts";
import { createCapabilities } from "./capabilities.ts";
import { createConfiguration } from "./configuration.ts";
import { createDeliveries } from "./deliveries.ts";
import { createDrift } from "./drift.ts";
import { createHeads } from "./heads.ts";
import { createInventories } from "./inventories.ts";
import { createItems } from "./items.ts";
import { createLeases } from "./leases.ts";
import { createParts } from "./parts.ts";
import { createPreventionStore } from "./prevention.ts";
import { createRenders } from "./renders.ts";
import { createRepositories } from "./repositories.ts";
import { createSeal } from "./seal.ts";
import { createSnapshots } from "./snapshots.ts";
import type { Stores } from "./store.ts";
import { createSweeps } from "./sweeps.ts";
import { createSyncs } from "./syncs.ts";
import type { TableClient } from "./table-client.ts";

export interface DynamoStoresDeps {
  readonly client: TableClient;
  /** Name of the table that `tableDefinition` describes. */
  readonly table: string;
  readonly clock: Clock;
  /** 32 bytes in base64. With another key, stored snapshots cannot be read and every digest is another one. */
  readonly snapshotKey: Secret;
  readonly newId?: () => string;
  /** Snapshots and inventories above this many bytes, compressed, are stored in parts. Default 350 KB. */
  readonly partBytes?: number;
}

/** All stores over one DynamoDB table, by single-item conditional writes and key queries alone. Throws `config` for a bad key. */
export function createDynamoStores(deps: DynamoStoresDeps): Stores {
  const { clock, newId = randomUUID } = deps;
  const items = createItems(deps);
  const seal = createSeal(deps.snapshotKey);
  const parts = createParts({ items, newId, ...(deps.partBytes !== undefined && { partBytes: deps.partBytes }) });
  return {
    deliveries: createDeliveries({ items, clock, newId }),
    configuration: createConfiguration({ items }),
    applications: createApplications({ items, newId }),
    heads: createHeads({ items, newId }),
    repositories: createRepositories({ items }),
    capabilities: createCapabilities({ items }),
    renders: createRenders({ items, clock }),
    snapshots: createSnapshots({ items, parts, seal }),
    inventories: createInventories({ items, parts, clock }),
    syncs: createSyncs({ items, clock }),
    drift: createDrift({ items, clock }),
    sweeps: createSweeps({ items, clock }),
    prevention: createPreventionStore({ items }),
    leases: createLeases({ items, clock }),
    digest: (text) => seal.digest(text),
  };
}
