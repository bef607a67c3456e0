import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { createTable, openTable, startTable } from "../../../cli/local/table.ts";
import { DriftlessError, type ErrorCode } from "../../../lib/errors.ts";
import type { SyncPreview } from "../../../lib/model/plan.ts";
import { createDynamoStores } from "../../../lib/store/dynamodb.ts";
import type { Stores } from "../../../lib/store/store.ts";
import type { TableClient } from "../../../lib/store/table-client.ts";
import type { ActionResult } from "../../../lib/sync/actions/action.ts";
import type { Actions } from "../../../lib/sync/actions/actions.ts";
import type { RebuildResult } from "../../../lib/sync/actions/rebuild.ts";
import { createApi } from "../../../lib/sync/api/api.ts";
import type { ApiRequest } from "../../../lib/sync/api/api-request.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";
import { aState, aSync } from "../../contracts/rows.ts";

const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };

const started: ActionResult = {
  outcome: "started",
  application: "shop",
  cluster: "eu",
  revision: "ddd",
  generation: 4,
  message: "what waited is synced",
};

const preview: SyncPreview = {
  application: "shop",
  cluster: "eu",
  revision: "ddd",
  snapshot: "s-d",
  hash: "hash-d",
  prune: "deletes-d",
  changes: [],
  unchanged: 4,
  blocked: "",
  warnings: [],
};

