import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DriftlessError } from "../../../lib/errors.ts";
import { isJsonObject } from "../../../lib/model/json.ts";
import { configMap } from "../../support/guestbook.ts";
import { aConfiguration, type PlannedApplication, planningAround } from "./planning.ts";

const yaml = (applications: Readonly<Record<string, PlannedApplication>>) => ({
  "driftless.yaml": aConfiguration(applications),
});

const kustomization = (...resources: readonly string[]): string => `resources: [${resources.join(", ")}]\n`;

suite("planning applications of several sources", () => {
  const open = planningAround();

  test("the objects of all sources are put together, and a push to any of their branches plans the application", async () => {
    const { platform, createRepository, commit, push, rendered, started, state, stores, withRuns } = await open();
    const extra = await createRepository();
    await commit(extra, { "extra/two.yaml": configMap("two") }, "stable");
    const sources = `[{ path: a }, { repository: "${extra.url}", targetRevision: stable, path: extra }]`;
    const head = await commit(platform, { ...yaml({ a: { sources } }), "a/one.yaml": configMap("one") });
    assert.deepEqual((await push(platform))?.applications, ["a"]);
    assert.deepEqual(rendered(), ["a", "extra"]);
    const planned = await state("a");
    const objects = await stores.snapshots.load(planned?.desired?.snapshot ?? "");
    assert.deepEqual(
      objects.map(({ metadata }) => metadata.name),
      ["one", "two"],
    );
    assert.equal(planned?.desired?.revision, head);

    await withRuns("a");
    const moved = await commit(extra, { "extra/two.yaml": configMap("two", { key: "2" }) }, "stable");
    assert.deepEqual((await push(extra, { branch: "stable" }))?.applications, ["a"]);
    assert.deepEqual([rendered(), started()], [["a", "extra"], ["eu: a"]]);
    const read = (await state("a"))?.inputs.repositories.map(({ repository, targetRevision, revision }) => [
      repository,
      targetRevision,
      revision,
    ]);
    assert.deepEqual(read, [
      [platform.url, "main", head],
      [extra.url, "stable", moved],
    ]);
  });

  test("an object that two sources state is an error that names both", async () => {
    const { platform, commit, push } = await open();
    const files = { "a/one.yaml": configMap("one"), "b/one.yaml": configMap("one") };
    await commit(platform, { ...yaml({ a: { sources: "[{ path: a }, { path: b }]" } }), ...files });
    assert.match(
      (await push(platform))?.reason ?? "",
      /^a: ConfigMap one comes from source 1 and from source 2: remove one of the two$/,
    );
  });

  test("a branch counts as planned once everybody who reads it was planned", async () => {
    const { platform, createRepository, commit, push, stores } = await open();
    const shared = await createRepository();
    const first = await commit(shared, { "b/one.yaml": configMap("one") });
    await commit(platform, { ...yaml({ b: { repository: shared.url } }), "a/one.yaml": configMap("one") });
    await push(platform);
    assert.equal(await stores.heads.get(shared.url, "main"), first);
    // The push of this commit is lost; the configuration brings another reader of the branch, and plans that one alone.
    await commit(shared, { "b/one.yaml": configMap("one", { key: "2" }), "c/one.yaml": configMap("three") });
    await commit(platform, yaml({ b: { repository: shared.url }, c: { repository: shared.url } }));
    assert.deepEqual((await push(platform))?.applications, ["c"]);
    assert.equal(await stores.heads.get(shared.url, "main"), first, "the sweep still has to see that the head has moved");
  });

  test("a repository that is away cuts off its own applications, and the others are planned and started", async () => {
    const { platform, commit, push, started, stores } = await open();
    const away = "http://127.0.0.1:9/away.git";
    await commit(platform, { ...yaml({ a: {}, b: { repository: away } }), "a/one.yaml": configMap("one") });
    await assert.rejects(push(platform), { code: "source", retryable: true });
    assert.deepEqual(started(), ["eu: a"]);
    assert.equal(await stores.heads.get(away, "main"), "", "what leaves the branch's other applications is kept meanwhile");
  });
});

