import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap } from "../support/objects.ts";
import { filesOf, plainConfiguration } from "../support/single-files.ts";

const create = "createNamespace: true";
/** A window that denies always: its openings follow one another without a gap. */
const always = 'syncWindows: [{ kind: deny, schedule: "* * * * *", duration: 1h }]';

/** One object with this word in it. */
const saying = (application: string, key: string) => filesOf(application, [aConfigMap("", "settings", { key })]);

describe("a push while a policy holds it", () => {
  const [manual, windowed, suspended, removed, stuck] = [
    "held-manual",
    "held-window",
    "held-suspended",
    "held-removed",
    "held-stuck",
  ];
  let journey: Journey;
  let first: string;

  const configuration = (applications: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    "driftless.yaml": plainConfiguration({
      [manual]: `sync: { ${create} }`,
      [windowed]: `sync: { ${create} }`,
      [suspended]: `sync: { ${create} }`,
      [removed]: `sync: { ${create} }`,
      ...applications,
    }),
  });
  const live = (application: string): Promise<string> => journey.field(["configmap", application, "settings"], ".data.key");
  const set = (application: string, key: string): Promise<string> =>
    journey.kubectl("patch", "configmap", "-n", application, "settings", "--type=merge", "-p", `{"data":{"key":"${key}"}}`);

  /** Waits until the newest commit waits for leave; fails if it is synced instead. */
  async function waits(application: string, commit: string): Promise<string> {
    const state = await eventually(`${application} waits at ${commit.slice(0, 7)}`, async () => {
      const now = await journey.state(application);
      assert.notEqual(now?.desired?.revision, commit);
      return now?.pending?.revision === commit ? now : undefined;
    });
    return state.pending?.reason ?? "";
  }

  const revisions = async (application: string): Promise<readonly string[]> =>
    (await journey.syncs(application)).map(({ revision }) => revision);

  before(async () => {
    journey = await startJourney();
    const files = [manual, windowed, suspended, removed].map((name) => saying(name, "first"));
    first = await journey.push(Object.assign(configuration(), ...files) as Record<string, string>);
    for (const name of [manual, windowed, suspended, removed])
      assert.equal((await journey.synced(name, first)).phase, "Succeeded");
  });
  after(() => journey.close());

  test("mode manual holds it; the state before stays live and healed, and nothing is synced until somebody lets it", async () => {
    const policy = { [manual]: `sync: { ${create}, mode: manual }` };
    const commit = await journey.push({ ...configuration(policy), ...saying(manual, "second") });
    assert.equal(await waits(manual, commit), "waits for somebody to sync it: driftless sync held-manual");
    assert.equal(await live(manual), "first");

    await set(manual, "by hand");
    assert.deepEqual((await journey.sweep()).reports[0]?.healing, [manual]);
    await eventually("the heal is over", async () => (await revisions(manual)).length > 1);
    assert.deepEqual([await live(manual), await revisions(manual)], ["first", [first, first]]);

    await journey.push(configuration());
    assert.equal((await journey.synced(manual, commit)).phase, "Succeeded");
    assert.equal(await live(manual), "second");
  });

  test("a sync window holds two pushes; when it is gone, one sync of the newest follows", async () => {
    const policy = { [windowed]: `sync: { ${create} }, ${always}` };
    await waits(windowed, await journey.push({ ...configuration(policy), ...saying(windowed, "second") }));
    const newest = await journey.push(saying(windowed, "third"));
    assert.match(await waits(windowed, newest), /^closed by its sync window deny "\* \* \* \* \*" for 1h \(UTC\)/);
    await set(windowed, "by hand");
    assert.deepEqual((await journey.sweep()).reports[0]?.healing, []);
    assert.equal(await live(windowed), "by hand");

    await journey.push(configuration());
    assert.equal((await journey.synced(windowed, newest)).phase, "Succeeded");
    assert.equal(await live(windowed), "third");
    assert.deepEqual(await revisions(windowed), [newest, first]);
  });

  test("a suspension holds heals and pushes; when it is gone, what waited is synced, and what drifted is as it should be", async () => {
    const suspend = "suspend: { owner: alice, reason: the move, until: 2999-01-01T00:00:00Z }";
    const policy = { [suspended]: `sync: { ${create} }, ${suspend}` };
    const commit = await journey.push({ ...configuration(policy), ...saying(suspended, "second") });
    assert.equal(await waits(suspended, commit), "suspended by alice until 2999-01-01T00:00:00.000Z: the move");
    await set(suspended, "by hand");
    const { reports, released } = await journey.sweep();
    assert.deepEqual([reports[0]?.drifted, reports[0]?.healing, released], [1, [], []]);
    assert.equal(await live(suspended), "by hand");

    await journey.push(configuration());
    assert.equal((await journey.synced(suspended, commit)).phase, "Succeeded");
    assert.equal(await live(suspended), "second");
    assert.deepEqual(await revisions(suspended), [commit, first]);
  });

  test("an application that is removed while suspended is pruned once it is not", async () => {
    const { applications } = journey.installation.stores;
    const change = async (words: object) => {
      const state = await journey.state(removed);
      assert.ok(state);
      const { suspended: _over, ...rest } = state;
      assert.ok(await applications.put({ ...rest, ...words, version: state.version + 1 }));
    };
    await change({ suspended: { owner: "alice", reason: "the move", until: "" } });
    const { [removed]: _gone, ...others } = { [removed]: "", [manual]: "", [windowed]: "", [suspended]: "" };
    const staying = Object.fromEntries(Object.keys(others).map((name) => [name, `sync: { ${create} }`]));
    await journey.push({ "driftless.yaml": plainConfiguration(staying) });
    const held = await eventually("its removal waits", async () => {
      const state = await journey.state(removed);
      return state?.pending?.snapshot === "" ? state : undefined;
    });
    assert.deepEqual([held.removed, held.desired?.revision, held.pending?.reason], [true, first, "suspended by alice: the move"]);
    await set(removed, "by hand");
    const { reports, released } = await journey.sweep();
    assert.deepEqual([reports[0]?.healing, released, await live(removed)], [[], [], "by hand"]);

    await change({});
    assert.deepEqual((await journey.sweep()).released, [removed]);
    await eventually("it is pruned", async () => (await live(removed)) === "");
  });

  test("a failure that may pass is tried again up to its limit, and then no more", async () => {
    const limit = "sync: { retry: { limit: 2, backoff: { duration: 1s, factor: 1, maxDuration: 1s } } }";
    const commit = await journey.push({
      "driftless.yaml": plainConfiguration({ [stuck]: limit }),
      ...saying(stuck, "first"),
    });
    const failed = await journey.synced(stuck, commit);
    assert.deepEqual([failed.phase, failed.retryable, failed.attempt], ["Failed", true, 1]);
    for (const attempt of [2, 3]) {
      await eventually(`try ${attempt}`, async () => {
        await journey.sweep();
        return (await journey.syncs(stuck)).some((sync) => sync.attempt === attempt && sync.finishedAt !== "");
      });
    }
    const pauseIsOver = Date.now() + 1100;
    await eventually("the pause after the last try is over", async () => Date.now() > pauseIsOver);
    assert.deepEqual((await journey.sweep()).restarted, []);
    const tries = await journey.syncs(stuck);
    assert.deepEqual(
      tries.map(({ attempt, phase }) => [attempt, phase]),
      [
        [3, "Failed"],
        [2, "Failed"],
        [1, "Failed"],
      ],
    );
  });
});
