import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe } from "node:test";
import { type AttributeValue, DeleteTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { createTable, startTable } from "../../cli/local/table.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { startMemoryTable } from "../support/memory-table.ts";

export interface TestTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly stores: Stores;
  /** Stores over the same rows that cut documents into parts of so many bytes, or use another client or key. */
  storesWith(options: { partBytes?: number; client?: DynamoDBClient; snapshotKey?: Secret }): Stores;
  /** A client of its own, for faults that others must not meet. */
  anotherClient(options?: { maxAttempts?: number }): DynamoDBClient;
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
  const clients: DynamoDBClient[] = [];
  let service: Awaited<ReturnType<typeof start>>;
  const opened = { table, time: new Date("2025-03-01T12:00:00.000Z") } as TestTable & { client: DynamoDBClient; stores: Stores };
  const anotherClient = (options: { maxAttempts?: number } = {}): DynamoDBClient => {
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const client = new DynamoDBClient({ endpoint: service.endpoint, region: "eu-central-1", credentials, ...options });
    clients.push(client);
    return client;
  };
  const clock = { now: () => opened.time };
  before(async () => {
    service = await start();
    opened.client = anotherClient();
    await createTable({ client: opened.client, table });
    opened.stores = createDynamoStores({ client: opened.client, table, clock, snapshotKey });
  });
  after(async () => {
    await opened.client.send(new DeleteTableCommand({ TableName: table }));
    for (const client of clients) client.destroy();
    await service.close();
  });
  return Object.assign(opened, {
    anotherClient,
    storesWith: (options) => createDynamoStores({ client: opened.client, table, clock, snapshotKey, ...options }),
    rawItems: async () => {
      const items: Record<string, AttributeValue>[] = [];
      let next: Record<string, AttributeValue> | undefined;
      do {
        const page = await opened.client.send(new ScanCommand({ TableName: table, ...(next && { ExclusiveStartKey: next }) }));
        items.push(...(page.Items ?? []));
        next = page.LastEvaluatedKey;
      } while (next);
      return items;
    },
  } satisfies Partial<TestTable>);
}
