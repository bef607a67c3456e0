import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { createMemoryTable } from "../../cli/local/memory-table.ts";
import { createTable } from "../../cli/local/table.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { TableClient } from "../../lib/store/table-client.ts";
import type { Actions } from "../../lib/sync/actions/actions.ts";
import { type ApiDeps, createApi, routesOf } from "../../lib/sync/api/api.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aState, aSweep } from "../contracts/rows.ts";

/**
 * Every route, and what it takes: a `viewer` is let GET by the platform, an `admin` POST as well, and nobody gets to either
 * without a signature, which the test of the template holds. A route that is added needs a row here.
 */
const access: Readonly<Record<string, "viewer" | "admin">> = {
  "GET /applications": "viewer",
  "GET /applications/shop": "viewer",
  "GET /applications/shop/syncs": "viewer",
  "GET /applications/shop/drift": "viewer",
  "GET /applications/shop/resources": "viewer",
  "GET /applications/shop/inputs": "viewer",
  "GET /applications/shop/plan": "viewer",
  "GET /drift": "viewer",
  "GET /deliveries": "viewer",
  "GET /doctor": "viewer",
  "GET /clusters/shop/sweeps": "viewer",
  "POST /applications/shop/sync": "admin",
  "POST /applications/shop/approve": "admin",
  "POST /applications/shop/suspend": "admin",
  "POST /applications/shop/resume": "admin",
  "POST /applications/shop/rollback": "admin",
  "POST /clusters/shop/rebuild": "admin",
};

const writes = new Set(["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"]);
const bodies: Readonly<Record<string, object>> = { approve: { hash: "h" }, suspend: { reason: "freeze" } };

async function anApi() {
  const table = createMemoryTable();
  await createTable({ client: table, table: "t" });
  const done: string[] = [];
  let isWatched = false;
  const client: TableClient = {
    async call(operation, request, options) {
      if (isWatched && writes.has(operation)) done.push(operation);
      return table.call(operation, request, options);
    },
    close: () => table.close(),
  };
  const snapshotKey = new Secret(randomBytes(32).toString("base64"));
  const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };
  const stores = createDynamoStores({ client, table: "t", clock, snapshotKey });
  await stores.applications.put(aState());
  await stores.sweeps.put(aSweep({ cluster: "shop" }));
  const act = (what: string) => async () => {
    done.push(what);
    return { outcome: "done", message: "done" } as const;
  };
  const actions = new Proxy({} as Actions, { get: (_, what) => act(String(what)) });
  const preview = { application: "shop", cluster: "eu", revision: "d", snapshot: "s", hash: "h", prune: "p" };
  const deps: ApiDeps = {
    stores,
    actions,
    clock,
    preview: async () => ({ ...preview, changes: [], unchanged: 4, blocked: "", warnings: [] }),
  };
  isWatched = true;
  return { api: createApi(deps), routes: routesOf(deps), done };
}

const patternOf = (route: string): string => route.replace(/\/shop(?=\/|$)/, "/([^/]+)");
const known = Object.keys(access).map(patternOf).sort();

describe("H5: every route says who may ask it", () => {
  test("the table of routes has a row for each route of the API, and no other", async () => {
    const { routes } = await anApi();
    const found = routes.map(
      ({ method, pattern }) => `${method} ${pattern.source.replace(/^\^|\$$/g, "").replaceAll("\\/", "/")}`,
    );
    assert.deepEqual(found.sort(), known);
  });

  for (const [route, who] of Object.entries(access)) {
    const [method = "", path = ""] = route.split(" ");
    const body = JSON.stringify(bodies[path.split("/").at(-1) ?? ""] ?? {});
    const request = { method, path, query: {}, body, contentType: "application/json" };

    if (who === "viewer") {
      test(`a viewer who asks ${route} changes nothing`, async () => {
        const { api, done } = await anApi();
        assert.deepEqual([method, (await api({ ...request, by: "arn:aws:iam::1:user/viewer" })).status], ["GET", 200]);
        assert.deepEqual(done, []);
      });
    } else {
      test(`${route} is refused for who has no name, and done for who has`, async () => {
        const { api, done } = await anApi();
        assert.deepEqual([method, (await api(request)).status, (await api({ ...request, by: "" })).status], ["POST", 403, 403]);
        assert.deepEqual(done, []);
        assert.ok((await api({ ...request, by: "arn:aws:iam::1:user/admin" })).status < 300);
        assert.equal(done.length, 1);
      });
    }
  }
});
