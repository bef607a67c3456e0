import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTable, openTable, startTable } from "../../cli/local/table.ts";
import { createItems } from "../../lib/store/items.ts";

test("a local table in a folder keeps its rows over a restart", async () => {
  const path = await mkdtemp(join(tmpdir(), "driftless-table-"));
  try {
    for (const expected of [undefined, { pk: "a", sk: "b", text: "", number: 9007199254740991 }]) {
      const service = await startTable({ path });
      const client = openTable(service.endpoint);
      await createTable({ client, table: "driftless" });
      const items = createItems({ client, table: "driftless" });
      assert.deepEqual(await items.get({ pk: "a", sk: "b" }), expected);
      await items.put({ pk: "a", sk: "b", text: "", number: 9007199254740991 });
      client.close();
      await service.close();
    }
  } finally {
    await rm(path, { recursive: true, force: true });
  }
});

test("the table bills by request; deliveries are listed by one index, drift by five, without the rows themselves", async () => {
  const service = await startTable();
  const client = openTable(service.endpoint);
  await createTable({ client, table: "driftless" });
  const sdk = new DynamoDBClient({
    endpoint: service.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const { Table } = await sdk.send(new DescribeTableCommand({ TableName: "driftless" }));
  assert.equal(Table?.BillingModeSummary?.BillingMode, "PAY_PER_REQUEST");
  assert.deepEqual(
    Object.fromEntries(
      Table?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => [
        IndexName,
        [...(KeySchema?.map((key) => key.AttributeName) ?? []), Projection?.ProjectionType],
      ]) ?? [],
    ),
    {
      timeline: ["timeline", "time", "ALL"],
      driftShard: ["driftShard", "driftTime", "INCLUDE"],
      driftCluster: ["driftCluster", "driftTime", "INCLUDE"],
      driftNamespace: ["driftNamespace", "driftTime", "INCLUDE"],
      driftKind: ["driftKind", "driftTime", "INCLUDE"],
      driftManager: ["driftManager", "driftTime", "INCLUDE"],
    },
  );
  sdk.destroy();
  client.close();
  await service.close();
});
