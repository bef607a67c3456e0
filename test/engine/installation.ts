import { randomBytes, randomUUID } from "node:crypto";
import { createTable } from "../../cli/local/table.ts";
import type { Answer } from "../../lib/cluster/classify.ts";
import type { Clusters, ClusterWriter } from "../../lib/cluster/cluster.ts";
import { createDiscoveryCache, type DiscoveryCache } from "../../lib/cluster/discovery.ts";
import type { HttpRequest } from "../../lib/cluster/exchange.ts";
import { createClusterReader, createClusterWriter } from "../../lib/cluster/kubernetes.ts";
import { createTransport, type Transport } from "../../lib/cluster/transport.ts";
import { DriftlessError } from "../../lib/errors.ts";
import { assessHealth } from "../../lib/health/health.ts";
import type { SyncBatch } from "../../lib/model/sync.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import type { TableClient } from "../../lib/store/table-client.ts";
import { createSyncBatch } from "../../lib/sync/batch/sync-batch.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { sharedControlPlane } from "../support/cluster.ts";
import { createMemoryTable } from "../support/memory-table.ts";
import { createExecution, type Execution, type TestClock } from "./execution.ts";
import { type Call, createWorker, type Worker } from "./worker.ts";

/** The real API server, as all installations of a test file reach it. */
export interface Api {
  readonly transport: Transport;
  /** What no worker does: looks from outside, and what other people do. */
  readonly outside: ClusterWriter;
  readonly discovery: DiscoveryCache;
}

export async function openApi(): Promise<Api> {
  const { ca, tokens, server } = await sharedControlPlane();
  const authorization = new Secret(`Bearer ${tokens.admin}`);
  const transport = createTransport({ connection: { server, ca, authorize: () => Promise.resolve(authorization) } });
  const discovery = createDiscoveryCache();
  return { transport, discovery, outside: createClusterWriter({ transport, discovery }) };
}

/** One request that a worker sent. */
export interface Sent extends HttpRequest {
  /** Of the run. */
  readonly run: string;
  readonly answer: Answer;
}

export interface InstallationOptions {
  readonly api: Api;
  readonly clock: TestClock;
  /** True lets workers know what the API server serves; else each asks for itself, as a new process does. */
  readonly sharesDiscovery?: boolean;
  /** Inventories and snapshots above so many bytes are stored in parts. */
  readonly partBytes?: number;
  /** Asked before each try of a call of the table, of which the client makes three: true has it throttled. */
  readonly spoils?: () => boolean;
  /** Asked at the moment when a request would go out; answers, or fails, in the API server's stead. */
  readonly fault?: (request: HttpRequest, run: string) => Answer | undefined | Promise<Answer | undefined>;
}

/** Driftless' engine with a table of its own, on the real API server. */
export interface Installation {
  readonly clock: TestClock;
  readonly stores: Stores;
  /** The table itself. */
  readonly table: { readonly client: TableClient; readonly name: string };
  /** What workers sent to the API server, in order of the answers. */
  readonly sent: Sent[];
  /** Stores whose calls are this worker's. */
  readonly storesOf: (worker: Worker) => Stores;
  /** Clusters whose calls are this worker's; `run` names them in `sent`. */
  readonly clustersOf: (worker: Worker, run: string) => Clusters;
  /** Works on a batch until its end or the worker's death. */
  readonly work: (batch: SyncBatch, execution: Execution, worker?: Worker) => Promise<"ended" | "killed">;
  /** Works on a batch as a run of its own. */
  readonly sync: (batch: SyncBatch, id: string) => Promise<Worker>;
}

export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const { api, clock, sharesDiscovery = false, partBytes, spoils, fault } = options;
  const table = `engine-${randomUUID()}`;
  const client = createMemoryTable();
  await createTable({ client, table });
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const storesOver = (over: TableClient) =>
    createDynamoStores({ client: over, table, clock, snapshotKey, ...(partBytes === undefined ? {} : { partBytes }) });
  const sent: Sent[] = [];

  const storesOf = (worker: Worker) => storesOver(countedTable(client, { worker, ...(spoils === undefined ? {} : { spoils }) }));

  function clustersOf(worker: Worker, run: string): Clusters {
    const discovery = sharesDiscovery ? api.discovery : createDiscoveryCache();
    const transport: Transport = {
      ...api.transport,
      request: (request, options) =>
        worker.call({ to: "cluster", name: `${request.method} ${request.path}` }, async () => {
          const answer = (await fault?.(request, run)) ?? (await api.transport.request(request, options));
          sent.push({ ...request, run, answer });
          return answer;
        }),
    };
    return {
      reader: () => Promise.resolve(createClusterReader({ transport, discovery })),
      writer: () => Promise.resolve(createClusterWriter({ transport, discovery })),
    };
  }

  function work(batch: SyncBatch, execution: Execution, worker = createWorker()): Promise<"ended" | "killed"> {
    const clusters = clustersOf(worker, execution.id);
    const assessor = () => Promise.resolve(assessHealth);
    const sync = createSyncBatch({ stores: storesOf(worker), clusters, assessor, clock, log: silentLog });
    return worker.run(() => sync(batch, execution.on(worker)));
  }

  return {
    clock,
    stores: storesOver(client),
    table: { client, name: table },
    sent,
    storesOf,
    clustersOf,
    work,
    async sync(batch, id) {
      const worker = createWorker();
      await work(batch, createExecution({ id, clock }), worker);
      return worker;
    },
  };
}

interface CountedTable {
  readonly worker: Worker;
  readonly spoils?: () => boolean;
}

/** The table's client, as one worker uses it. */
function countedTable(client: TableClient, { worker, spoils }: CountedTable): TableClient {
  return {
    call: (operation, request) =>
      worker.call(tableCall(operation, request), () => {
        if (spoils !== undefined && [1, 2, 3].every(() => spoils())) {
          return Promise.reject(new DriftlessError("store", `${operation} was throttled`, { retryable: true }));
        }
        return client.call(operation, request);
      }),
    close: () => undefined,
  };
}

function tableCall(operation: string, request: object): Call {
  const { Key, Item } = request as { readonly Key?: { readonly pk: { readonly S: string } }; readonly Item?: typeof Key };
  return { to: "table", name: `${operation} ${(Key ?? Item)?.pk.S ?? ""}`.trim() };
}
