import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { SyncRecord } from "../../../lib/model/sync.ts";
import { aSync } from "../../contracts/rows.ts";
import { configMap } from "../../support/guestbook.ts";
import { aConfiguration, type PlannedApplication, planningAround } from "./planning.ts";

const yaml = (applications: Readonly<Record<string, PlannedApplication>>, more?: string) => ({
  "driftless.yaml": aConfiguration(applications, more),
});

/** Closed at noon on the first of March 2025, when the clock stands at first; open from 18:00. */
const deny = 'syncWindows: [{ kind: deny, schedule: "0 8 * * *", duration: 10h }]';
const suspend = "suspend: { owner: alice, reason: the database moves, until: 2025-03-01T18:00:00Z }";
const manual = "sync: { mode: manual }";

suite("planning by policies", () => {
  const open = planningAround();

  /** `a` with these policies; unless it is to be new, its first state was synced without any. */
  async function oneApplication({ policies, isNew = false }: { readonly policies: string; readonly isNew?: boolean }) {
    const planning = await open();
    const { commit, platform, push, withRuns } = planning;
    const first = await commit(platform, { ...yaml({ a: isNew ? { policies } : {} }), "a/one.yaml": configMap("one") });
    await push(platform);
    if (!isNew) {
      await withRuns("a");
      await commit(platform, yaml({ a: { policies } }));
      await push(platform);
    }
    return { ...planning, first };
  }

  /** The next commit, which changes what `a` renders to. */
  async function pushed({ commit, platform, push }: Awaited<ReturnType<typeof oneApplication>>, name = "two") {
    const head = await commit(platform, { [`a/${name}.yaml`]: configMap(name) });
    return { head, row: await push(platform) };
  }

  for (const [policies, reason] of [
    [manual, "waits for somebody to sync it: driftless sync a"],
    ["sync: { mode: approve }", "waits for approval: driftless plan a, then driftless approve a HASH"],
    [deny, 'closed by its sync window deny "0 8 * * *" for 10h (UTC); it opens at 2025-03-01T18:00Z'],
    [suspend, "suspended by alice until 2025-03-01T18:00:00.000Z: the database moves"],
  ] as const) {
    test(`what is rendered waits, and is told so: ${reason}`, async () => {
      const planning = await oneApplication({ policies });
      const { head, row } = await pushed(planning);
      const { desired, pending } = (await planning.state("a")) ?? {};
      assert.deepEqual([desired?.generation, desired?.revision], [1, planning.first]);
      assert.deepEqual([pending?.revision, pending?.reason], [head, reason]);
      assert.deepEqual([row?.state, row?.applications, row?.reason], ["planned", ["a"], `a: ${reason}`]);
      assert.deepEqual(planning.started(), []);
    });
  }

  test("the very first state waits too", async () => {
    const { state, started, first } = await oneApplication({ policies: manual, isNew: true });
    const { desired, pending } = (await state("a")) ?? {};
    assert.deepEqual([desired, pending?.revision, started()], [undefined, first, []]);
  });

  test("what waits is rendered once, and only the newest waits", async () => {
    const planning = await oneApplication({ policies: manual, isNew: true });
    planning.rendered();
    await planning.push(planning.platform);
    assert.deepEqual(planning.rendered(), []);
    const { head } = await pushed(planning);
    assert.deepEqual(planning.rendered(), ["a"]);
    assert.equal((await planning.state("a"))?.pending?.revision, head);
  });

  test("a commit that goes back to the desired state leaves nothing waiting", async () => {
    const planning = await oneApplication({ policies: manual });
    await pushed(planning);
    await planning.commit(planning.platform, { "a/two.yaml": null });
    await planning.push(planning.platform);
    const { desired, pending } = (await planning.state("a")) ?? {};
    assert.deepEqual([desired?.generation, pending, planning.started()], [1, undefined, []]);
  });

  for (const [key, policies] of [
    ["sync.mode", manual],
    ["sync.retry", "sync: { retry: { limit: 1 } }"],
    ["syncWindows", deny],
    ["suspend", suspend],
    ["rollback", "rollback: auto"],
    ["drift", "drift: report"],
  ] as const) {
    test(`another ${key} is in force at once, and renders and starts nothing`, async () => {
      const { state, started, rendered } = await oneApplication({ policies });
      const { desired, pending, definition } = (await state("a")) ?? {};
      assert.deepEqual([desired?.generation, pending, started(), rendered()], [1, undefined, [], []]);
      const { mode, retry } = definition?.sync ?? {};
      const { syncWindows = [], suspend: stated, rollback, drift } = definition ?? {};
      const said = [mode, retry?.limit, syncWindows.length, stated?.owner, rollback, drift];
      const usual = ["auto", 5, 0, undefined, "manual", "heal"];
      assert.equal(said.filter((word, index) => word !== usual[index]).length, 1);
    });
  }

  test("windows of the whole installation count for every application", async () => {
    const planning = await oneApplication({ policies: "drift: heal" });
    await planning.commit(planning.platform, { ...yaml({ a: {} }, `${deny}\n`), "a/two.yaml": configMap("two") });
    await planning.push(planning.platform);
    assert.match((await planning.state("a"))?.pending?.reason ?? "", /^closed by its sync window/);
  });

  test("a policy that no longer holds lets go on what waited, without another render", async () => {
    const planning = await oneApplication({ policies: manual });
    const { head } = await pushed(planning);
    planning.rendered();
    await planning.commit(planning.platform, yaml({ a: {} }));
    await planning.push(planning.platform);
    const { desired, pending } = (await planning.state("a")) ?? {};
    assert.deepEqual([desired?.generation, desired?.revision, pending], [2, head, undefined]);
    assert.deepEqual([planning.started(), planning.rendered()], [["eu: a"], []]);
  });

  test("a definition that a sync comes from waits with its state: the old one is healed as it was planned", async () => {
    const planning = await oneApplication({ policies: manual });
    await planning.commit(planning.platform, yaml({ a: { policies: `${manual}, drift: report`, namespace: "other" } }));
    await planning.push(planning.platform);
    const { definition, pending } = (await planning.state("a")) ?? {};
    assert.deepEqual([definition?.namespace, definition?.drift], ["shop", "report"]);
    assert.deepEqual([pending?.definition?.namespace, pending?.definition?.drift], ["other", "report"]);
    planning.rendered();
    await planning.push(planning.platform);
    assert.deepEqual(planning.rendered(), []);

    await planning.commit(planning.platform, yaml({ a: { namespace: "other" } }));
    await planning.push(planning.platform);
    const after = await planning.state("a");
    assert.deepEqual([after?.definition.namespace, after?.desired?.generation, planning.started()], ["other", 2, ["eu: a"]]);
  });

  test("a definition that cannot be planned changes nothing of what is desired, and keeps from now on what it says to keep", async () => {
    const planning = await oneApplication({ policies: "drift: heal" });
    const broken = { path: "nowhere", namespace: "other", policies: "sync: { prune: false }" };
    await planning.commit(planning.platform, yaml({ a: broken }));
    assert.equal((await planning.push(planning.platform))?.state, "failed");
    const { definition, desired } = (await planning.state("a")) ?? {};
    assert.deepEqual([definition?.namespace, definition?.sync.prune, desired?.generation], ["shop", false, 1]);
  });

  test("an application that leaves the configuration while suspended is not pruned, until its suspension is over", async () => {
    const planning = await oneApplication({ policies: suspend });
    await planning.commit(planning.platform, yaml({}));
    const row = await planning.push(planning.platform);
    const { removed, desired, pending } = (await planning.state("a")) ?? {};
    assert.deepEqual([removed, desired?.revision, pending?.snapshot], [true, planning.first, ""]);
    assert.match(row?.reason ?? "", /^a: suspended by alice/);
    assert.deepEqual([planning.started(), (await planning.sweep()).released], [[], []]);

    planning.setTime("2025-03-01T18:00:00.000Z");
    assert.deepEqual((await planning.sweep()).released, ["a"]);
    assert.deepEqual(planning.started(), ["eu: a"]);
    const after = await planning.state("a");
    assert.deepEqual([after?.desired?.snapshot, after?.desired?.generation, after?.removed], ["", 2, true]);
  });

  test("an application that comes back before it was pruned is as it was", async () => {
    const planning = await oneApplication({ policies: suspend });
    await planning.commit(planning.platform, yaml({}));
    await planning.push(planning.platform);
    await planning.commit(planning.platform, yaml({ a: { policies: suspend } }));
    await planning.push(planning.platform);
    const { removed, desired, pending } = (await planning.state("a")) ?? {};
    assert.deepEqual([removed, desired?.generation, pending, planning.started()], [false, 1, undefined, []]);
  });

  test("what never was synced is removed without anybody's leave", async () => {
    const planning = await oneApplication({ policies: manual, isNew: true });
    await planning.commit(planning.platform, yaml({}));
    await planning.push(planning.platform);
    assert.deepEqual(planning.started(), ["eu: a"]);
  });

  test("what was rolled back is not synced again, and the next state is", async () => {
    const planning = await oneApplication({ policies: "drift: heal" });
    const { head } = await pushed(planning);
    const good = (await planning.state("a"))?.desired;
    assert.ok(good);
    await planning.withRuns("a");
    const rejected = { revision: head, snapshot: good.snapshot, reason: "it burns", by: "alice", at: "2025-03-01T12:00:00.000Z" };
    await planning.changeState("a", (state) => ({ ...state, desired: { ...good, generation: 3, snapshot: "s1" }, rejected }));
    await planning.withRuns("a");

    await planning.commit(planning.platform, { "a/one.yaml": `# A word.\n${configMap("one")}` });
    const row = await planning.push(planning.platform);
    assert.deepEqual(
      [row?.state, row?.reason],
      ["planned", "a: it was rolled back by alice (it burns), and is not synced again"],
    );
    const held = await planning.state("a");
    assert.deepEqual([held?.desired?.snapshot, held?.rejected?.by, planning.started()], ["s1", "alice", []]);

    await pushed(planning, "three");
    const next = await planning.state("a");
    assert.deepEqual([next?.desired?.generation, next?.rejected, planning.started()], [4, undefined, ["eu: a"]]);
  });

  test("what was planned, and whose run was not begun, is not started while suspended", async () => {
    const planning = await oneApplication({ policies: "drift: heal" });
    planning.failNextStart();
    await assert.rejects(pushed(planning));
    await planning.changeState("a", (state) => ({ ...state, suspended: { owner: "bob", reason: "wait", until: "" } }));
    await planning.push(planning.platform);
    planning.setTime("2025-03-01T12:10:00.000Z");
    assert.deepEqual([planning.started(), (await planning.sweep()).restarted], [[], []]);
  });
});

