import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, describe, test } from "node:test";
import { createDynamoStores } from "../../../lib/store/dynamodb.ts";
import type { Stores } from "../../../lib/store/store.ts";
import type { Actions } from "../../../lib/sync/actions/actions.ts";
import { createApi } from "../../../lib/sync/api/api.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";
import { aRow } from "../../contracts/rows.ts";
import { createMemoryTable } from "../../support/memory-table.ts";

type Query = Readonly<Record<string, string>>;

describe("drift by the JSON API", () => {
  const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };
  const ada = { user: "ada", sourceIp: "192.0.2.7", userAgent: "kubectl", at: "2025-03-01T11:58:00.000Z" };
  const fight = { managers: ["driftless", "hpa"], reverts: 4 };
  let stores: Stores;

  before(async () => {
    const client = createMemoryTable();
    await client.call("CreateTable", { TableName: "driftless" });
    const snapshotKey = new Secret(randomBytes(32).toString("base64"));
    stores = createDynamoStores({ client, table: "driftless", clock, snapshotKey });
    const role = { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole", namespace: "", name: "reader" };
    for (const row of [
      aRow({ field: "a", firstSeen: "2025-03-01T11:04:00.000Z", by: ada, fight }),
      aRow({ field: "b", firstSeen: "2025-03-01T11:03:00.000Z", application: "api", manager: "kubectl-edit" }),
      aRow({ field: "c", firstSeen: "2025-03-01T11:02:00.000Z", application: "api", cluster: "us", ref: role }),
      aRow({ field: "d", firstSeen: "2025-03-01T11:01:00.000Z" }),
    ])
      await stores.drift.record(row);
    const healed = aRow({ field: "d", firstSeen: "2025-03-01T11:01:00.000Z" });
    await stores.drift.heal([healed], { at: "2025-03-01T11:30:00.000Z", by: "run-9" });
  });

  const nobody = () => Promise.reject(new Error("nobody acts here"));
  async function ask(path: string, query: Query = {}) {
    const actions: Actions = {
      sync: nobody,
      approve: nobody,
      suspend: nobody,
      resume: nobody,
      rollback: nobody,
      rebuild: nobody,
    };
    const { status, body } = await createApi({ stores, clock, actions, preview: nobody })({ method: "GET", path, query });
    const answer = JSON.parse(body) as { readonly items: { readonly field: string }[]; next?: string; error?: string };
    return { status, answer };
  }

  const asked: readonly (readonly [path: string, query: Query, fields: string])[] = [
    ["/drift", {}, "a b c d"],
    ["/drift", { open: "true" }, "a b c"],
    ["/drift", { open: "false", since: "2025-03-01T12:30:00.000+01:00" }, "a b c d"],
    ["/drift", { since: "2025-03-01T11:30:00.001Z" }, "a b c"],
    ["/drift", { cluster: "us" }, "c"],
    ["/drift", { kind: "apps/deployment", manager: "kubectl-edit" }, "b"],
    ["/drift", { namespace: "shop", cluster: "eu" }, "a b d"],
    ["/applications/shop/drift", {}, "a d"],
    ["/applications/api/drift", { kind: "ClusterRole" }, "c"],
    ["/drift", { cluster: "moon" }, ""],
  ];
  for (const [path, query, fields] of asked) {
    test(`GET ${path}?${String(new URLSearchParams(query))} lists just those`, async () => {
      const { status, answer } = await ask(path, query);
      assert.equal(status, 200);
      assert.equal(answer.items.map(({ field }) => field).join(" "), fields);
      assert.equal(answer.next, undefined);
    });
  }

  test("a listing of all applications goes on where the page before ended", async () => {
    const listed: string[] = [];
    let from: string | undefined;
    for (let page = 0; page < 4; page += 1) {
      const { answer } = await ask("/drift", { limit: "1", ...(from !== undefined && { from }) });
      listed.push(...answer.items.map(({ field }) => field));
      from = answer.next;
    }
    assert.deepEqual([listed, from], [["a", "b", "c", "d"], undefined]);
  });

  test("a row tells who made the change, and who fights over the field", async () => {
    const { answer } = await ask("/applications/shop/drift", { open: "true" });
    assert.partialDeepStrictEqual(answer.items, [{ field: "a", by: ada, fight }]);
  });

  const wrong: readonly (readonly [query: Query, status: number, error: RegExp])[] = [
    [{ mangaer: "hpa" }, 400, /^drift cannot be asked for by mangaer; it may be by: cluster, namespace, kind, manager, since, /],
    [{ cluster: "" }, 400, /^cluster is empty: say which, or leave it out$/],
    [{ manager: "m".repeat(400) }, 400, /^manager must have at most 320 characters$/],
    [{ kind: "apps/v1/Deployment" }, 400, /^kind must be one such as Deployment or apps\/Deployment, not apps\/v1\/Deployment$/],
    [{ since: "yesterday" }, 400, /^since must be a time such as 2026-01-31T12:00:00Z$/],
    [{ open: "yes" }, 400, /^open must be true or false$/],
    [{ limit: "501" }, 400, /^limit must be a whole number from 1 to 500$/],
    [{ from: "open#nowhere" }, 404, /^there is no page "open#nowhere": begin again without it/],
  ];
  for (const [query, status, error] of wrong) {
    test(`GET /drift?${String(new URLSearchParams(query)).slice(0, 40)} is ${status}, and says what it should be`, async () => {
      for (const path of ["/drift", "/applications/shop/drift"]) {
        const answered = await ask(path, query);
        assert.equal(answered.status, status);
        assert.match(answered.answer.error ?? "", error);
      }
    });
  }
});