suite("one render for the same inputs", () => {
  const open = planningAround();

  test("a shared base is rendered once for each folder that uses it, and no other folder is", async () => {
    const { platform, commit, push, rendered, withRuns } = await open();
    const names = ["a", "b", "c", "d"];
    await commit(platform, {
      ...yaml(Object.fromEntries(names.map((name) => [name, {}]))),
      "base/kustomization.yaml": kustomization("one.yaml"),
      "base/one.yaml": configMap("one"),
      ...Object.fromEntries(
        ["a", "b", "c"].map((name) => [`${name}/kustomization.yaml`, `${kustomization("../base")}namePrefix: ${name}-\n`]),
      ),
      "d/one.yaml": configMap("d"),
    });
    await push(platform);
    assert.deepEqual(rendered(), names);
    await withRuns(...names);
    await commit(platform, { "base/one.yaml": configMap("one", { key: "2" }) });
    assert.deepEqual((await push(platform))?.applications.toSorted(), ["a", "b", "c"]);
    assert.deepEqual(rendered(), ["a", "b", "c"]);
  });

  test("two applications of one folder share its render, also when they ask at once", async () => {
    const { platform, commit, push, rendered, started, state } = await open();
    await commit(platform, { ...yaml({ a: {}, b: { path: "a", cluster: "us" } }), "a/one.yaml": configMap("one") });
    await push(platform);
    assert.deepEqual(rendered(), ["a"]);
    assert.deepEqual(started().toSorted(), ["eu: a", "us: b"]);
    assert.equal((await state("b"))?.desired?.snapshot, (await state("a"))?.desired?.snapshot);
  });

  test("applications of two projects share no render: the keys of one may open what those of the other do not", async () => {
    const { platform, commit, push, rendered } = await open();
    const projects = ["shop", "crm"].map(
      (name) =>
        `  - { name: ${name}, sourceRepos: ["*"], destinations: [{ cluster: "*", namespace: "*" }], identity: installation }\n`,
    );
    const stated = {
      a: { policies: "project: shop" },
      b: { path: "a", policies: "project: crm" },
      c: { path: "a", policies: "project: crm" },
    };
    const file = aConfiguration(stated, `projects:\n${projects.join("")}`);
    await commit(platform, { "driftless.yaml": file, "a/one.yaml": configMap("one") });
    await push(platform);
    assert.deepEqual(rendered(), ["a", "a"]);
  });

  test("a commit that goes back to what was rendered before is planned without a render", async () => {
    const { platform, commit, push, rendered, started, state, withRuns } = await open();
    await commit(platform, { ...yaml({ a: {} }), "a/one.yaml": configMap("one") });
    await push(platform);
    const first = await state("a");
    await withRuns("a");
    await commit(platform, { "a/one.yaml": configMap("one", { key: "2" }) });
    await push(platform);
    await withRuns("a");
    const back = await commit(platform, { "a/one.yaml": configMap("one") });
    assert.deepEqual((await push(platform))?.applications, ["a"]);
    assert.deepEqual([rendered(), started()], [[], ["eu: a"]]);
    const planned = await state("a");
    assert.deepEqual([planned?.desired?.snapshot, planned?.desired?.generation], [first?.desired?.snapshot, 3]);
    assert.equal(planned?.inputs.repositories[0]?.revision, back);
  });

  test("other options are another render of the same folder", async () => {
    const { platform, commit, push, rendered, stores, state } = await open();
    const files = { "a/kustomization.yaml": kustomization("one.yaml"), "a/one.yaml": configMap("one") };
    await commit(platform, { ...yaml({ a: {}, b: { sources: "[{ path: a, kustomize: { namePrefix: b- } }]" } }), ...files });
    await push(platform);
    assert.deepEqual(rendered(), ["a", "a"]);
    const objects = await stores.snapshots.load((await state("b"))?.desired?.snapshot ?? "");
    assert.deepEqual(
      objects.map(({ metadata }) => metadata.name),
      ["b-one"],
    );
  });
});

