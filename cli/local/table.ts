import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import dynalite from "dynalite";
import { createSignedPost } from "../../lib/aws/signed-post.ts";
import { DriftlessError, isDriftlessError } from "../../lib/errors.ts";
import { createDynamoClient } from "../../lib/store/dynamodb-client.ts";
import { tableDefinition } from "../../lib/store/table.ts";
import type { TableAnswer, TableClient } from "../../lib/store/table-client.ts";
import { systemClock as clock } from "../../lib/telemetry/clock.ts";

export interface LocalService {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Stands for DynamoDB in tests: dynalite, in this process, on a free loopback port; in memory, or kept in the folder `path`. */
export async function startTable({ path }: { path?: string } = {}): Promise<LocalService> {
  const server = dynalite({ ...(path !== undefined && { path }), createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** A client of a table on this machine, which takes any credentials. */
export function openTable(endpoint: string): TableClient {
  const credentials = () => Promise.resolve({ accessKeyId: "local", secretAccessKey: "local" });
  return createDynamoClient({
    post: createSignedPost({ endpoint, region: "us-east-1", service: "dynamodb", credentials, clock }),
  });
}

/** Makes the table unless it is there, and waits until it can be used. Rows do not expire by it: local tables are small. */
export async function createTable({ client, table }: { client: TableClient; table: string }): Promise<void> {
  try {
    await client.call("CreateTable", { TableName: table, ...tableDefinition });
  } catch (error) {
    if (!isDriftlessError(error) || error.facts["fault"] !== "ResourceInUseException") throw error;
  }
  for (let look = 0; look < 200; look += 1) {
    const answer = await client.call("DescribeTable", { TableName: table });
    const { Table } = answer as TableAnswer & { readonly Table?: { readonly TableStatus: string } };
    if (Table?.TableStatus === "ACTIVE") return;
    await pause(10);
  }
  throw new DriftlessError("store", `table ${table} was not ready within two seconds`);
}
