import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type LoopbackServer, readBody, startLoopback } from "../../cli/local/loopback.ts";
import { createTable, openTable, startTable } from "../../cli/local/table.ts";
import type { ApplicationState, SyncBatch, SyncRecord } from "../../lib/model/sync.ts";
import { createDynamoStores } from "../../lib/store/dynamodb.ts";
import type { Stores } from "../../lib/store/store.ts";
import type { TableClient } from "../../lib/store/table-client.ts";
import { createActions } from "../../lib/sync/actions/actions.ts";
import { createApi } from "../../lib/sync/api/api.ts";
import { changeState } from "../../lib/sync/application-state.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { Secret } from "../../lib/telemetry/secret.ts";
import { aConfigMap, anApplication, aState, aSync } from "../contracts/rows.ts";
import { runDriftless } from "./run.ts";

type End = Partial<Pick<SyncRecord, "phase" | "health" | "errors" | "notes">>;

const healthy = { status: "Healthy", message: "" } as const;

/** The real API on the real table, where a run is over as soon as it is started, and ends as the test says. */
describe("the commands that act", () => {
  let client: TableClient;
  let service: Awaited<ReturnType<typeof startTable>>;
  let server: LoopbackServer;
  let stores: Stores;
  let end: End | "never" | "overtaken" = {};

  before(async () => {
    service = await startTable();
    client = openTable(service.endpoint);
    const table = `cli-${randomUUID()}`;
    await createTable({ client, table });
    const clock = { now: () => new Date("2025-03-01T12:00:00.000Z") };
    stores = createDynamoStores({ client, table, clock, snapshotKey: new Secret(randomBytes(32).toString("base64")) });
    const preview = () => Promise.reject(new Error("nobody asks for a plan here"));
    const actions = createActions({ stores, starter: { start: run }, preview, clock, log: silentLog });
    const api = createApi({ stores, actions, preview, clock });
    server = await startLoopback(async (request, response) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      const body = String((await readBody(request, 100_000)) ?? "");
      const { method = "" } = request;
      const contentType = request.headers["content-type"] ?? "";
      const answer = await api({
        method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        body,
        contentType,
        by: "ada",
      });
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
    });
  });
  after(async () => {
    await server.close();
    client.close();
    await service.close();
  });

  async function run({ trigger, applications }: SyncBatch): Promise<void> {
    if (end === "never") return;
    const change = end === "overtaken" ? {} : end;
    for (const { name: application, generation: begun } of applications) {
      const generation = end === "overtaken" ? begun + 1 : begun;
      await changeState(stores.applications, {
        application,
        change: (state) => state && { ...state, lastSync: ended(state, { trigger, generation, ...change }), health: healthy },
      });
    }
  }

  function ended({ application, desired }: ApplicationState, change: Partial<SyncRecord>): SyncRecord {
    const { revision = "", snapshot = "" } = desired ?? {};
    const times = { startedAt: "2025-03-01T12:00:00.000Z", finishedAt: "2025-03-01T12:00:01.000Z" };
    return aSync({ application, revision, snapshot, phase: "Succeeded", health: healthy, ...times, ...change });
  }

  /** An application that was synced at two commits, the newer one last. */
  async function seeded(name: string, change: Partial<ApplicationState> = {}): Promise<string> {
    const snapshots = await Promise.all(["old", "new"].map((text) => stores.snapshots.save([aConfigMap("settings", text)])));
    const [older, newer] = (["1111111aaaa", "2222222bbbb"] as const).map((revision, at) =>
      aSync({
        id: `${name}-${at}`,
        application: name,
        phase: "Succeeded",
        revision,
        snapshot: snapshots[at] ?? "",
        generation: at + 1,
        startedAt: `2025-03-01T11:0${at}:00.000Z`,
        finishedAt: `2025-03-01T11:0${at}:30.000Z`,
      }),
    ) as [SyncRecord, SyncRecord];
    await stores.syncs.put(older);
    await stores.syncs.put(newer);
    const { revision, snapshot, startedAt: plannedAt } = newer;
    const desired = { generation: 2, revision, snapshot, plannedAt };
    await stores.applications.put({
      ...aState({ definition: anApplication({ name }), desired, lastSync: newer, ...change }),
      application: name,
    });
    return name;
  }

  const driftless = (...args: readonly string[]) => runDriftless(args, { environment: { DRIFTLESS_API: server.url } });

  test("rollback waits until its sync has ended, says how it stands meanwhile, and status and history tell of it", async () => {
    end = { notes: ["kept: Namespace shop"] };
    const shop = await seeded("shop");
    const { status, stdout, stderr } = await driftless("rollback", shop, "--reason", "prices are wrong");
    assert.deepEqual([status, stdout], [0, "shop 1111111: Succeeded, Healthy\n  Note: kept: Namespace shop\n"]);
    assert.equal(stderr, "shop: rolled back to 1111111aaaa\nshop 1111111: Succeeded, Healthy\n");
    const shown = await driftless("status");
    assert.match(shown.stdout, /^shop +eu +OutOfSync +Healthy +1111111 .* RolledBack from 2222222 by ada: prices are wrong$/m);
  });

  test("a sync that fails is exit status 1, with what failed", async () => {
    end = {
      phase: "Failed",
      health: { status: "Degraded", message: "" },
      errors: ["Deployment web: no such image", "Service web: no"],
    };
    const { status, stdout, stderr } = await driftless("sync", await seeded("failing"));
    assert.equal(status, 1);
    assert.equal(stdout, "failing 2222222: Failed, Degraded\n  Deployment web: no such image\n  Service web: no\n");
    assert.match(stderr, /^failing 2222222: Failed, Degraded: Deployment web: no such image$/m);
  });

  test("a sync that does not end in time is exit status 1, and goes on", async () => {
    end = "never";
    const { status, stdout } = await driftless("sync", await seeded("slow"), "--timeout", "300ms");
    assert.deepEqual([status, stdout], [1, "slow 2222222: Running still, and goes on: driftless status\n"]);
  });

  test("with --no-wait it is only started", async () => {
    end = "never";
    const { status, stdout, stderr } = await driftless("sync", await seeded("hasty"), "--no-wait");
    assert.deepEqual([status, stdout, stderr], [0, "hasty: it is synced again\n", ""]);
  });

  test("a sync whose place a newer one takes is exit status 1", async () => {
    end = "overtaken";
    const name = await seeded("overtaken");
    await stores.syncs.put(
      aSync({ id: "overtaken-2", application: name, generation: 3, phase: "Superseded", finishedAt: "2025-03-01T12:00:01.000Z" }),
    );
    const { status, stdout } = await driftless("sync", name);
    assert.deepEqual([status, stdout], [1, "overtaken 2222222: Superseded, Progressing\n"]);
  });

  test("--output json is one JSON text on standard output, of what was asked and how it ended", async () => {
    end = {};
    const { status, stdout } = await driftless("sync", await seeded("json"), "--output", "json");
    assert.equal(status, 0);
    assert.partialDeepStrictEqual(JSON.parse(stdout), {
      application: "json",
      generation: 3,
      outcome: "started",
      phase: "Succeeded",
      health: { status: "Healthy" },
    });
  });

  test("what is refused is exit status 1 with the reason on standard error", async () => {
    const suspended = { owner: "ada", reason: "the migration", until: "" };
    const { status, stdout, stderr } = await driftless("sync", await seeded("held", { suspended }));
    const reason = "it is suspended by ada: the migration; driftless resume held ends that";
    assert.deepEqual([status, stdout, stderr], [1, "", `driftless: ${reason}\n`]);
    assert.equal((await driftless("sync", "nobody")).stderr, "driftless: there is no application nobody\n");
  });

  test("a suspension has an owner, a reason and an end, shows in status, and resume ends it", async () => {
    end = {};
    const name = await seeded("paused");
    const until = "2999-01-31T18:00:00.000Z";
    const asked = await driftless(
      "suspend",
      name,
      "--reason",
      "the migration",
      "--owner",
      "team-db",
      "--until",
      "2999-01-31T19:00:00+01:00",
    );
    assert.deepEqual([asked.status, asked.stdout], [0, `paused: suspended until ${until}\n`]);
    assert.deepEqual((await stores.applications.get(name))?.suspended, { owner: "team-db", reason: "the migration", until });
    assert.match(
      (await driftless("status")).stdout,
      /^paused .* Suspended by team-db until 2999-01-31 18:00:00: the migration$/m,
    );
    assert.deepEqual((await driftless("resume", name)).stdout, "paused: resumed\n");
    assert.equal((await stores.applications.get(name))?.suspended, undefined);
    await driftless("suspend", name, "--reason", "again", "--for", "2h");
    const { suspended } = (await stores.applications.get(name)) ?? {};
    const hours = (Date.parse(suspended?.until ?? "") - Date.now()) / 3_600_000;
    assert.ok(suspended?.owner === "ada" && hours > 1.9 && hours < 2.1, `${hours}`);
  });

  test("what waits shows in status with its commit and why", async () => {
    const pending = {
      revision: "3333333cccc",
      snapshot: "s",
      plannedAt: "2025-03-01T11:30:00.000Z",
      reason: "waits for approval",
    };
    await seeded("waiting", { pending });
    assert.match((await driftless("status")).stdout, /^waiting +eu +OutOfSync .* Pending 3333333: waits for approval/m);
  });

  test("rebuild waits for every application of the cluster, and names those that it leaves out", async () => {
    end = {};
    for (const name of ["db", "web", "front", "back", "mail"]) {
      await seeded(name, { definition: anApplication({ name, cluster: "lost" }) });
    }
    const suspended = { owner: "ada", reason: "the migration", until: "" };
    await seeded("frozen", { definition: anApplication({ name: "frozen", cluster: "lost" }), suspended });
    const { status, stdout, stderr } = await driftless("rebuild", "lost");
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trimEnd().split("\n"), [
      ...["back", "db", "front", "mail", "web"].map((name) => `${name} 2222222: Succeeded, Healthy`),
      "frozen is left out: it is suspended by ada: the migration; driftless resume frozen ends that",
    ]);
    assert.match(stderr, /^5 applications of lost are synced again$/m);
    assert.match(
      (await driftless("rebuild", "nowhere")).stderr,
      /^driftless: there is no cluster nowhere; there are: eu, lost\n$/,
    );
  });
});
