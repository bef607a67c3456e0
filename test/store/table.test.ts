import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTable, startTable } from "../../cli/local/table.ts";
import { createItems } from "../../lib/store/items.ts";

const credentials = { accessKeyId: "local", secretAccessKey: "local" };

test("a local table in a folder keeps its rows over a restart", async () => {
  const path = await mkdtemp(join(tmpdir(), "driftless-table-"));
  try {
    for (const expected of [undefined, { pk: "a", sk: "b", text: "", number: 9007199254740991 }]) {
      const service = await startTable({ path });
      const client = new DynamoDBClient({ endpoint: service.endpoint, region: "eu-central-1", credentials });
      await createTable({ client, table: "driftless" });
      const items = createItems({ client, table: "driftless" });
      assert.deepEqual(await items.get({ pk: "a", sk: "b" }), expected);
      await items.put({ pk: "a", sk: "b", text: "", number: 9007199254740991 });
      client.destroy();
      await service.close();
    }
  } finally {
    await rm(path, { recursive: true, force: true });
  }
});

test("the table bills by request, and its rows are listed by time through one index", async () => {
  const service = await startTable();
  const client = new DynamoDBClient({ endpoint: service.endpoint, region: "eu-central-1", credentials });
  await createTable({ client, table: "driftless" });
  const { Table } = await client.send(new DescribeTableCommand({ TableName: "driftless" }));
  assert.equal(Table?.BillingModeSummary?.BillingMode, "PAY_PER_REQUEST");
  assert.deepEqual(
    Table?.GlobalSecondaryIndexes?.map((index) => [index.IndexName, index.KeySchema?.map((key) => key.AttributeName)]),
    [["timeline", ["timeline", "time"]]],
  );
  client.destroy();
  await service.close();
});
