import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { suite, test } from "node:test";
import { configMap } from "../../support/guestbook.ts";
import { planningAround } from "./planning.ts";

const folders = (...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`apps/${name}/one.yaml`, configMap(`${name}-one`)]));

/** One application for each folder below `apps` of a repository, on cluster `eu`. */
const setFor = (url: string, generator = `git: { repository: "${url}", directories: [{ path: "apps/*" }] }`): string =>
  [
    "clusters: [{ name: eu, context: eu, labels: { tier: prod } }, { name: us, context: us }]",
    "applicationSets:",
    "  - name: folders",
    `    generators: [{ ${generator} }]`,
    `    template: { name: "{{path.basename}}", repository: "${url}", path: "{{path}}", cluster: eu, namespace: shop }`,
    "",
  ].join("\n");

suite("applications that generators give", () => {
  const open = planningAround();

  async function withFolders() {
    const planning = await open();
    const { platform, createRepository, commit, push, withRuns } = planning;
    const apps = await createRepository();
    await commit(apps, folders("web", "api"));
    await commit(platform, { "driftless.yaml": setFor(apps.url) });
    assert.deepEqual((await push(platform))?.applications.toSorted(), ["api", "web"]);
    await withRuns("web", "api");
    return { ...planning, apps };
  }

  test("come with a folder that is pushed, and go with it; the platform's repository is not asked while folders are the same", async () => {
    const { platform, apps, commit, push, state, started, rendered, stores } = await withFolders();
    await commit(apps, folders("shop"));
    assert.deepEqual((await push(apps))?.applications, ["shop"]);
    assert.deepEqual([rendered(), started()], [["apps/shop"], ["eu: shop"]]);
    await commit(apps, { "apps/web/one.yaml": null, "README.md": "Nobody reads this.\n" });
    assert.deepEqual((await push(apps))?.applications, ["web"]);
    assert.deepEqual([(await state("web"))?.removed, (await state("web"))?.desired?.snapshot], [true, ""]);

    const { number } = (await stores.configuration.load()) ?? {};
    await rename(platform.path, `${platform.path}.away`);
    await commit(apps, { "apps/api/one.yaml": configMap("api-one", { key: "2" }) });
    assert.deepEqual((await push(apps))?.applications, ["api"]);
    assert.equal((await stores.configuration.load())?.number, number);
  });

  test("stay as they are when a generator cannot be answered, and the problem is told until it can", async () => {
    const { platform, apps, createRepository, commit, push, state, started, stores } = await withFolders();
    const other = await createRepository();
    await commit(platform, { "driftless.yaml": setFor(other.url) });
    const delivery = await push(platform);
    assert.deepEqual([delivery?.state, started()], ["failed", []]);
    assert.match(delivery?.reason ?? "", /branch main of .* does not exist/);
    assert.match(await stores.configuration.loadProblem(), /branch main of .* does not exist/);
    assert.deepEqual([(await state("web"))?.removed, (await state("web"))?.planError], [false, ""]);

    // By a push to the repository that it asks for the file becomes right.
    await commit(other, { "README.md": "No folders yet.\n" });
    assert.match((await push(other))?.reason ?? "", /applicationSets/);
    assert.equal((await state("web"))?.removed, false);
    await commit(other, folders("web"));
    assert.deepEqual((await push(other))?.applications.toSorted(), ["api", "web"]);
    assert.equal(await stores.configuration.loadProblem(), "");
    assert.deepEqual([(await state("web"))?.removed, (await state("api"))?.removed], [false, true]);
    assert.ok(apps);
  });

  test("stay when all folders are gone: an empty result is a slip, unless the set says otherwise", async () => {
    const { platform, apps, commit, push, state } = await withFolders();
    await commit(apps, { "apps/web/one.yaml": null, "apps/api/one.yaml": null });
    const delivery = await push(apps);
    assert.equal(delivery?.state, "failed");
    assert.equal((await state("web"))?.removed, false);
    const text = setFor(apps.url).replace("  - name: folders\n", "  - name: folders\n    allowEmpty: true\n");
    await commit(platform, { "driftless.yaml": text });
    await push(platform);
    assert.deepEqual([(await state("web"))?.removed, (await state("api"))?.removed], [true, true]);
  });

  test("of a name that stands already change nothing, and the problem is told", async () => {
    const { platform, apps, commit, push, state } = await withFolders();
    const { url } = apps;
    const stated = `applications: [{ name: shop, repository: "${url}", path: apps/web, cluster: us, namespace: shop }]\n`;
    await commit(platform, { "driftless.yaml": `${setFor(url)}${stated}` });
    await push(platform);
    await commit(apps, folders("shop"));
    assert.match((await push(apps))?.reason ?? "", /"shop" is the name of/);
    assert.equal((await state("shop"))?.definition.cluster, "us");
  });

  test("of clusters by label come with the label, in a push of the platform's file alone", async () => {
    const { platform, apps, commit, push, state, withRuns } = await withFolders();
    const byCluster = setFor(apps.url, "clusters: { selector: { matchLabels: { tier: prod } } }")
      .replace('"{{path.basename}}"', '"web-{{name}}"')
      .replace('"{{path}}", cluster: eu', 'apps/web, cluster: "{{name}}"');
    await commit(platform, { "driftless.yaml": byCluster });
    assert.deepEqual((await push(platform))?.applications.toSorted(), ["api", "web", "web-eu"]);
    await withRuns("web-eu");
    await commit(platform, { "driftless.yaml": byCluster.replace("context: us", "context: us, labels: { tier: prod }") });
    assert.deepEqual((await push(platform))?.applications, ["web-us"]);
    assert.equal((await state("web-us"))?.definition.cluster, "us");
  });
});
