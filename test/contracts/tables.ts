import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe } from "node:test";
import { type AttributeValue, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { createTable, openTable, startTable } from "../../cli/local/table.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import type { TableClient } from "../../lib/store/table-client.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startMemoryTable } from "../support/memory-table.ts";
import { type FaultyClient, openFaultyTable } from "./faults.ts";

export interface TestTable {
  readonly client: TableClient;
  readonly table: string;
  readonly stores: Stores;
  /** Stores over the same rows that cut documents into parts of so many bytes, or use another client or key. */
  storesWith(options: { partBytes?: number; client?: TableClient; snapshotKey?: Secret }): Stores;
  /** A client of its own, for faults that others must not meet. */
  anotherClient(options?: { attempts?: number }): FaultyClient;
  /** What the stores take for the present. */
  time: Date;
  /** Every item as it lies in the table. */
  rawItems(): Promise<Record<string, AttributeValue>[]>;
}

/** Runs a suite over every implementation of the table: the two in process always, and at `DRIFTLESS_DYNAMODB_ENDPOINT` when it is set. */
export function overEachTable(title: string, suite: (table: TestTable) => void): void {
  const external = process.env["DRIFTLESS_DYNAMODB_ENDPOINT"];
  describe(`${title}, in process`, () => suite(openedAround(startTable)));
  describe(`${title}, in memory`, () => suite(openedAround(startMemoryTable)));
  describe(`${title}, DynamoDB Local`, { skip: external === undefined && "DRIFTLESS_DYNAMODB_ENDPOINT is not set" }, () =>
    suite(openedAround(() => Promise.resolve({ endpoint: external ?? "", close: () => Promise.resolve() }))),
  );
}

/** A fresh table around the tests of the suite at hand. */
function openedAround(start: typeof startTable): TestTable {
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const table = `driftless-${randomUUID()}`;
  const closing: (() => void)[] = [];
  let service: Awaited<ReturnType<typeof start>>;
  const opened = { table, time: new Date("2025-03-01T12:00:00.000Z") } as TestTable & { client: TableClient; stores: Stores };
  const closedAtTheEnd = <T extends TableClient>(client: T): T => {
    closing.push(() => client.close());
    return client;
  };
  const clock = { now: () => opened.time };
  before(async () => {
    service = await start();
    opened.client = closedAtTheEnd(openTable(service.endpoint));
    await createTable({ client: opened.client, table });
    opened.stores = createDynamoStores({ client: opened.client, table, clock, snapshotKey });
  });
  after(async () => {
    await opened.client.call("DeleteTable", { TableName: table });
    for (const close of closing) close();
    await service.close();
  });
  return Object.assign(opened, {
    anotherClient: (options) => closedAtTheEnd(openFaultyTable(service.endpoint, options)),
    storesWith: (options) => createDynamoStores({ client: opened.client, table, clock, snapshotKey, ...options }),
    // By the client of the SDK, which knows nothing of how ours writes.
    rawItems: async () => {
      const credentials = { accessKeyId: "local", secretAccessKey: "local" };
      const sdk = new DynamoDBClient({ endpoint: service.endpoint, region: "eu-central-1", credentials });
      const items: Record<string, AttributeValue>[] = [];
      let next: Record<string, AttributeValue> | undefined;
      do {
        const page = await sdk.send(new ScanCommand({ TableName: table, ...(next && { ExclusiveStartKey: next }) }));
        items.push(...(page.Items ?? []));
        next = page.LastEvaluatedKey;
      } while (next);
      sdk.destroy();
      return items;
    },
  } satisfies Partial<TestTable>);
}
