import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { CreatedRepository } from "../../../cli/local/git-server.ts";
import { configMap } from "../../support/guestbook.ts";
import { aPlatform, type Planning, planningAround } from "./planning.ts";

/** Applications that live in the folder of their name, as a team states them. */
const teamFile = (...names: readonly string[]): string =>
  names.length === 0
    ? "applications: []\n"
    : `applications:\n${names.map((name) => `  - { name: ${name}, path: ${name}, cluster: eu, namespace: shop }\n`).join("")}`;

const folders = (...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`${name}/one.yaml`, configMap(`${name}-one`)]));

suite("files of teams", () => {
  const open = planningAround();

  /** A platform with two projects, each with a file in a repository of its own, all planned and synced. */
  async function withTeams() {
    const planning = await open();
    const { platform, createRepository, commit, push, withRuns } = planning;
    const [a, b] = [await createRepository(), await createRepository()];
    await commit(a, { "apps.yaml": teamFile("web", "api"), ...folders("web", "api") });
    await commit(b, { "apps.yaml": teamFile("shop"), ...folders("shop") });
    const stated = (projects: Readonly<Record<string, readonly CreatedRepository[]>>) =>
      commit(platform, { "driftless.yaml": aPlatform(projects) });
    await stated({ a: [a], b: [b] });
    assert.equal((await push(platform))?.state, "planned");
    await withRuns("web", "api", "shop");
    return { ...planning, a, b, stated };
  }

  const stands = async ({ stores }: Pick<Planning, "stores">) => {
    const stored = await stores.configuration.load();
    return {
      applications: stored?.configuration.applications.map(({ name, project }) => `${project}/${name}`),
      problems: stored?.files?.flatMap(({ problem }) => (problem === "" ? [] : [problem])),
    };
  };

  test("give their applications, in the project that names them, with the push of the platform's own file", async () => {
    const planning = await withTeams();
    assert.deepEqual(await stands(planning), { applications: ["a/web", "a/api", "b/shop"], problems: [] });
    const web = await planning.state("web");
    assert.deepEqual([web?.definition.project, web?.planError], ["a", ""]);
  });

  test("are read again with a push to their branch, and nothing else is", async () => {
    const { a, commit, push, started, rendered, state, stores } = await withTeams();
    await commit(a, { "apps.yaml": teamFile("web", "new"), ...folders("new") });
    const delivery = await push(a);
    assert.deepEqual([delivery?.state, delivery?.applications.toSorted()], ["planned", ["api", "new"]]);
    assert.deepEqual(rendered(), ["new"]);
    assert.deepEqual(started().toSorted(), ["eu: new api"]);
    assert.deepEqual([(await state("api"))?.removed, (await state("api"))?.desired?.snapshot], [true, ""]);
    assert.deepEqual((await stands({ stores })).applications, ["a/web", "a/new", "b/shop"]);
    assert.equal(await stores.heads.get(a.url, "main"), (await stores.configuration.load())?.files?.[1]?.revision);
  });

  test("that are broken keep what they gave, fail their delivery and tell where; the same push still plans what they gave", async () => {
    const { a, commit, push, withRuns, started, rendered, stores } = await withTeams();
    await withRuns();
    await commit(a, { "apps.yaml": teamFile("web", "Bad Name"), "web/one.yaml": configMap("web-one", { key: "2" }) });
    const delivery = await push(a);
    assert.equal(delivery?.state, "failed");
    assert.match(delivery?.reason ?? "", /apps\.yaml of .* \(main\): apps\.yaml:3:\d+: applications\[1\]\.name/);
    assert.deepEqual([rendered(), started()], [["web"], ["eu: web"]]);
    const { applications, problems } = await stands({ stores });
    assert.deepEqual(applications, ["a/web", "a/api", "b/shop"]);
    assert.match(problems?.[0] ?? "", /^apps\.yaml:3:/);

    await commit(a, { "apps.yaml": null });
    assert.match((await push(a))?.reason ?? "", /apps\.yaml is not a file at/);
    assert.deepEqual((await stands({ stores })).applications, ["a/web", "a/api", "b/shop"]);

    await commit(a, { "apps.yaml": teamFile("web") });
    assert.deepEqual((await push(a))?.applications, ["api"]);
    assert.deepEqual(await stands({ stores }), { applications: ["a/web", "b/shop"], problems: [] });
  });

  test("cannot name another project, nor state clusters or projects", async () => {
    const { a, commit, push, stores } = await withTeams();
    const file = teamFile("web", "api");
    for (const [text, problem] of [
      [file.replace("name: web", "name: web, project: b"), /this file belongs to project a/],
      [`${file}clusters: [{ name: own, context: own }]\n`, /clusters/],
      [`${file}projects: []\n`, /projects/],
    ] as const) {
      await commit(a, { "apps.yaml": text });
      assert.match((await push(a))?.reason ?? "", problem);
      assert.deepEqual((await stands({ stores })).applications, ["a/web", "a/api", "b/shop"]);
    }
  });

  test("that left applicationFiles, or whose project left, give nothing more: their applications are removed", async () => {
    const { platform, b, stated, push, state, stores, started } = await withTeams();
    await stated({ a: [], b: [b] });
    assert.deepEqual((await push(platform))?.applications.toSorted(), ["api", "web"]);
    await stated({ b: [b] });
    await push(platform);
    assert.deepEqual([(await state("web"))?.removed, (await state("shop"))?.removed], [true, false]);
    assert.deepEqual(started(), ["eu: api web"]);
    // As whom and where it was applied it is pruned, and nothing new comes of it.
    const projectsNow = async () =>
      (await stores.configuration.load())?.configuration.projects.map(({ name, sourceRepos }) => [name, sourceRepos]);
    assert.deepEqual(await projectsNow(), [
      ["b", ["*"]],
      ["a", []],
    ]);

    for (const application of ["web", "api"]) {
      const version = (await state(application))?.version ?? 0;
      await stores.applications.remove(application, { version });
    }
    await stated({ b: [b], c: [] });
    await push(platform);
    assert.deepEqual(await projectsNow(), [
      ["b", ["*"]],
      ["c", ["*"]],
    ]);
  });

  test("that moved to a place where they cannot be read stay as they were, until they can", async () => {
    const { platform, a, b, commit, push, state, started, stores } = await withTeams();
    const text = aPlatform({ a: [a], b: [b] }).replace("path: apps.yaml", "path: deploy/apps.yaml");
    await commit(platform, { "driftless.yaml": text });
    const delivery = await push(platform);
    assert.match(delivery?.reason ?? "", /deploy\/apps\.yaml is not a file/);
    assert.deepEqual([started(), (await state("web"))?.removed], [[], false]);
    await commit(a, { "deploy/apps.yaml": teamFile("web") });
    assert.deepEqual((await push(a))?.applications, ["api"]);
    assert.deepEqual(await stands({ stores }), { applications: ["a/web", "b/shop"], problems: [] });
  });

  test("have names of their own: one that another file has keeps its file as it was, with a problem that names the other", async () => {
    const { a, b, commit, push, state, stores } = await withTeams();
    await commit(b, { "apps.yaml": teamFile("web"), ...folders("web") });
    const delivery = await push(b);
    assert.match(delivery?.reason ?? "", new RegExp(`application web is in apps\\.yaml of ${a.url} \\(main\\) already`));
    assert.deepEqual([(await state("web"))?.definition.project, (await state("shop"))?.removed], ["a", false]);
    await commit(a, { "apps.yaml": teamFile("api") });
    await push(a);
    assert.deepEqual(await stands({ stores }), { applications: ["a/api", "b/web"], problems: [] });
  });

  test("in a repository that is away keep what they gave when the platform's file changes, and the sweep has them read", async () => {
    const { platform, createRepository, a, b, commit, push, stated, stores, state, sweep } = await withTeams();
    const away = { url: "http://127.0.0.1:9/away.git", path: "" };
    await stated({ a: [a], b: [b], c: [away] });
    assert.match((await push(platform))?.reason ?? "", /apps\.yaml of http:\/\/127\.0\.0\.1:9\/away\.git/);
    assert.deepEqual((await stands({ stores })).applications, ["a/web", "a/api", "b/shop"]);
    assert.equal((await stores.heads.get(away.url, "main")) ?? "", "");
    // A file that is there again, as far as the table knows.
    const c = await createRepository();
    await commit(c, { "apps.yaml": teamFile("late"), ...folders("late") });
    await stated({ a: [a], b: [b], c: [c] });
    await push(platform);
    await stores.heads.put(c.url, "main", "");
    assert.deepEqual((await sweep()).movedHeads, [`${new URL(c.url).host}${new URL(c.url).pathname.replace(/\.git$/, "")}#main`]);
    assert.ok(await state("late"));
  });

  test("are changed by one plan at a time: a second push waits for the first", async () => {
    const { a, b, commit, push, stores } = await withTeams();
    const request = { application: "#configuration", holder: "another", generation: 0, seconds: 60 };
    const taken = await stores.leases.acquire(request);
    assert.ok(taken.acquired);
    await commit(a, { "README.md": "Nobody reads this.\n" });
    assert.equal((await push(a))?.state, "ignored");
    await commit(b, { "apps.yaml": teamFile("shop", "shop2"), ...folders("shop2") });
    await assert.rejects(push(b), { code: "lease", retryable: true });
    await stores.leases.release(taken.lease);
    assert.deepEqual((await push(b))?.applications, ["shop2"]);
    assert.equal(await stores.leases.get("#configuration"), undefined);
    assert.deepEqual((await stands({ stores })).applications, ["a/web", "a/api", "b/shop", "b/shop2"]);
  });

  test("that were read and whose plan was cut off are planned by the message that comes again", async () => {
    const { a, commit, push, failNextStart, started, stores } = await withTeams();
    await commit(a, { "apps.yaml": teamFile("web", "api", "new"), ...folders("new") });
    failNextStart();
    await assert.rejects(push(a), { code: "queue", retryable: true });
    await push(a);
    assert.deepEqual(started(), ["eu: new"]);
    assert.equal(await stores.configuration.loadSettled(), (await stores.configuration.load())?.number);
  });
});
