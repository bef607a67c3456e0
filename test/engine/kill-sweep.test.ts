import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as fc from "fast-check";
import { applicationLabel, type Manifest, refOf, resourceKey } from "../../lib/model/resource.ts";
import type { SyncBatch } from "../../lib/model/sync.ts";
import { aName } from "../apply/open.ts";
import { anEngineApplication, desire } from "./desire.ts";
import { aClock, createExecution, type Execution } from "./execution.ts";
import { type Api, type Installation, openApi, openInstallation, type Sent } from "./installation.ts";
import { kindsOf, type State, sixtyObjects } from "./sixty.ts";
import { createWorker, type Worker } from "./worker.ts";

/** Applications that are swept at once: most of a run is waiting for the cluster. */
const lanes = 10;
/** Real milliseconds of a pause between rounds: what a Job needs to get on. */
const pause = 700;
/** `DRIFTLESS_KILL_SWEEP=all` tries every call in each sweep; without it the first tries one in three, the others one in thirty. */
const isFull = process.env["DRIFTLESS_KILL_SWEEP"] === "all";
const firstStride = isFull ? 1 : 3;
const stride = isFull ? 1 : 30;
/** More than any of these runs makes. */
const mostCalls = 600;

type Kill = "before" | "after";

/** Who dies in one point of a sweep, and where: workers that die at a call of their own, then one that lives. */
type Deaths = readonly { readonly at: number; readonly when: Kill }[];

/** One application with a table, a namespace and a kind of its own, whose desired state goes to and fro. */
interface Lane {
  readonly name: string;
  readonly group: string;
  readonly installation: Installation;
  state: State;
  point: number;
  /** Of what is live, by `resourceKey`. */
  uids: ReadonlyMap<string, string>;
}