describe("the JSON API", () => {
  let client: TableClient;
  let service: Awaited<ReturnType<typeof startTable>>;
  let stores: Stores;
  /** What was asked of actions and plans, newest last. */
  const asked: (readonly [what: string, request: object])[] = [];
  const answers: { action: ActionResult | DriftlessError; rebuild: RebuildResult; preview: SyncPreview | DriftlessError } = {
    action: started,
    rebuild: { cluster: "eu", items: [], skipped: [] },
    preview,
  };

  before(async () => {
    service = await startTable();
    client = openTable(service.endpoint);
    const table = `api-${randomUUID()}`;
    await createTable({ client, table });
    stores = createDynamoStores({ client, table, clock, snapshotKey: new Secret(randomBytes(32).toString("base64")) });
  });
  after(async () => {
    client.close();
    await service.close();
  });
  beforeEach(() => {
    asked.splice(0);
    Object.assign(answers, { action: started, rebuild: { cluster: "eu", items: [], skipped: [] }, preview });
  });

  function act(what: string) {
    return async (request: object): Promise<ActionResult> => {
      asked.push([what, request]);
      if (answers.action instanceof DriftlessError) throw answers.action;
      return answers.action;
    };
  }
  const actions: Actions = {
    sync: act("sync"),
    approve: act("approve"),
    suspend: act("suspend"),
    resume: act("resume"),
    rollback: act("rollback"),
    rebuild: async (request) => {
      asked.push(["rebuild", request]);
      return answers.rebuild;
    },
  };

  async function ask(request: Partial<ApiRequest> & { readonly path: string }) {
    const api = createApi({
      stores,
      actions,
      clock,
      preview: async (wanted) => {
        asked.push(["plan", wanted]);
        if (answers.preview instanceof DriftlessError) throw answers.preview;
        return answers.preview;
      },
    });
    const { status, body } = await api({ method: "GET", query: {}, ...request });
    return { status, body: JSON.parse(body) as Record<string, unknown> };
  }
  const post = (path: string, body: object | string = {}, change: Partial<ApiRequest> = {}) =>
    ask({
      method: "POST",
      path,
      body: typeof body === "string" ? body : JSON.stringify(body),
      contentType: "application/json",
      by: "arn:aws:iam::1:user/ada",
      correlationId: "request-1",
      ...change,
    });

  const caller = { by: "arn:aws:iam::1:user/ada", correlationId: "request-1" };
  const shop = { application: "shop", ...caller };
  const requests: readonly (readonly [path: string, body: object, what: string, request: object])[] = [
    ["/applications/shop/sync", {}, "sync", { ...shop, force: false }],
    ["/applications/shop/sync", { force: true }, "sync", { ...shop, force: true }],
    ["/applications/shop/approve", { hash: "h1" }, "approve", { ...shop, hash: "h1", force: false }],
    ["/applications/shop/suspend", { reason: "freeze" }, "suspend", { ...shop, reason: "freeze", owner: caller.by, until: "" }],
    [
      "/applications/shop/suspend",
      { reason: "freeze", owner: "team-shop", until: "2025-03-02T01:00:00+01:00" },
      "suspend",
      { ...shop, reason: "freeze", owner: "team-shop", until: "2025-03-02T00:00:00.000Z" },
    ],
    ["/applications/shop/resume", {}, "resume", shop],
    ["/applications/shop/rollback", {}, "rollback", { ...shop, reason: "" }],
    ["/applications/shop/rollback", { revision: "abc", reason: "bad" }, "rollback", { ...shop, revision: "abc", reason: "bad" }],
    ["/applications/a%20b/resume", {}, "resume", { ...shop, application: "a b" }],
  ];
  for (const [path, body, what, request] of requests) {
    test(`POST ${path} with ${JSON.stringify(body)} asks for just that, in the caller's name`, async () => {
      const { status, body: answer } = await post(path, body);
      assert.deepEqual([status, answer], [202, started]);
      assert.deepEqual(asked, [[what, request]]);
    });
  }

  test("POST /clusters/{name}/rebuild answers with what is synced again", async () => {
    answers.rebuild = { cluster: "eu", items: [{ application: "shop", revision: "ddd", generation: 4 }], skipped: [] };
    assert.deepEqual(await post("/clusters/eu/rebuild"), { status: 202, body: answers.rebuild });
    assert.deepEqual(asked, [["rebuild", { cluster: "eu", ...caller }]]);
  });

  test("what starts no run is 200, what the state does not allow 409 with the reason", async () => {
    answers.action = { ...started, outcome: "done", message: "it was not suspended" };
    assert.equal((await post("/applications/shop/resume")).status, 200);
    answers.action = { outcome: "refused", reason: "it is suspended by ada: freeze" };
    assert.deepEqual(await post("/applications/shop/sync"), { status: 409, body: { error: "it is suspended by ada: freeze" } });
  });

  const wrong: readonly (readonly [path: string, body: object | string, error: RegExp])[] = [
    ["/applications/shop/sync", "{", /^the body must be a JSON object$/],
    ["/applications/shop/sync", "[]", /^the body must be a JSON object$/],
    ["/applications/shop/sync", { force: "yes" }, /^force must be true or false$/],
    ["/applications/shop/sync", { forced: true }, /^the body has a field forced; it may have: force$/],
    ["/applications/shop/sync", { by: "root" }, /^the body has a field by; /],
    ["/applications/shop/resume", { force: true }, /^the body has a field force; it may have: none$/],
    ["/applications/shop/approve", {}, /^hash is missing$/],
    ["/applications/shop/approve", { hash: 7 }, /^hash must be a text of at most 500 characters$/],
    ["/applications/shop/suspend", { reason: "  " }, /^reason is missing$/],
    ["/applications/shop/suspend", { reason: "x".repeat(501) }, /^reason must be a text of at most 500 characters$/],
    ["/applications/shop/suspend", { reason: "freeze", until: "monday" }, /^until must be a time such as 2026-01-31T12:00:00Z$/],
    ["/applications/%E0/sync", {}, /URI malformed/],
  ];
  for (const [path, body, error] of wrong) {
    test(`POST ${path} with ${JSON.stringify(body).slice(0, 40)} is 400, and nothing is done`, async () => {
      const { status, body: answer } = await post(path, body);
      assert.equal(status, 400);
      assert.match(String(answer["error"]), error);
      assert.deepEqual(asked, []);
    });
  }

  test("nobody acts without a name, nor from a web page of another origin", async () => {
    assert.equal((await post("/applications/shop/sync", {}, { by: "" })).status, 403);
    for (const contentType of ["text/plain", "", "application/x-www-form-urlencoded"]) {
      assert.equal((await post("/applications/shop/sync", {}, { contentType })).status, 415);
    }
    assert.deepEqual(asked, []);
  });

  test("another method is 405 with those that the path takes; another path 404", async () => {
    assert.deepEqual(await ask({ method: "POST", path: "/applications" }), {
      status: 405,
      body: { error: "/applications takes GET, not POST" },
    });
    assert.equal((await ask({ path: "/applications/shop/sync" })).status, 405);
    assert.equal((await ask({ method: "DELETE", path: "/applications/shop" })).status, 405);
    assert.equal((await post("/applications/shop/delete")).status, 404);
  });

  test("GET /applications/{name}/plan asks for the plan of the state that waits, or of a revision", async () => {
    assert.deepEqual(await ask({ path: "/applications/shop/plan" }), { status: 200, body: { ...preview, needsApproval: false } });
    await ask({ path: "/applications/shop/plan", query: { revision: "abc" } });
    assert.deepEqual(asked, [
      ["plan", { application: "shop" }],
      ["plan", { application: "shop", revision: "abc" }],
    ]);
  });

  const faults: readonly (readonly [ErrorCode, boolean, number])[] = [
    ["not-found", false, 404],
    ["config", false, 400],
    ["render", false, 409],
    ["source", false, 409],
    ["cluster", true, 503],
    ["queue", true, 503],
  ];
  for (const [code, retryable, status] of faults) {
    test(`an error ${code}${retryable ? ", which may pass," : ""} of a plan or an action is ${status} in its own words`, async () => {
      const error = new DriftlessError(code, "what happened, and where", { retryable });
      Object.assign(answers, { preview: error, action: error });
      const answer = { status, body: { error: "what happened, and where" } };
      assert.deepEqual(await ask({ path: "/applications/shop/plan" }), answer);
      assert.deepEqual(await post("/applications/shop/approve", { hash: "h1" }), answer);
    });
  }

  test("a fault of the function itself is thrown on: its words are the log's alone", async () => {
    answers.preview = new DriftlessError("store", "the table says no", { retryable: true });
    await assert.rejects(ask({ path: "/applications/shop/plan" }), /the table says no/);
  });

  test("GET /applications names the clusters where drift is to be prevented and is not, with the reason", async () => {
    await stores.prevention.save({ cluster: "eu", digest: "", objects: [], problem: "no right to create policies" });
    await stores.prevention.save({ cluster: "us", digest: "d1", objects: [], problem: "" });
    const { body } = await ask({ path: "/applications" });
    assert.deepEqual(body["preventionProblems"], [{ cluster: "eu", problem: "no right to create policies" }]);
  });

  test("an application is told by its facts, and by no field that is not on the list", async () => {
    const secret = { hidden: "s3cr3t" };
    const state = aState({
      desired: { generation: 3, revision: "ccc", snapshot: "s-c", plannedAt: "2025-03-01T11:00:00.000Z" },
      lastSync: { ...aSync({ generation: 3, phase: "Succeeded", notes: ["kept: a"], attempt: 2 }), ...secret },
      pending: { revision: "ddd", snapshot: "s-d", plannedAt: "2025-03-01T11:30:00.000Z", reason: "waits", ...secret },
      suspended: { owner: "ada", reason: "freeze", until: "", ...secret },
      rejected: { revision: "bbb", snapshot: "s-b", reason: "bad", by: "ada", at: "2025-03-01T10:00:00.000Z", ...secret },
      approval: { revision: "ccc", hash: "h", prune: "p", by: "ada", at: "2025-03-01T10:00:00.000Z", ...secret },
      lastHealthy: { revision: "aaa", snapshot: "s-a", ...secret },
      ...secret,
    });
    await stores.applications.put(state);
    await stores.syncs.put({ ...aSync(), ...secret });
    const { body } = await ask({ path: "/applications/shop" });
    assert.partialDeepStrictEqual(body, {
      sync: "OutOfSync",
      pending: { revision: "ddd", plannedAt: "2025-03-01T11:30:00.000Z", reason: "waits" },
      suspended: { owner: "ada", reason: "freeze", until: "" },
      rejected: { revision: "bbb", reason: "bad", by: "ada", at: "2025-03-01T10:00:00.000Z" },
      approval: { revision: "ccc", hash: "h", by: "ada", at: "2025-03-01T10:00:00.000Z" },
      lastHealthy: "aaa",
      lastSync: { attempt: 2, notes: ["kept: a"] },
    });
    await stores.applications.put({
      ...state,
      suspended: { owner: "ada", reason: "over", until: "2025-03-01T11:59:00.000Z" },
      version: 2,
    });
    assert.equal((await ask({ path: "/applications/shop" })).body["suspended"], undefined);
    const all = await Promise.all(
      ["/applications", "/applications/shop", "/applications/shop/syncs"].map((path) => ask({ path })),
    );
    assert.ok(!JSON.stringify(all).includes("s3cr3t"));
  });
});
