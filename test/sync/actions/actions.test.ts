import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createTable, openTable, startTable } from "../../../cli/local/table.ts";
import { DriftlessError, isDriftlessError } from "../../../lib/errors.ts";
import type { Application, SyncWindow } from "../../../lib/model/application.ts";
import type { SyncPreview } from "../../../lib/model/plan.ts";
import type { ApplicationState, SyncBatch, SyncRecord } from "../../../lib/model/sync.ts";
import { createDynamoStores } from "../../../lib/store/dynamodb.ts";
import type { Stores } from "../../../lib/store/store.ts";
import type { TableClient } from "../../../lib/store/table-client.ts";
import type { ActionResult } from "../../../lib/sync/actions/action.ts";
import { type Actions, createActions } from "../../../lib/sync/actions/actions.ts";
import { jsonLog } from "../../../lib/telemetry/log.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";
import { aProject } from "../../cluster/tenancy.ts";
import { aConfigMap, anApplication, aState, aSync } from "../../contracts/rows.ts";

const now = "2025-03-01T12:00:00.000Z";
/** A Saturday at noon is outside of it. */
const onMondays: SyncWindow = { kind: "allow", schedule: "0 8 * * 1", duration: 3600, timeZone: "UTC" };

interface Settings {
  readonly mode?: Application["sync"]["mode"];
  readonly windows?: readonly SyncWindow[];
  readonly suspend?: Application["suspend"];
}

/** An installation with the real table; runs are only written down, and the plan is what the test says it is. */
interface Office {
  readonly actions: Actions;
  readonly stores: Stores;
  /** Runs that were started since the last look: `TRIGGER APPLICATION@GENERATION ...`. */
  readonly started: () => readonly string[];
  readonly failNextStart: () => void;
  /** What the next plans say. */
  readonly plan: (change: Partial<SyncPreview>) => void;
  readonly state: (application?: string) => Promise<ApplicationState>;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Stores manifests under their id. */
  readonly snapshot: (text: string) => Promise<string>;
}

const ask = { by: "arn:aws:iam::1:user/ada", correlationId: "request-1" };
const shop = { application: "shop", ...ask };

function definition({ mode = "auto", windows = [], suspend }: Settings = {}, name = "shop"): Application {
  const base = anApplication({ name, syncWindows: windows });
  return { ...base, sync: { ...base.sync, mode }, ...(suspend === undefined ? {} : { suspend }) };
}

/** A state with its third desired state, synced with success. */
function synced(change: Partial<ApplicationState> = {}, settings: Settings = {}): ApplicationState {
  const desired = { generation: 3, revision: "ccc", snapshot: "s-c", plannedAt: "2025-03-01T11:00:00.000Z" };
  return aState({
    definition: definition(settings),
    desired,
    lastSync: ended({ generation: 3, revision: "ccc", snapshot: "s-c" }),
    ...change,
  });
}

const pending = { revision: "ddd", snapshot: "s-d", plannedAt: "2025-03-01T11:30:00.000Z", reason: "waits" };

function ended(change: Partial<SyncRecord>): SyncRecord {
  return aSync({ phase: "Succeeded", finishedAt: "2025-03-01T11:00:05.000Z", ...change });
}

function refusal(result: ActionResult): string {
  assert.equal(result.outcome, "refused");
  return result.outcome === "refused" ? result.reason : "";
}

