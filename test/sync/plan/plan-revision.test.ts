import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { git } from "../../source/repositories.ts";
import { configMap } from "../../support/guestbook.ts";
import { aConfiguration, type PlannedApplication, planningAround } from "./planning.ts";

const yaml = (applications: Readonly<Record<string, PlannedApplication>>) => ({ "driftless.yaml": aConfiguration(applications) });

suite("planning a revision", () => {
  const open = planningAround();

  /** Two planned applications, `a` on eu and `b` on us, whose runs were started. */
  async function twoApplications() {
    const planning = await open();
    await planning.commit(planning.platform, {
      ...yaml({ a: {}, b: { cluster: "us" } }),
      "a/one.yaml": configMap("one"),
      "b/one.yaml": configMap("one"),
      "README.md": "Nobody reads this.\n",
    });
    const first = await planning.push(planning.platform);
    return { ...planning, first };
  }

  test("the first push renders every application, and starts one run a cluster", async () => {
    const { first, started, rendered, state } = await twoApplications();
    assert.deepEqual([first?.state, first?.reason, first?.applications.toSorted()], ["planned", "", ["a", "b"]]);
    assert.deepEqual(rendered(), ["a", "b"]);
    assert.deepEqual(started().toSorted(), ["eu: a", "us: b"]);
    const planned = await state("a");
    assert.deepEqual([planned?.desired?.generation, planned?.planError, planned?.removed], [1, "", false]);
    assert.ok(planned?.inputs.repositories[0]?.paths["a/one.yaml"]);
  });

  test("applications whose trees are equal are neither rendered nor started, whatever else the commit changed", async () => {
    const { started, rendered, push, commit, platform, state, withRuns } = await twoApplications();
    await withRuns("a", "b");
    await commit(platform, { "README.md": "Another word.\n" });
    const row = await push(platform);
    assert.deepEqual([row?.state, row?.reason], ["ignored", "no application reads what changed"]);
    assert.deepEqual([rendered(), started()], [[], []]);
    assert.equal((await state("a"))?.desired?.generation, 1);
  });

  test("a commit that touches one application renders and starts that one alone", async () => {
    const { started, rendered, push, commit, platform, state, withRuns } = await twoApplications();
    await withRuns("a", "b");
    const head = await commit(platform, { "b/two.yaml": configMap("two") });
    const row = await push(platform);
    assert.deepEqual([row?.state, row?.applications], ["planned", ["b"]]);
    assert.deepEqual([rendered(), started()], [["b"], ["us: b"]]);
    assert.deepEqual([(await state("b"))?.desired?.generation, (await state("b"))?.desired?.revision], [2, head]);
  });

  test("a commit that renders to the same objects starts nothing", async () => {
    const { started, rendered, push, commit, platform, withRuns } = await twoApplications();
    await withRuns("a", "b");
    await commit(platform, { "a/one.yaml": `# A word to the reader.\n${configMap("one")}` });
    assert.equal((await push(platform))?.state, "ignored");
    assert.deepEqual([rendered(), started()], [["a"], []]);
  });

  test("a configuration that is not valid fails its delivery with line and column, and touches no application", async () => {
    const { started, rendered, push, commit, platform, state, withRuns } = await twoApplications();
    await withRuns("a", "b");
    const before = [await state("a"), await state("b")];
    const broken = aConfiguration({ a: {} }).replace("namespace: shop", "namespce: shop");
    await commit(platform, { "driftless.yaml": broken, "a/two.yaml": configMap("two"), "b/one.yaml": null });
    const row = await push(platform);
    assert.equal(row?.state, "failed");
    assert.match(row.reason, /driftless\.yaml:5:\d+: .*namespce/);
    assert.deepEqual([await state("a"), await state("b")], before);
    assert.deepEqual([rendered(), started()], [[], []]);
  });

  test("a refused configuration is known by its head and its problem until a good one is in force", async () => {
    const { push, commit, platform, stores } = await twoApplications();
    const broken = aConfiguration({ a: {} }).replace("namespace: shop", "namespce: shop");
    const refused = await commit(platform, { "driftless.yaml": broken });
    await push(platform);
    assert.equal(await stores.heads.get(platform.url, "main"), refused);
    assert.match(await stores.configuration.loadProblem(), /driftless\.yaml:5:\d+: .*namespce/);
    const mended = await commit(platform, yaml({ a: {} }));
    await push(platform);
    assert.equal(await stores.heads.get(platform.url, "main"), mended);
    assert.equal(await stores.configuration.loadProblem(), "");
  });

  test("a plan cut off between saving and starting is started by the redelivery, and rendered once", async () => {
    const planning = await open();
    await planning.commit(planning.platform, { ...yaml({ a: {} }), "a/one.yaml": configMap("one") });
    planning.failNextStart();
    await assert.rejects(planning.push(planning.platform, { id: "cut-off" }), { code: "queue", retryable: true });
    assert.equal((await planning.state("a"))?.desired?.generation, 1);
    assert.deepEqual(planning.started(), []);
    await planning.push(planning.platform, { id: "cut-off" });
    assert.deepEqual(planning.started(), ["eu: a"]);
    assert.deepEqual(planning.rendered(), ["a"]);
    assert.equal((await planning.state("a"))?.desired?.generation, 1);
  });

  test("a push to a branch plans the applications of that branch alone, and one to a branch that nobody follows none", async () => {
    const planning = await open();
    const { platform, push, commit, rendered, started, withRuns } = planning;
    const files = { "a/one.yaml": configMap("one"), "b/one.yaml": configMap("one") };
    await commit(platform, files, "release");
    await commit(platform, { ...yaml({ a: {}, b: { branch: "release" } }), ...files });
    await push(platform);
    await withRuns("a", "b");
    // Its driftless.yaml is not the platform's: only the one on main counts.
    const changed = { "a/one.yaml": configMap("changed"), "b/one.yaml": configMap("changed") };
    await commit(platform, { ...changed, ...yaml({}) }, "release");
    assert.deepEqual((await push(platform, { branch: "release" }))?.applications, ["b"]);
    assert.deepEqual([rendered(), started()], [["b"], ["eu: b"]]);
    await commit(platform, changed, "feature");
    const row = await push(platform, { branch: "feature" });
    assert.deepEqual([row?.state, row?.reason], ["ignored", `no application uses feature of ${platform.url}`]);
  });

  test("an application of another repository is planned with the push that adds it, and by pushes there ever after", async () => {
    const { platform, push, commit, createRepository, rendered, started, withRuns } = await twoApplications();
    await withRuns("a", "b");
    const other = await createRepository();
    await commit(other, { "deploy/one.yaml": configMap("one") });
    await commit(platform, yaml({ a: {}, b: { cluster: "us" }, c: { repository: other.url, path: "deploy" } }));
    assert.deepEqual((await push(platform))?.applications, ["c"]);
    assert.deepEqual([rendered(), started()], [["deploy"], ["eu: c"]]);
    await withRuns("c");
    await commit(other, { "deploy/one.yaml": configMap("one", { key: "2" }) });
    assert.deepEqual((await push(other))?.applications, ["c"]);
    assert.deepEqual([rendered(), started()], [["deploy"], ["eu: c"]]);
  });

  test("a platform repository that holds no application is known by its head, so that no sweep takes it for moved", async () => {
    const { platform, push, commit, createRepository, stores } = await open();
    const other = await createRepository();
    await commit(other, { "deploy/one.yaml": configMap("one") });
    const head = await commit(platform, yaml({ c: { repository: other.url, path: "deploy" } }));
    assert.deepEqual((await push(platform))?.applications, ["c"]);
    assert.equal(await stores.heads.get(platform.url, "main"), head);
  });

  test("a repository that is not there fails its application, and keeps no other back", async () => {
    const planning = await open();
    const { platform, server, push, commit, started, state } = planning;
    const nowhere = `${server.url}/nowhere.git`;
    await commit(platform, { ...yaml({ a: {}, c: { repository: nowhere } }), "a/one.yaml": configMap("one") });
    const row = await push(platform);
    assert.deepEqual([row?.state, row?.applications], ["failed", ["a"]]);
    assert.match(row?.reason ?? "", new RegExp(`c: .*nowhere`));
    assert.deepEqual(started(), ["eu: a"]);
    assert.match((await state("c"))?.planError ?? "", /nowhere/);
  });

  test("a repository that does not answer keeps no other back, and the message comes again", async () => {
    const planning = await open();
    const { platform, push, commit, started, rendered } = planning;
    // Port 1 of this machine, where nobody listens.
    const away = { repository: "http://127.0.0.1:1/away.git" };
    await commit(platform, { ...yaml({ a: {}, c: away }), "a/one.yaml": configMap("one") });
    await assert.rejects(push(platform), { code: "source", retryable: true });
    assert.deepEqual([rendered(), started()], [["a"], ["eu: a"]]);
  });

  test("a branch that does not exist fails its applications by name; one that is deleted changes nothing", async () => {
    const planning = await open();
    const { platform, push, commit, createRepository, started, state } = planning;
    const other = await createRepository();
    await commit(other, { "deploy/one.yaml": configMap("one") });
    const target = { repository: other.url, path: "deploy", branch: "release" };
    await commit(platform, yaml({ c: target }));
    const row = await push(platform);
    assert.deepEqual([row?.state, row?.reason], ["failed", `c: branch release of ${other.url} does not exist`]);
    assert.deepEqual([(await state("c"))?.desired, started()], [undefined, []]);
    assert.equal(await planning.stores.heads.get(other.url, "release"), "");

    await commit(other, { "deploy/one.yaml": configMap("one") }, "release");
    await push(other, { branch: "release" });
    const planned = await state("c");
    assert.deepEqual([planned?.desired?.generation, planned?.planError, started()], [1, "", ["eu: c"]]);
    await git(other.path, "update-ref", "-d", "refs/heads/release");
    assert.equal((await push(other, { branch: "release" }))?.state, "failed");
    const after = await state("c");
    assert.deepEqual([after?.desired, after?.removed, after?.inputs], [planned?.desired, false, planned?.inputs]);
  });

  test("a move to another cluster is refused, says what to do, and leaves the application where it is", async () => {
    const { platform, push, commit, state, started } = await twoApplications();
    started();
    const before = await state("a");
    await commit(platform, yaml({ a: { cluster: "us" }, b: { cluster: "us" } }));
    for (const time of ["first", "second"]) {
      const row = await push(platform);
      assert.equal(row?.state, "failed", time);
      assert.match(row.reason, new RegExp(`application a moved from cluster eu to us: remove it from driftless\\.yaml first`));
      const after = await state("a");
      assert.deepEqual([after?.definition.cluster, after?.desired], ["eu", before?.desired]);
    }
    assert.deepEqual(
      started().filter((line) => line.includes(": a")),
      [],
    );
  });

  test("a removed application that still keeps something cannot come back in another cluster, and is told how it can", async () => {
    const { platform, push, commit, state } = await twoApplications();
    await commit(platform, yaml({ b: { cluster: "us" } }));
    await push(platform);
    await commit(platform, yaml({ a: { cluster: "us" }, b: { cluster: "us" } }));
    const row = await push(platform);
    assert.match(row?.reason ?? "", /it still keeps objects in cluster eu .*push again after the next sweep/);
    assert.deepEqual([(await state("a"))?.removed, (await state("a"))?.definition.cluster], [true, "eu"]);
  });

  test("an application that left the configuration wants nothing any more, once", async () => {
    const { platform, push, commit, state, started, withRuns } = await twoApplications();
    await withRuns("a", "b");
    started();
    await commit(platform, yaml({ b: { cluster: "us" } }));
    const row = await push(platform);
    assert.deepEqual([row?.state, row?.applications, started()], ["planned", ["a"], ["eu: a"]]);
    const gone = await state("a");
    assert.deepEqual([gone?.removed, gone?.desired?.generation, gone?.desired?.snapshot], [true, 2, ""]);
    await push(platform);
    assert.equal((await state("a"))?.desired?.generation, 2);
  });

  test("a render that fails leaves what is desired as it is, and is one row of history however often it is delivered", async () => {
    const { platform, push, commit, state, started, stores } = await twoApplications();
    started();
    const before = await state("a");
    await commit(platform, { "a/bad.yaml": "kind: [\n", "b/two.yaml": configMap("two") });
    for (const delivery of [1, 2, 3]) {
      const row = await push(platform);
      assert.equal(row?.state, "failed", `delivery ${delivery}`);
      assert.match(row.reason, new RegExp(`^a: a/bad\\.yaml:`));
    }
    const after = await state("a");
    assert.deepEqual([after?.desired, after?.inputs], [before?.desired, before?.inputs]);
    assert.match(after?.planError ?? "", /bad\.yaml/);
    const failures = (await stores.syncs.list("a")).items;
    assert.deepEqual(
      failures.map(({ phase, snapshot, counts }) => [phase, snapshot, counts.failed]),
      [["Failed", "", 0]],
    );
    assert.ok(
      started().every((line) => line === "us: b"),
      "the other application goes on",
    );
  });
});