suite("the identity of a repository", () => {
  const open = planningAround();

  test("a push of another repository that took the name is refused, and plans nothing", async () => {
    const { platform, createRepository, commit, push, started, withRuns } = await open();
    const shop = await createRepository();
    await commit(shop, { "a/one.yaml": configMap("one") });
    await commit(platform, yaml({ a: { repository: shop.url } }));
    await push(platform, { repositoryId: 1 });
    await push(shop, { repositoryId: 42 });
    await withRuns("a");
    await commit(shop, { "a/one.yaml": configMap("one", { key: "2" }) });
    const row = await push(shop, { repositoryId: 77 });
    assert.equal(row?.state, "failed");
    assert.match(row.reason, /is repository 77 now, and was 42 when it was first read/);
    assert.deepEqual(started(), []);
    assert.deepEqual((await push(shop, { repositoryId: 42 }))?.applications, ["a"]);
  });

  test("an id that driftless.yaml states counts, also for a repository that was bound to another", async () => {
    const { platform, createRepository, commit, push, stores } = await open();
    const shop = await createRepository();
    await commit(shop, { "a/one.yaml": configMap("one") });
    await commit(platform, yaml({ a: { repository: shop.url } }));
    await push(platform);
    await push(shop, { repositoryId: 42 });
    const stated = `repositories: [{ url: "${shop.url}", id: 77 }]\n`;
    await commit(platform, { "driftless.yaml": aConfiguration({ a: { repository: shop.url } }, stated) });
    await push(platform);
    assert.equal(await stores.repositories.get(shop.url), 77);
    await commit(shop, { "a/one.yaml": configMap("one", { key: "2" }) });
    assert.equal((await push(shop, { repositoryId: 42 }))?.state, "failed");
    assert.equal((await push(shop, { repositoryId: 77 }))?.state, "planned");
  });
});

suite("charts and what the cluster can do", () => {
  const open = planningAround();
  const chart = {
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "web/templates/version.yaml":
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: version }\ndata: { version: {{ .Capabilities.KubeVersion.Version }} }\n",
  };
  const away = () => Promise.reject(new DriftlessError("cluster", "nobody answers", { retryable: true }));

  test("a cluster is asked once for all its charts, and never for other folders", async () => {
    const { platform, commit, push, askedClusters } = await open();
    await commit(platform, {
      ...yaml({ a: {}, b: { cluster: "us" } }),
      "a/one.yaml": configMap("one"),
      "b/one.yaml": configMap("one"),
    });
    await push(platform);
    assert.deepEqual(askedClusters(), []);
    await commit(platform, { ...yaml({ a: {}, w: { path: "web" }, x: { path: "web", namespace: "other" } }), ...chart });
    await push(platform);
    assert.deepEqual(askedClusters(), ["eu"]);
  });

  test("a cluster that is away is taken as it was last, and holds up nobody", async () => {
    const { platform, commit, push, tellCapabilities, state, stores, withRuns } = await open();
    const version = async () => {
      const objects = await stores.snapshots.load((await state("w"))?.desired?.snapshot ?? "");
      const found = objects.find(({ metadata }) => metadata.name === "version")?.["data"];
      return isJsonObject(found) ? found["version"] : undefined;
    };
    await commit(platform, { ...yaml({ a: {}, w: { path: "web" } }), ...chart, "a/one.yaml": configMap("one") });
    await push(platform);
    assert.equal(await version(), "v1.35.4");
    await withRuns("a", "w");
    tellCapabilities(away);
    await commit(platform, { "web/templates/more.yaml": configMap("more"), "a/one.yaml": configMap("one", { key: "2" }) });
    assert.deepEqual((await push(platform))?.applications.toSorted(), ["a", "w"]);
    assert.equal(await version(), "v1.35.4");
    await withRuns("a", "w");
    tellCapabilities(async () => ({ kubeVersion: "v1.36.0", apiVersions: ["v1"] }));
    await commit(platform, { "README.md": "Nobody reads this.\n" });
    assert.deepEqual((await push(platform))?.applications, ["w"]);
    assert.equal(await version(), "v1.36.0");
  });

  test("a chart for a cluster that never answered waits for it, and the other applications do not", async () => {
    const { platform, commit, push, tellCapabilities, started } = await open();
    tellCapabilities(away);
    await commit(platform, { ...yaml({ a: {}, w: { path: "web" } }), ...chart, "a/one.yaml": configMap("one") });
    await assert.rejects(push(platform), { code: "cluster", retryable: true });
    assert.deepEqual(started(), ["eu: a"]);
    tellCapabilities(async () => ({ kubeVersion: "v1.35.4", apiVersions: ["v1"] }));
    assert.deepEqual((await push(platform))?.applications, ["w"]);
  });
});