describe("what people ask for", () => {
  let client: TableClient;
  let service: Awaited<ReturnType<typeof startTable>>;
  before(async () => {
    service = await startTable();
    client = openTable(service.endpoint);
  });
  after(async () => {
    client.close();
    await service.close();
  });

  async function open(...states: readonly ApplicationState[]): Promise<Office> {
    const table = `actions-${randomUUID()}`;
    await createTable({ client, table });
    const clock = { now: () => new Date(now) };
    const snapshotKey = new Secret(randomBytes(32).toString("base64"));
    const stores = createDynamoStores({ client, table, clock, snapshotKey });
    for (const state of states) await stores.applications.put(state);
    const batches: SyncBatch[] = [];
    const faults: DriftlessError[] = [];
    const lines: Record<string, unknown>[] = [];
    let preview: SyncPreview = {
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
    const actions = createActions({
      stores,
      starter: {
        async start(batch) {
          const fault = faults.pop();
          if (fault !== undefined) throw fault;
          batches.push(batch);
        },
      },
      preview: async () => preview,
      clock,
      log: jsonLog({ write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) }),
    });
    return {
      actions,
      stores,
      lines,
      started: () =>
        batches
          .splice(0)
          .map(({ trigger, applications }) =>
            [trigger, ...applications.map(({ name, generation }) => `${name}@${generation}`)].join(" "),
          ),
      failNextStart: () => void faults.push(new DriftlessError("queue", "Lambda is away", { retryable: true })),
      plan: (change) => void (preview = { ...preview, ...change }),
      state: async (application = "shop") => {
        const state = await stores.applications.get(application);
        assert.ok(state !== undefined);
        return state;
      },
      snapshot: (text) => stores.snapshots.save([aConfigMap("settings", text)]),
    };
  }

  describe("sync", () => {
    test("what waits becomes the desired state and is synced", async () => {
      const office = await open(synced({ pending }, { mode: "manual" }));
      const result = await office.actions.sync(shop);
      assert.deepEqual(result, {
        outcome: "started",
        application: "shop",
        cluster: "eu",
        revision: "ddd",
        generation: 4,
        message: "what waited is synced",
      });
      const state = await office.state();
      assert.deepEqual(state.desired, { generation: 4, revision: "ddd", snapshot: "s-d", plannedAt: now });
      assert.equal(state.pending, undefined);
      assert.deepEqual(office.started(), ["manual shop@4"]);
    });

    test("where nothing waits, the desired state is synced again, with the same manifests", async () => {
      const office = await open(synced());
      await office.actions.sync(shop);
      assert.deepEqual((await office.state()).desired, { generation: 4, revision: "ccc", snapshot: "s-c", plannedAt: now });
      assert.deepEqual(office.started(), ["manual shop@4"]);
    });

    test("asked again after its start was lost, it starts that run, and makes no further one", async () => {
      const office = await open(synced());
      office.failNextStart();
      await assert.rejects(office.actions.sync(shop), (error) => isDriftlessError(error, "queue"));
      assert.equal((await office.actions.sync(shop)).outcome, "started");
      assert.deepEqual(office.started(), ["manual shop@4"]);
    });

    test("while its sync is under way it says so, and starts no other", async () => {
      const office = await open(synced({ lastSync: ended({ generation: 3, phase: "Running", finishedAt: "" }) }));
      await office.stores.leases.acquire({ application: "shop", holder: "run", generation: 3, seconds: 120 });
      const result = await office.actions.sync(shop);
      assert.partialDeepStrictEqual(result, { outcome: "started", generation: 3, message: "its sync is under way" });
      assert.deepEqual(office.started(), []);
      assert.equal((await office.state()).desired?.generation, 3);
    });

    test("a run that stands in the row but lost its lease is no reason to wait", async () => {
      const office = await open(synced({ lastSync: ended({ generation: 3, phase: "Running", finishedAt: "" }) }));
      await office.actions.sync(shop);
      assert.deepEqual(office.started(), ["manual shop@4"]);
    });

    test("a suspended application is not synced; the refusal says by whom, why, and how to end it", async () => {
      const suspended = { owner: "ada", reason: "the migration", until: "2025-03-02T00:00:00.000Z" };
      const office = await open(synced({ suspended }));
      assert.equal(
        refusal(await office.actions.sync({ ...shop, force: true })),
        "it is suspended by ada until 2025-03-02T00:00:00.000Z: the migration; driftless resume shop ends that",
      );
      assert.deepEqual(office.started(), []);
      assert.equal((await office.state()).version, 1);
    });

    test("a suspension whose time is over holds nothing", async () => {
      const suspended = { owner: "ada", reason: "the migration", until: "2025-03-01T11:59:59.000Z" };
      const office = await open(synced({ suspended }));
      assert.equal((await office.actions.sync(shop)).outcome, "started");
    });

    test("what waits for approval is not synced without one; the refusal names the commands", async () => {
      const office = await open(synced({ pending }, { mode: "approve" }));
      assert.equal(
        refusal(await office.actions.sync({ ...shop, force: true })),
        "ddd waits for approval: driftless plan shop, then driftless approve shop HASH",
      );
    });

    test("in mode approve, what was approved before may be synced again", async () => {
      const office = await open(synced({}, { mode: "approve" }));
      assert.equal((await office.actions.sync(shop)).outcome, "started");
    });

    test("outside of its sync windows it is synced by force alone", async () => {
      const office = await open(synced({ pending }, { windows: [onMondays] }));
      assert.match(refusal(await office.actions.sync(shop)), /^outside its sync windows; .*; --force syncs all the same$/);
      assert.equal((await office.actions.sync({ ...shop, force: true })).outcome, "started");
      assert.deepEqual(office.started(), ["manual shop@4"]);
    });

    test("what was never rendered cannot be synced; the refusal says why the plan failed", async () => {
      const office = await open(aState({ definition: definition(), planError: "app/web.yaml:3: no kind" }));
      assert.equal(refusal(await office.actions.sync(shop)), "it was never rendered: app/web.yaml:3: no kind");
    });

    test("an application that is not there is an error", async () => {
      const office = await open();
      await assert.rejects(office.actions.sync(shop), (error) => isDriftlessError(error, "not-found"));
    });

    test("the log says who asked for what, and what was refused and why", async () => {
      const office = await open(synced({ pending }, { mode: "approve" }), {
        ...synced(),
        application: "web",
        definition: definition({}, "web"),
      });
      await office.actions.sync(shop);
      await office.actions.sync({ ...shop, application: "web" });
      assert.partialDeepStrictEqual(office.lines, [
        { level: "info", event: "action.refused", action: "sync", application: "shop", by: ask.by, correlationId: "request-1" },
        {
          level: "info",
          event: "action.taken",
          action: "sync",
          application: "web",
          by: ask.by,
          revision: "ccc",
          generation: 4,
          correlationId: "request-1",
        },
      ]);
    });
  });

  describe("approve", () => {
    test("the plan as it is now is synced, and the approval says what, by whom and when, its deletes included", async () => {
      const office = await open(synced({ pending }, { mode: "approve" }));
      const result = await office.actions.approve({ ...shop, hash: "hash-d" });
      assert.partialDeepStrictEqual(result, { outcome: "started", revision: "ddd", generation: 4 });
      const state = await office.state();
      assert.deepEqual(state.approval, { revision: "ddd", hash: "hash-d", prune: "deletes-d", by: ask.by, at: now });
      assert.deepEqual(state.desired, { generation: 4, revision: "ddd", snapshot: "s-d", plannedAt: now });
      assert.deepEqual(office.started(), ["approved shop@4"]);
    });

    test("the hash of another plan is refused, and says to look again", async () => {
      const office = await open(synced({ pending }, { mode: "approve" }));
      const said = "the plan changed since: look again with driftless plan shop";
      assert.equal(refusal(await office.actions.approve({ ...shop, hash: "hash-of-yesterday" })), said);
      assert.deepEqual([(await office.state()).approval, office.started()], [undefined, []]);
    });

    test("a plan of another state than the one that waits by now is refused", async () => {
      const office = await open(synced({ pending: { ...pending, revision: "eee", snapshot: "s-e" } }, { mode: "approve" }));
      assert.match(refusal(await office.actions.approve({ ...shop, hash: "hash-d" })), /^the plan changed since/);
      assert.deepEqual(office.started(), []);
    });

    test("a sync that the deletion budget blocked goes on, as a new one of the same state", async () => {
      const office = await open(
        synced({ lastSync: ended({ generation: 3, revision: "ccc", snapshot: "s-c", phase: "Blocked" }) }),
      );
      office.plan({ revision: "ccc", snapshot: "s-c", hash: "hash-c", prune: "deletes-c" });
      assert.equal((await office.actions.approve({ ...shop, hash: "hash-c" })).outcome, "started");
      const { desired, approval } = await office.state();
      assert.partialDeepStrictEqual(
        { desired, approval },
        { desired: { generation: 4, snapshot: "s-c" }, approval: { prune: "deletes-c" } },
      );
    });

    test("asked again with the same hash it is the same approval, and one run", async () => {
      const office = await open(synced({ pending }, { mode: "approve" }));
      await office.actions.approve({ ...shop, hash: "hash-d" });
      const again = await office.actions.approve({ ...shop, hash: "hash-d" });
      assert.partialDeepStrictEqual(again, { outcome: "started", generation: 4 });
      assert.equal((await office.state()).desired?.generation, 4);
    });

    const nothing: readonly (readonly [string, ApplicationState, RegExp])[] = [
      ["nothing waits", synced({}, { mode: "approve" }), /^nothing of it waits for approval$/],
      ["what waits needs none", synced({ pending }, { mode: "manual" }), /^it waits for no approval: driftless sync shop$/],
      [
        "it is suspended in the configuration",
        synced({ pending }, { mode: "approve", suspend: { owner: "ada", reason: "freeze", until: "" } }),
        /^it is suspended by ada: freeze; take `suspend` out of driftless.yaml to end that$/,
      ],
      [
        "its sync windows are closed",
        synced({ pending }, { mode: "approve", windows: [onMondays] }),
        /^outside its sync windows/,
      ],
    ];
    for (const [why, state, reason] of nothing) {
      test(`where ${why}, an approval is refused`, async () => {
        const office = await open(state);
        assert.match(refusal(await office.actions.approve({ ...shop, hash: "hash-d" })), reason);
        assert.deepEqual(office.started(), []);
      });
    }
  });

  describe("suspend and resume", () => {
    const suspension = { owner: "ada", reason: "the migration", until: "2025-03-01T14:00:00.000Z" };

    test("a suspension is kept with owner, reason and end; the same once more changes nothing", async () => {
      const office = await open(synced());
      const result = await office.actions.suspend({ ...shop, ...suspension });
      assert.partialDeepStrictEqual(result, { outcome: "done", message: "suspended until 2025-03-01T14:00:00.000Z" });
      await office.actions.suspend({ ...shop, ...suspension });
      const state = await office.state();
      assert.deepEqual([state.suspended, state.version, office.started()], [suspension, 2, []]);
    });

    test("a suspension that would be over already is an error", async () => {
      const office = await open(synced());
      await assert.rejects(office.actions.suspend({ ...shop, ...suspension, until: "2025-03-01T11:00:00.000Z" }), (error) =>
        isDriftlessError(error, "config"),
      );
    });

    test("resume syncs what waited meanwhile", async () => {
      const office = await open(synced({ pending, suspended: suspension }));
      assert.partialDeepStrictEqual(await office.actions.resume(shop), { outcome: "started", revision: "ddd", generation: 4 });
      assert.deepEqual([(await office.state()).suspended, office.started()], [undefined, ["manual shop@4"]]);
    });

    const stays: readonly (readonly [string, ApplicationState, RegExp])[] = [
      [
        "waits for approval",
        synced({ pending, suspended: suspension }, { mode: "approve" }),
        /^resumed; ddd waits for approval: driftless plan shop, then driftless approve shop HASH$/,
      ],
      [
        "waits to be synced",
        synced({ pending, suspended: suspension }, { mode: "manual" }),
        /^resumed; ddd waits for somebody to sync it: driftless sync shop$/,
      ],
      [
        "waits for its window",
        synced({ pending, suspended: suspension }, { windows: [onMondays] }),
        /^resumed; outside its sync w/,
      ],
      ["is synced already", synced({ suspended: suspension }), /^resumed$/],
    ];
    for (const [what, state, message] of stays) {
      test(`resume starts nothing of an application that ${what}`, async () => {
        const office = await open(state);
        const result = await office.actions.resume(shop);
        assert.equal(result.outcome, "done");
        assert.match(result.outcome === "done" ? result.message : "", message);
        assert.deepEqual([(await office.state()).suspended, office.started()], [undefined, []]);
      });
    }

    test("resume of one that is not suspended changes nothing", async () => {
      const office = await open(synced());
      assert.partialDeepStrictEqual(await office.actions.resume(shop), { outcome: "done", message: "it was not suspended" });
      assert.equal((await office.state()).version, 1);
    });

    test("a suspension of the configuration is ended there; the refusal says so", async () => {
      const office = await open(synced({ pending }, { suspend: { owner: "ada", reason: "freeze", until: "" } }));
      assert.match(refusal(await office.actions.resume(shop)), /take `suspend` out of driftless\.yaml to end that$/);
    });
  });

  describe("rollback", () => {
    /** Revisions in the order of their syncs, one a minute; the last is what is desired. */
    async function withHistory(
      ...syncs: readonly (Partial<SyncRecord> & { readonly revision: string })[]
    ): Promise<Office & { readonly last: ApplicationState }> {
      const office = await open();
      const rows: SyncRecord[] = [];
      for (const [at, sync] of syncs.entries()) {
        const snapshot = sync.snapshot ?? (await office.snapshot(sync.revision));
        const startedAt = `2025-03-01T10:${String(at).padStart(2, "0")}:00.000Z`;
        rows.push(ended({ id: `run-${at}`, generation: at + 1, startedAt, finishedAt: startedAt, ...sync, snapshot }));
      }
      for (const row of rows) await office.stores.syncs.put(row);
      const lastSync = rows.at(-1) as SyncRecord;
      const { generation, revision, snapshot } = lastSync;
      const desired = { generation, revision, snapshot, plannedAt: lastSync.startedAt };
      const last = aState({ definition: definition(), desired, lastSync });
      await office.stores.applications.put(last);
      return { ...office, last };
    }

    test("goes back to the newest sync before that succeeded, and remembers from what, why and by whom", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb", phase: "Failed" }, { revision: "ccc" });
      const result = await office.actions.rollback({ ...shop, reason: "prices are wrong" });
      assert.partialDeepStrictEqual(result, {
        outcome: "started",
        revision: "aaa",
        generation: 4,
        message: "rolled back to aaa",
      });
      const { desired, rejected } = await office.state();
      assert.deepEqual(desired, { generation: 4, revision: "aaa", snapshot: await office.snapshot("aaa"), plannedAt: now });
      assert.deepEqual(rejected, {
        revision: "ccc",
        snapshot: await office.snapshot("ccc"),
        reason: "prices are wrong",
        by: ask.by,
        at: now,
      });
      assert.deepEqual(office.started(), ["rollback shop@4"]);
    });

    test("what waited is dropped: the next commit is planned as ever", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb" });
      await office.stores.applications.put({ ...office.last, pending, version: 2 });
      await office.actions.rollback(shop);
      assert.equal((await office.state()).pending, undefined);
    });

    test("goes to the revision that is named by its beginning", async () => {
      const office = await withHistory({ revision: "aaa1" }, { revision: "bbb1" }, { revision: "ccc1" });
      assert.partialDeepStrictEqual(await office.actions.rollback({ ...shop, revision: "aa" }), { revision: "aaa1" });
    });

    test("a second one goes further back, not forth again, and what the branch holds stays rejected", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb" }, { revision: "ccc" });
      await office.actions.rollback(shop);
      const first = await office.state();
      const lastSync = ended({ ...first.desired, id: "back", trigger: "rollback", startedAt: "2025-03-01T11:00:00.000Z" });
      await office.stores.syncs.put(lastSync);
      await office.stores.applications.put({ ...first, lastSync, version: first.version + 1 });
      assert.partialDeepStrictEqual(await office.actions.rollback(shop), { outcome: "started", revision: "aaa" });
      assert.equal((await office.state()).rejected?.revision, "ccc");
    });

    test("to what is desired already is refused", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb" });
      assert.equal(refusal(await office.actions.rollback({ ...shop, revision: "bb" })), "bbb is what is desired already");
    });

    test("asked again while it is under way it is the same rollback", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb" }, { revision: "ccc" });
      office.failNextStart();
      await assert.rejects(office.actions.rollback(shop));
      assert.partialDeepStrictEqual(await office.actions.rollback(shop), { outcome: "started", revision: "bbb", generation: 4 });
      assert.deepEqual(office.started(), ["rollback shop@4"]);
    });

    test("a revision that never was, or never succeeded, is an error with those one can go back to", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb", phase: "Failed" }, { revision: "ccc" });
      for (const revision of ["bbb", "ddd"]) {
        await assert.rejects(
          office.actions.rollback({ ...shop, revision }),
          (error) =>
            isDriftlessError(error, "not-found") &&
            error.message === `no sync of a revision ${revision} succeeded; one can go back to: aaa (2025-03-01T10:00:00.000Z)`,
        );
      }
    });

    test("a text that begins several revisions is an error with these", async () => {
      const office = await withHistory({ revision: "aa1" }, { revision: "aa2" }, { revision: "ccc" });
      await assert.rejects(
        office.actions.rollback({ ...shop, revision: "aa" }),
        /^DriftlessError: aa is the beginning of 2 revisions; .*aa2 .*aa1 /,
      );
    });

    test("where nothing stood before, it is refused", async () => {
      const office = await withHistory({ revision: "aaa" });
      assert.match(refusal(await office.actions.rollback(shop)), /^nothing was synced with success before aaa/);
    });

    test("manifests that are stored no longer cannot be gone back to; nothing is changed", async () => {
      const office = await withHistory({ revision: "aaa", snapshot: "gone" }, { revision: "ccc" });
      assert.match(refusal(await office.actions.rollback(shop)), /^the manifests of aaa are stored no longer/);
      assert.equal((await office.state()).version, 1);
    });

    test("a person may roll back what is suspended and outside of its windows", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb" });
      const suspended = { owner: "ada", reason: "freeze", until: "" };
      await office.stores.applications.put({
        ...office.last,
        suspended,
        definition: definition({ windows: [onMondays] }),
        version: 2,
      });
      assert.equal((await office.actions.rollback(shop)).outcome, "started");
      assert.deepEqual((await office.state()).suspended, suspended);
    });

    test("an application that left the configuration is not rolled back", async () => {
      const office = await withHistory({ revision: "aaa" }, { revision: "bbb" });
      await office.stores.applications.put({ ...office.last, removed: true, version: 2 });
      assert.match(refusal(await office.actions.rollback(shop)), /^shop left the configuration/);
    });
  });

  describe("what its project does not allow", () => {
    const refused = { refused: true, planError: "project a does not allow the repository x" } as const;
    const why = "project default does not allow it: project a does not allow the repository x";

    test("is not synced, approved or rolled back; the refusal says why, and nothing is changed", async () => {
      const office = await open(synced({ ...refused, pending }, { mode: "approve" }));
      await office.stores.syncs.put(ended({ generation: 2, revision: "bbb", snapshot: await office.snapshot("b") }));
      assert.equal(refusal(await office.actions.sync({ ...shop, force: true })), why);
      assert.equal(refusal(await office.actions.approve({ ...shop, hash: "hash-d", force: true })), why);
      assert.equal(refusal(await office.actions.rollback(shop)), why);
      assert.deepEqual([office.started(), (await office.state()).version], [[], 1]);
    });

    test("is not started again where an approved run of it is under way", async () => {
      const approval = { revision: "ccc", hash: "hash-c", prune: "", by: "ada", at: now };
      const lastSync = ended({ generation: 2 });
      const office = await open(synced({ ...refused, approval, lastSync }));
      assert.equal(refusal(await office.actions.approve({ ...shop, hash: "hash-c" })), why);
      assert.deepEqual(office.started(), []);
    });

    test("is resumed without a sync of what waited", async () => {
      const suspended = { owner: "ada", reason: "freeze", until: "" };
      const office = await open(synced({ ...refused, pending, suspended }));
      assert.partialDeepStrictEqual(await office.actions.resume(shop), { outcome: "done", message: `resumed; ${why}` });
      const { pending: waits, suspended: over } = await office.state();
      assert.deepEqual([waits?.revision, over, office.started()], ["ddd", undefined, []]);
    });

    test("is left out of a rebuild, and the answer says why", async () => {
      const office = await open(synced(refused));
      const { items, skipped } = await office.actions.rebuild({ cluster: "eu", ...ask });
      assert.deepEqual([items, skipped], [[], [{ application: "shop", reason: why }]]);
    });
  });

  test("a state that its project does not allow any more is not gone back to", async () => {
    const office = await open(synced());
    const { stores } = office;
    await stores.syncs.put(ended({ id: "s1", generation: 1, revision: "aaa", snapshot: await office.snapshot("a") }));
    const nothing = { clusters: [], applications: [], healthCheckExprs: [], remoteBases: [], repositories: [] };
    const narrowed = aProject("default", ["elsewhere"]);
    await stores.configuration.save({ configuration: { ...nothing, projects: [narrowed] }, revision: "r", oid: "o", number: 1 });
    assert.match(
      refusal(await office.actions.rollback(shop)),
      /^its project does not allow what aaa has: ConfigMap shop\/settings: project default does not allow the namespace shop/,
    );
    assert.equal((await office.state()).version, 1);
  });

  test("what another project had synced under the name of an application is nothing to go back to", async () => {
    const office = await open(synced());
    const ofOther = ended({ id: "s1", generation: 1, revision: "aaa", snapshot: await office.snapshot("secret of a") });
    await office.stores.syncs.put({ ...ofOther, project: "a" });
    assert.match(refusal(await office.actions.rollback(shop)), /nothing was synced with success before ccc/);
    await assert.rejects(office.actions.rollback({ ...shop, revision: "aaa" }), { code: "not-found" });
    await office.stores.syncs.put(ofOther);
    assert.equal((await office.actions.rollback(shop)).outcome, "started");
  });

  describe("rebuild", () => {
    const named = (application: string, change: Partial<ApplicationState> = {}): ApplicationState => ({
      ...synced(change),
      application,
      definition: { ...definition({}, application), ...change.definition },
    });

    test("every application of the cluster is synced again with the same manifests, in one run; what waits goes on waiting", async () => {
      const elsewhere = { ...definition({}, "far"), cluster: "us" };
      const office = await open(named("db"), named("web", { pending }), named("far", { definition: elsewhere }));
      const result = await office.actions.rebuild({ cluster: "eu", ...ask });
      assert.deepEqual(result, {
        cluster: "eu",
        items: [
          { application: "db", revision: "ccc", generation: 4 },
          { application: "web", revision: "ccc", generation: 4 },
        ],
        skipped: [],
      });
      assert.deepEqual(office.started(), ["rebuild db@4 web@4"]);
      const web = await office.state("web");
      assert.deepEqual([web.desired?.snapshot, web.pending], ["s-c", pending]);
      assert.equal((await office.state("far")).desired?.generation, 3);
    });

    test("asked again after its start was lost, it makes no further generation", async () => {
      const office = await open(named("db"));
      office.failNextStart();
      await assert.rejects(office.actions.rebuild({ cluster: "eu", ...ask }));
      await office.actions.rebuild({ cluster: "eu", ...ask });
      assert.deepEqual(office.started(), ["rebuild db@4"]);
    });

    test("what is suspended, or was never rendered, is left out, and the answer says why", async () => {
      const suspended = { owner: "ada", reason: "the migration", until: "" };
      const office = await open(named("db", { suspended }), {
        ...aState({ definition: definition({}, "new") }),
        application: "new",
      });
      const { items, skipped } = await office.actions.rebuild({ cluster: "eu", ...ask });
      assert.deepEqual(items, []);
      assert.deepEqual(skipped, [
        { application: "db", reason: "it is suspended by ada: the migration; driftless resume db ends that" },
        { application: "new", reason: "it was never rendered" },
      ]);
    });

    test("a cluster that nothing names is an error with those that are known", async () => {
      const office = await open(named("db"));
      await assert.rejects(
        office.actions.rebuild({ cluster: "asia", ...ask }),
        (error) => isDriftlessError(error, "not-found") && error.message === "there is no cluster asia; there are: eu",
      );
    });
  });
});