describe("B6: a run of sixty objects whose worker is killed", () => {
  let api: Api;
  const open: Lane[] = [];

  before(async () => {
    api = await openApi();
    open.push(...(await Promise.all(Array.from({ length: lanes }, openLane))));
  });

  async function openLane(): Promise<Lane> {
    const name = aName("sixty");
    const installation = await openInstallation({ api, clock: aClock() });
    const lane: Lane = { name, group: `${name}.driftless.example`, installation, state: "b", point: 0, uids: new Map() };
    assert.equal(await runPoint(lane, []), 0);
    return lane;
  }

  test("at any call: before it goes out", async (t) => {
    const { points, calls } = await sweep((at) => (at > mostCalls ? undefined : [{ at, when: "before" }]), { step: firstStride });
    t.diagnostic(`${points} points; the runs had up to ${calls} calls`);
    assert.ok(points >= 200 / firstStride, `${points} points`);
  });

  test("at any call: once it went out, before its answer is seen", async (t) => {
    const { points } = await sweep((at) => (at > mostCalls ? undefined : [{ at, when: "after" }]), { step: stride });
    t.diagnostic(`${points} points`);
    assert.ok(points >= 200 / stride, `${points} points`);
  });

  test("twice in a row: at any call, and once more at any call of the resumed run", async (t) => {
    const { seed = 1 } = fc.readConfigureGlobal();
    const later = fc.sample(fc.tuple(fc.integer({ min: 1, max: 120 }), fc.constantFrom<Kill>("before", "after")), {
      numRuns: mostCalls,
      seed,
    });
    const { points } = await sweep(
      (at) => {
        const [again, when] = later[at - 1] ?? [];
        if (again === undefined || when === undefined) return undefined;
        return [
          { at, when: at % 2 === 0 ? "before" : "after" },
          { at: again, when },
        ];
      },
      { step: stride },
    );
    t.diagnostic(`${points} points`);
    assert.ok(points >= 200 / stride, `${points} points`);
  });

  test("for good: the run of the next revision takes over what it made, and leaves nothing behind", async (t) => {
    const { points } = await sweep((at) => (at > mostCalls ? undefined : [{ at, when: "after" }]), {
      step: stride,
      isLost: true,
    });
    t.diagnostic(`${points} points`);
    assert.ok(points >= 200 / stride, `${points} points`);
  });

  interface SweepOptions {
    /** Default 1: every call. */
    readonly step?: number;
    /** True: the execution is never resumed. */
    readonly isLost?: boolean;
  }

  /** Every point from the first call to the last that a run makes, over all lanes at once. */
  async function sweep(
    deathsAt: (call: number) => Deaths | undefined,
    { step = 1, isLost = false }: SweepOptions = {},
  ): Promise<{ points: number; calls: number }> {
    let next = 1;
    let points = 0;
    let calls = 0;
    let isOver = false;
    await Promise.all(
      open.map(async (lane) => {
        for (let at = next; !isOver; at = next) {
          next += step;
          const deaths = deathsAt(at);
          assert.ok(deaths !== undefined, `a run has more than ${mostCalls} calls`);
          const killed = await (isLost ? loseRun(lane, deaths) : runPoint(lane, deaths));
          if (killed === 0) isOver = true;
          else {
            points += 1;
            calls = Math.max(calls, at);
          }
        }
      }),
    );
    return { points, calls };
  }

  /** Syncs the other of the two states by workers that die as told and one that lives; returns how many died. */
  async function runPoint(lane: Lane, deaths: Deaths): Promise<number> {
    const { id, objects, batch, execution } = await nextState(lane);
    const { killed, at } = await workUntilDeath(lane, { batch, execution, deaths });
    const told = deaths.map((death) => `killed ${death.when} call ${death.at}`).join(" and ");
    const point = `${id}, ${told}: ${at}`;
    assert.equal(await lane.installation.work(batch, execution), "ended", point);
    await assertConverged(lane, { id, point, objects });
    return killed;
  }

  /** The same, but that nobody lives: what was begun is found by the run of the state before, once the lease has run out. */
  async function loseRun(lane: Lane, deaths: Deaths): Promise<number> {
    const { batch, execution } = await nextState(lane);
    const { killed } = await workUntilDeath(lane, { batch, execution, deaths });
    lane.installation.sent.splice(0);
    lane.installation.clock.advance(121);
    // What the lost run pruned is made anew, and so are its hooks.
    const stayed = [...lane.uids].filter(([key]) => !key.includes("/only-"));
    const hooks = [...(await liveObjects(lane))].filter(([key]) => key.startsWith("batch/Job/"));
    lane.uids = new Map([...stayed, ...hooks.map(([key, { metadata }]) => [key, metadata.uid ?? ""] as const)]);
    await runPoint(lane, []);
    return killed;
  }

  async function nextState(lane: Lane) {
    const { installation, name, group } = lane;
    lane.state = lane.state === "a" ? "b" : "a";
    lane.point += 1;
    // No two runs begin in one second, so that their rows have an order.
    installation.clock.advance(1);
    const objects = sixtyObjects(name, group, lane.state);
    const batch = await desire(installation.stores, anEngineApplication(name, name), objects);
    const id = `${name}-${lane.point}`;
    return { id, objects, batch, execution: createExecution({ id, clock: installation.clock, pause }) };
  }

  async function workUntilDeath(
    { installation }: Lane,
    { batch, execution, deaths }: { readonly batch: SyncBatch; readonly execution: Execution; readonly deaths: Deaths },
  ): Promise<{ readonly killed: number; readonly at: string }> {
    let killed = 0;
    let last: Worker = createWorker();
    for (const { at, when } of deaths) {
      last = createWorker(({ number }) => (number === at ? when : undefined));
      if ((await installation.work(batch, execution, last)) === "killed") killed += 1;
    }
    return { killed, at: last.calls.at(-1) ?? "" };
  }

  async function assertConverged(
    lane: Lane,
    { id, point, objects }: { readonly id: string; readonly point: string; readonly objects: readonly Manifest[] },
  ): Promise<void> {
    const { installation, name } = lane;
    const { stores } = installation;
    const state = await stores.applications.get(name);
    assert.equal(state?.lastSync?.phase, "Succeeded", `${point}: ${state?.lastSync?.errors.join("; ")}`);
    assert.equal(state.lastSync.generation, lane.point, point);
    const rows = (await stores.syncs.list(name, { limit: 5 })).items.filter(({ generation }) => generation === lane.point);
    assert.deepEqual(
      rows.map(({ phase, finishedAt }) => [phase, finishedAt !== ""]),
      [["Succeeded", true]],
      point,
    );
    assert.equal(await stores.leases.get(name), undefined, point);

    const live = await liveObjects(lane);
    const stays = objects.filter(({ metadata }) => metadata.name !== "check");
    assert.deepEqual([...live.keys()].sort(), stays.map(keyOf).sort(), point);
    for (const object of stays) assert.partialDeepStrictEqual(live.get(keyOf(object)), object, point);
    const uids = new Map([...live].map(([key, { metadata }]) => [key, metadata.uid ?? ""]));
    const inventory = await stores.inventories.load(name);
    // A hook that is being deleted is leaving, until the next sync finds it gone.
    const entries = (inventory?.entries ?? []).filter(({ hook, leaving }) => hook !== true || leaving !== true);
    const owned = entries.map(({ ref, uid }) => [resourceKey(ref), uid] as const);
    assert.deepEqual(owned.map(String).sort(), [...uids].map(String).sort(), point);

    const requests = installation.sent.splice(0).filter(({ run }) => run === id);
    assertHooks(requests, { point, migrate: uids.get(`batch/Job/${name}/migrate`) ?? "" });
    assertDeletes(requests, { point, lane });
    for (const [key, uid] of lane.uids) {
      const isSame = !uids.has(key) || key.endsWith("/migrate") || uids.get(key) === uid;
      assert.ok(isSame, `${point}: ${key} was deleted and made again`);
    }
    lane.uids = uids;
  }

  /** Without what is being deleted: a hook goes in the foreground, after its pods. */
  async function liveObjects({ name, group }: Lane): Promise<ReadonlyMap<string, Manifest>> {
    const labelSelector = `${applicationLabel}=${name}`;
    const lists = kindsOf(group).map((type) => api.outside.list({ type, namespace: "", labelSelector }));
    const there = (await Promise.all(lists)).flat().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return new Map(there.map((object) => [keyOf(object), object]));
  }
});

