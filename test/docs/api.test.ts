import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTable, startTable } from "../../cli/local/table.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import { createApi } from "../../lib/sync/api.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aDelivery, anInventory, aRow, aState, aSweep, aSync } from "../contracts/rows.ts";
import { proseOf, sectionOf, tableRows, textOf } from "./pages.ts";

const page = "docs/api.md";
const headings = [...proseOf(page).matchAll(/^## GET \/api(.*)$/gm)].map(([, path = ""]) => path);

/** Where a route's fields stand when not under its own heading. */
const describedBy: Readonly<Record<string, string>> = {
  "/applications": "/applications/{name}",
  "/drift": "/applications/{name}/drift",
};

suite("docs/api.md", () => {
  let client: DynamoDBClient;
  let service: Awaited<ReturnType<typeof startTable>>;
  let stores: Stores;

  before(async () => {
    service = await startTable();
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    client = new DynamoDBClient({ endpoint: service.endpoint, region: "eu-central-1", credentials });
    const table = `driftless-${randomUUID()}`;
    await createTable({ client, table });
    const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };
    stores = createDynamoStores({ client, table, clock, snapshotKey: new Secret(randomBytes(32).toString("base64")) });
    await stores.applications.put(aState({ lastSync: aSync(), removed: true }));
    await stores.syncs.put(aSync());
    await stores.drift.record(aRow());
    await stores.deliveries.receive(aDelivery());
    await stores.sweeps.put(aSweep());
    await stores.inventories.save(anInventory(1), { fence: 1 });
  });
  after(async () => {
    client.destroy();
    await service.close();
  });

  test("has a heading for every route, and no other", () => {
    const routes = [...textOf("lib/sync/api.ts").matchAll(/\/\^(\\\/.*?)\$\//g)].map(([, pattern = ""]) =>
      pattern.replaceAll("\\/", "/").replaceAll("([^/]+)", "{name}"),
    );
    assert.ok(routes.length > 5);
    assert.deepEqual([...headings].sort(), routes.sort());
  });

  test("says every field of every answer, and no other", async () => {
    const api = createApi({ stores });
    for (const heading of headings) {
      const path = heading.replace("{name}", heading.startsWith("/clusters") ? "eu" : "shop");
      const { status, body } = await api({ method: "GET", path, query: {} });
      assert.equal(status, 200, path);
      const answer = JSON.parse(body) as { readonly items?: readonly object[] };
      assert.notEqual(answer.items?.length, 0, `${path} has no row`);
      const stated = tableRows(sectionOf(page, `GET /api${describedBy[heading] ?? heading}`));
      assert.deepEqual([...stated.keys()].sort(), Object.keys(answer.items?.[0] ?? answer).sort(), heading);
    }
  });
});
