import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { configMap } from "../../support/guestbook.ts";
import { aConfiguration, type PlannedApplication, planningAround } from "./planning.ts";

const yaml = (applications: Readonly<Record<string, PlannedApplication>>) => ({
  "driftless.yaml": aConfiguration(applications),
});

suite("the index of a branch", () => {
  const open = planningAround();

  /** Applications `a` and `b`, planned by two pushes, so that there is an index. */
  async function indexed() {
    const planning = await open();
    const { platform, commit, push, withRuns } = planning;
    await commit(platform, { ...yaml({ a: {}, b: {} }), "a/one.yaml": configMap("one"), "b/one.yaml": configMap("one") });
    await push(platform);
    await withRuns("a", "b");
    return planning;
  }

  test("says of each application what its last render read", async () => {
    const { stores, platform, commit, push } = await indexed();
    const paths = async () => {
      const index = await stores.heads.index(platform.url, "main");
      return Object.fromEntries(Object.entries(index?.inputs ?? {}).map(([name, entry]) => [name, [...entry.paths].sort()]));
    };
    assert.deepEqual(await paths(), { a: ["a/", "a/one.yaml"], b: ["b/", "b/one.yaml"] });
    await commit(platform, { "b/two.yaml": configMap("two") });
    await push(platform);
    assert.deepEqual((await paths())["b"], ["b/", "b/one.yaml", "b/two.yaml"]);
    const head = await commit(platform, { "README.md": "Nobody reads this.\n" });
    assert.equal((await push(platform))?.state, "ignored");
    assert.equal(await stores.heads.get(platform.url, "main"), head);
    assert.deepEqual(Object.keys(await paths()), ["a", "b"]);
  });

  test("keeps a push away from the rows of applications that it does not touch", async () => {
    const { stores, platform, commit, push, started } = await indexed();
    // The row says what no plan would leave: a look at it would plan the application.
    const row = await stores.applications.get("a");
    assert.ok(row);
    await stores.applications.put({ ...row, planError: "never looked at", version: row.version + 1 });
    await commit(platform, { "b/one.yaml": configMap("one", { key: "2" }) });
    assert.deepEqual((await push(platform))?.applications, ["b"]);
    assert.deepEqual(started(), ["eu: b"]);
    assert.equal((await stores.applications.get("a"))?.planError, "never looked at");
  });

  test("does not outlive a plan that was cut off: a head that goes back is planned back", async () => {
    const { platform, commit, push, failNextStart, started, state } = await indexed();
    const before = (await state("a"))?.desired;
    await commit(platform, { "a/one.yaml": configMap("one", { key: "2" }) });
    failNextStart();
    await assert.rejects(push(platform), { code: "queue", retryable: true });
    assert.notEqual((await state("a"))?.desired?.snapshot, before?.snapshot);
    await commit(platform, { "a/one.yaml": configMap("one") });
    assert.deepEqual((await push(platform))?.applications, ["a"]);
    assert.deepEqual(started(), ["eu: a"]);
    assert.equal((await state("a"))?.desired?.snapshot, before?.snapshot);
  });

  test("holds no application whose plan failed, so that each push tries again", async () => {
    const { platform, commit, push, stores, state } = await indexed();
    await commit(platform, { "a/one.yaml": "kind: [\n" });
    assert.equal((await push(platform))?.state, "failed");
    assert.deepEqual(Object.keys((await stores.heads.index(platform.url, "main"))?.inputs ?? {}), ["b"]);
    await commit(platform, { "a/one.yaml": configMap("one") });
    await push(platform);
    assert.equal((await state("a"))?.planError, "");
  });

  test("does not count under another configuration, also when the text is the same as before", async () => {
    const { platform, commit, push, state, withRuns, createRepository, stores } = await indexed();
    const other = await createRepository();
    await commit(other, { "x/one.yaml": configMap("one") });
    const first = yaml({ a: {}, b: {}, x: { repository: other.url } });
    await commit(platform, first);
    await push(platform);
    await push(other);
    await withRuns("x");
    // Under another definition x is planned at a head whose push was lost.
    await commit(other, { "x/one.yaml": configMap("one", { key: "2" }) });
    await commit(platform, yaml({ a: {}, b: {}, x: { repository: other.url, namespace: "elsewhere" } }));
    await push(platform);
    await commit(platform, first);
    await push(platform);
    const second = (await state("x"))?.desired?.snapshot;
    // The head goes back to what the index of the first configuration knows.
    await commit(other, { "x/one.yaml": configMap("one") });
    assert.deepEqual((await push(other))?.applications, ["x"]);
    assert.notEqual((await state("x"))?.desired?.snapshot, second);
    assert.equal((await stores.configuration.load())?.number, 4);
  });

  test("holds no application of several branches: a push to either looks at it", async () => {
    const { platform, createRepository, commit, push, stores, rendered, withRuns } = await open();
    const extra = await createRepository();
    await commit(extra, { "extra/two.yaml": configMap("two") });
    const sources = `[{ path: a }, { repository: "${extra.url}", path: extra }]`;
    await commit(platform, {
      ...yaml({ a: { sources }, b: {} }),
      "a/one.yaml": configMap("one"),
      "b/one.yaml": configMap("one"),
    });
    await push(platform);
    assert.deepEqual(Object.keys((await stores.heads.index(platform.url, "main"))?.inputs ?? {}), ["b"]);
    await withRuns("a", "b");
    await commit(extra, { "extra/two.yaml": configMap("two", { key: "2" }) });
    assert.deepEqual((await push(extra))?.applications, ["a"]);
    assert.deepEqual(rendered(), ["a", "extra"]);
  });
});