/** Each hook was made once in this sync, however often it was asked for. */
function assertHooks(requests: readonly Sent[], { point, migrate }: { readonly point: string; readonly migrate: string }): void {
  const uidsOf = (job: string) =>
    new Set(
      requests
        .filter(({ method, path, answer }) => method === "PATCH" && path.includes(`/jobs/${job}?`) && answer.status < 300)
        .map(({ answer }) => (JSON.parse(answer.body) as Manifest).metadata.uid),
    );
  assert.deepEqual([...uidsOf("migrate")], [migrate], `${point}: runs of the PreSync hook`);
  assert.equal(uidsOf("check").size, 1, `${point}: runs of the PostSync hook`);
}

/** What was deleted had left the desired state, or was a hook's: of the sync before, or one that ended. */
function assertDeletes(requests: readonly Sent[], { point, lane }: { readonly point: string; readonly lane: Lane }): void {
  const left = lane.state === "a" ? "b" : "a";
  const allowed = [...["", "-1", "-2"].map((end) => `only-${left}${end}`), "migrate", "check"];
  for (const { method, path, body } of requests) {
    if (method !== "DELETE") continue;
    const object = path.split("/").at(-1) ?? "";
    assert.ok(allowed.includes(object), `${point}: deleted ${path}`);
    if (object === "migrate")
      assert.ok(body?.includes(lane.uids.get(`batch/Job/${lane.name}/migrate`) ?? "?"), `${point}: ${body}`);
  }
}

function keyOf(object: Manifest): string {
  return resourceKey(refOf(object));
}
