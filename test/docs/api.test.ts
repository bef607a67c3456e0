import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { createTable, openTable, startTable } from "../../cli/local/table.ts";
import type { SyncPreview } from "../../lib/model/plan.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import type { TableClient } from "../../lib/store/table-client.ts";
import type { Actions } from "../../lib/sync/actions/actions.ts";
import { createApi } from "../../lib/sync/api/api.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aDelivery, anInventory, aRow, aState, aSweep, aSync } from "../contracts/rows.ts";
import { proseOf, sectionOf, tableRows, textOf } from "./pages.ts";

const page = "docs/api.md";
const headings = [...proseOf(page).matchAll(/^## (GET|POST) \/api(.*)$/gm)].map(([, method = "", path = ""]) => ({
  method,
  path,
}));

/** Where a route's fields stand when not under its own heading. */
const describedBy: Readonly<Record<string, string>> = {
  "/applications": "/applications/{name}",
  "/drift": "/applications/{name}/drift",
};

const acted = {
  outcome: "done",
  application: "shop",
  cluster: "eu",
  revision: "6dcb09b",
  generation: 1,
  message: "done",
} as const;
const act = async () => acted;
const actions: Actions = {
  sync: act,
  approve: act,
  suspend: act,
  resume: act,
  rollback: act,
  rebuild: async () => ({ cluster: "eu", items: [], skipped: [] }),
};
const preview: SyncPreview = {
  application: "shop",
  cluster: "eu",
  revision: "6dcb09b",
  snapshot: "s1",
  hash: "h1",
  prune: "p1",
  changes: [],
  unchanged: 1,
  blocked: "",
  warnings: [],
};
const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };
/** What a POST has to be given. */
const bodies: Readonly<Record<string, object>> = { approve: { hash: "h1" }, suspend: { reason: "freeze" } };

suite("docs/api.md", () => {
  let client: TableClient;
  let service: Awaited<ReturnType<typeof startTable>>;
  let stores: Stores;

  before(async () => {
    service = await startTable();
    client = openTable(service.endpoint);
    const table = `driftless-${randomUUID()}`;
    await createTable({ client, table });
    stores = createDynamoStores({ client, table, clock, snapshotKey: new Secret(randomBytes(32).toString("base64")) });
    const at = "2025-03-01T11:00:00.000Z";
    await stores.applications.put(
      aState({
        lastSync: aSync(),
        removed: true,
        pending: { revision: "6dcb09b", snapshot: "s2", plannedAt: at, reason: "waits" },
        suspended: { owner: "ada", reason: "freeze", until: "" },
        rejected: { revision: "6dcb09b", snapshot: "s3", reason: "bad", by: "ada", at },
        approval: { revision: "6dcb09b", hash: "h1", prune: "p1", by: "ada", at },
        lastHealthy: { revision: "6dcb09b", snapshot: "s1" },
      }),
    );
    await stores.syncs.put(aSync());
    await stores.drift.record(
      aRow({
        by: { user: "ada", sourceIp: "192.0.2.7", userAgent: "kubectl", at },
        fight: { managers: ["driftless", "hpa"], reverts: 4 },
      }),
    );
    await stores.deliveries.receive(aDelivery());
    const replayed = { times: 1, at: "2025-03-01T12:15:00.000Z" };
    await stores.deliveries.update(aDelivery().id, { state: "failed", reason: "away", retryable: true, replayed });
    await stores.sweeps.put(aSweep());
    await stores.inventories.save(anInventory(1), { fence: 1 });
  });
  after(async () => {
    client.close();
    await service.close();
  });

  test("has a heading for every route, and no other", () => {
    const routes = [...textOf("lib/sync/api/api.ts").matchAll(/\b(get|post)\(\s*\/\^(\\\/.*?)\$\//g)].map(
      ([, method = "", pattern = ""]) =>
        `${method.toUpperCase()} ${pattern.replaceAll("\\/", "/").replaceAll("([^/]+)", "{name}")}`,
    );
    assert.ok(routes.length > 10);
    assert.deepEqual(headings.map(({ method, path }) => `${method} ${path}`).sort(), routes.sort());
  });

  test("says every field of every answer, and no other", async () => {
    const api = createApi({ stores, actions, preview: async () => preview, clock });
    for (const { method, path: heading } of headings) {
      const path = heading.replace("{name}", heading.startsWith("/clusters") ? "eu" : "shop");
      const body = JSON.stringify(bodies[path.split("/").at(-1) ?? ""] ?? {});
      const { status, body: text } = await api({ method, path, query: {}, body, contentType: "application/json", by: "ada" });
      assert.equal(status, 200, path);
      const answer = JSON.parse(text) as { readonly items?: readonly object[] };
      assert.ok(method === "POST" || answer.items?.length !== 0, `${path} has no row`);
      const stated = tableRows(sectionOf(page, described(method, heading)));
      assert.deepEqual([...stated.keys()].sort(), Object.keys(answer.items?.[0] ?? answer).sort(), heading);
    }
  });
});

/** The heading under which the fields of a route's answer stand. */
function described(method: string, heading: string): string {
  if (method === "POST" && heading.startsWith("/applications")) return "What a POST answers";
  return `${method} /api${describedBy[heading] ?? heading}`;
}