suite("what the sweep starts by policies", () => {
  const open = planningAround();

  async function aPushInAClosedWindow() {
    const planning = await open();
    const { commit, platform, push } = planning;
    await commit(platform, { ...yaml({ a: { policies: deny } }), "a/one.yaml": configMap("one") });
    await push(platform);
    const newest = await commit(platform, { "a/two.yaml": configMap("two") });
    await push(platform);
    return { ...planning, newest };
  }

  test("when a window opens, the newest state alone is synced, once", async () => {
    const { sweep, setTime, state, started, newest } = await aPushInAClosedWindow();
    assert.deepEqual([(await sweep()).released, started()], [[], []]);
    setTime("2025-03-01T18:00:00.000Z");
    assert.deepEqual([(await sweep()).released, started()], [["a"], ["eu: a"]]);
    const { desired, pending } = (await state("a")) ?? {};
    assert.deepEqual([desired?.generation, desired?.revision, pending], [1, newest, undefined]);
    assert.deepEqual([(await sweep()).released, started()], [[], []]);
  });

  test("what waited for a window is not started while a newer commit is about to be planned", async () => {
    const { sweep, setTime, commit, platform, push, started, state } = await aPushInAClosedWindow();
    const lost = await commit(platform, { "a/three.yaml": configMap("three") });
    setTime("2025-03-01T18:00:00.000Z");
    const { released, movedHeads } = await sweep();
    assert.deepEqual([released, movedHeads.length, started()], [[], 1, []]);
    await push(platform);
    assert.deepEqual([(await state("a"))?.desired?.revision, started()], [lost, ["eu: a"]]);
  });

  test("what waits for somebody says so once its window is open", async () => {
    const planning = await open();
    const { commit, platform, push, sweep, setTime, state } = planning;
    await commit(platform, { ...yaml({ a: { policies: `${deny}, ${manual}` } }), "a/one.yaml": configMap("one") });
    await push(platform);
    assert.match((await state("a"))?.pending?.reason ?? "", /^closed by its sync window/);
    setTime("2025-03-01T18:00:00.000Z");
    assert.deepEqual((await sweep()).released, []);
    assert.equal((await state("a"))?.pending?.reason, "waits for somebody to sync it: driftless sync a");
  });

  /** `a`, whose run of its only state ended like this at noon. */
  async function aRunThat(ended: Partial<SyncRecord>, policies = "drift: heal") {
    const planning = await open();
    const { commit, platform, push, state, changeState, started, setTime } = planning;
    await commit(platform, { ...yaml({ a: { policies } }), "a/one.yaml": configMap("one") });
    await push(platform);
    started();
    const { revision = "", snapshot = "" } = (await state("a"))?.desired ?? {};
    const finishedAt = "2025-03-01T12:00:00.000Z";
    const lastSync = aSync({ application: "a", generation: 1, revision, snapshot, phase: "Failed", finishedAt, ...ended });
    await changeState("a", (stored) => ({ ...stored, lastSync }));
    setTime("2025-03-01T12:00:05.000Z");
    return planning;
  }
  const restarts: readonly (readonly [string, readonly string[], Partial<SyncRecord>, string?])[] = [
    ["a failure that may pass is tried again after its pause", ["a"], { retryable: true }],
    ["and not before", [], { retryable: true, finishedAt: "2025-03-01T12:00:00.001Z" }],
    ["the pause grows with each try", [], { retryable: true, attempt: 2 }],
    ["a failure that stays is not tried again", [], { retryable: false }],
    ["tries end at the limit", [], { retryable: true, attempt: 6, finishedAt: "2025-03-01T11:00:00.000Z" }],
    ["limit 0 is no retry", [], { retryable: true }, "sync: { retry: { limit: 0 } }"],
    [
      "a cluster that cannot be reached is tried for ever",
      ["a"],
      { retryable: true, unreachable: true, attempt: 600, finishedAt: "2025-03-01T11:00:00.000Z" },
    ],
    ["a run that was lost starts again", ["a"], { phase: "Running", finishedAt: "" }],
    ["nothing is tried again while a window is closed", [], { retryable: true }, deny],
    ["a lost run waits for the window too", [], { phase: "Running", finishedAt: "" }, deny],
    ["nor while suspended", [], { phase: "Running", finishedAt: "" }, suspend],
    ["what was let go on in mode manual is tried again by itself", ["a"], { retryable: true }, manual],
  ];
  for (const [title, expected, ended, policies] of restarts) {
    test(title, async () => {
      const { sweep, started, commit, platform, push, state } = await aRunThat(ended);
      if (policies !== undefined) {
        await commit(platform, yaml({ a: { policies } }));
        await push(platform);
        assert.equal((await state("a"))?.desired?.generation, 1);
      }
      assert.deepEqual((await sweep()).restarted, expected);
      assert.deepEqual(started(), expected.length === 0 ? [] : ["eu: a"]);
    });
  }
});
