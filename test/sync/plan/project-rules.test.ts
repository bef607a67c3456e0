import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { configMap } from "../../support/guestbook.ts";
import { aPlatform, planningAround } from "./planning.ts";

const limitsOf = ({
  repos = '"*"',
  paths = '"**"',
  namespace = "shop",
  more = "",
}: {
  readonly repos?: string;
  readonly paths?: string;
  readonly namespace?: string;
  readonly more?: string;
} = {}): string => `sourceRepos: [${repos}], paths: [${paths}], destinations: [{ cluster: eu, namespace: ${namespace} }]${more}`;

const file = "applications: [{ name: web, path: web, cluster: eu, namespace: shop }]\n";

suite("what a project does not allow", () => {
  const open = planningAround();

  /** One team's application, planned and synced under these limits. */
  async function withTeam(limits = limitsOf()) {
    const planning = await open();
    const { platform, createRepository, commit, push, withRuns } = planning;
    const team = await createRepository();
    await commit(team, { "apps.yaml": file, "web/one.yaml": configMap("one") });
    const state = (text: string) => commit(platform, { "driftless.yaml": aPlatform({ a: [team] }, { limits: text }) });
    await state(limits);
    await push(platform);
    await withRuns("web");
    return { ...planning, team, restate: state };
  }

  test("is refused with the file that states it: nothing is fetched, rendered or started", async () => {
    const { team, commit, push, rendered, started, state } = await withTeam();
    await commit(team, { "apps.yaml": file.replace("namespace: shop", "namespace: kube-system") });
    const delivery = await push(team);
    assert.match(
      delivery?.reason ?? "",
      /apps\.yaml:1:\d+: .*project a does not allow the namespace kube-system of cluster eu: add it to its destinations/,
    );
    assert.deepEqual([rendered(), started(), (await state("web"))?.definition.namespace], [[], [], "shop"]);
  });

  test("is refused in what is rendered, before it is desired; what was desired stays, and is neither pruned nor healed", async () => {
    const { team, commit, push, started, state, sweep, withRuns } = await withTeam();
    const before = (await state("web"))?.desired;
    await commit(team, {
      "web/two.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: two, namespace: kube-system }\n",
      "web/role.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: all }\nrules: []\n",
    });
    assert.equal((await push(team))?.state, "failed");
    const refused = await state("web");
    assert.deepEqual(
      [refused?.planError.split("\n").toSorted(), refused?.refused, refused?.desired, started()],
      [
        [
          "ClusterRole all: project a does not allow ClusterRole of rbac.authorization.k8s.io: see its clusterResourceWhitelist",
          "ConfigMap kube-system/two: project a does not allow the namespace kube-system of cluster eu: add it to its destinations",
        ],
        true,
        before,
        [],
      ],
    );
    assert.deepEqual((await sweep()).restarted, []);

    await commit(team, { "web/two.yaml": null, "web/role.yaml": null, "web/three.yaml": configMap("three") });
    assert.deepEqual((await push(team))?.applications, ["web"]);
    const allowed = await state("web");
    assert.deepEqual([allowed?.planError, allowed?.refused], ["", undefined]);
    await withRuns("web");
  });

  test("is refused in what a render reads beside its own folder", async () => {
    const { team, commit, push, state } = await withTeam(limitsOf({ paths: "web" }));
    assert.equal((await state("web"))?.planError, "");
    await commit(team, {
      "web/one.yaml": null,
      "web/kustomization.yaml": "resources: [../base]\n",
      "base/kustomization.yaml": "resources: [one.yaml]\n",
      "base/one.yaml": configMap("one"),
    });
    await push(team);
    const planError = (await state("web"))?.planError ?? "";
    assert.match(planError, /^its render reads what it may not: project a does not allow the path base\/kustomization\.yaml/m);
    assert.doesNotMatch(planError, /path web/);
  });

  test("when the project changes keeps its objects; once it is allowed again it is planned without another push of its own", async () => {
    const { platform, restate, push, state, started, rendered, withRuns } = await withTeam();
    const before = (await state("web"))?.desired;
    await restate(limitsOf({ repos: '"https://git.example/*"' }));
    const delivery = await push(platform);
    assert.match(delivery?.reason ?? "", /project a does not allow the repository/);
    const refused = await state("web");
    assert.deepEqual([refused?.refused, refused?.removed, refused?.desired], [true, false, before]);
    assert.match(refused?.planError ?? "", /^project a does not allow the repository http.*: add it to its sourceRepos$/);
    assert.deepEqual([started(), rendered()], [[], []]);
    await withRuns();

    await restate(limitsOf());
    await push(platform);
    assert.deepEqual([(await state("web"))?.planError, (await state("web"))?.refused, started()], ["", undefined, []]);
    await restate(limitsOf({ more: ", namespaceResourceBlacklist: [{ kind: ConfigMap }]" }));
    await push(platform);
    assert.match((await state("web"))?.planError ?? "", /^ConfigMap shop\/one: project a does not allow ConfigMap/);
  });

  test("of an application of an unknown project is everything: it is neither fetched nor rendered, and keeps what it has", async () => {
    const { team, commit, push, stores, state, rendered, started } = await withTeam();
    const stored = await stores.configuration.load();
    assert.ok(stored);
    const { configuration } = stored;
    const applications = configuration.applications.map((application) => ({ ...application, project: "gone" }));
    await stores.configuration.save({ ...stored, configuration: { ...configuration, applications }, number: stored.number + 1 });
    await commit(team, { "web/two.yaml": configMap("two") });
    await push(team);
    const web = await state("web");
    assert.equal(
      web?.planError,
      'the configuration states no project gone: add it to "projects" of the platform\'s driftless.yaml',
    );
    assert.deepEqual([web?.refused, web?.removed, rendered(), started()], [true, false, [], []]);
  });

  test("is told with the first twenty refusals", async () => {
    const { team, commit, push, state } = await withTeam();
    const many = Array.from({ length: 25 }, (_, n) => `apiVersion: v1\nkind: Namespace\nmetadata: { name: n${n} }\n`).join(
      "---\n",
    );
    await commit(team, { "web/many.yaml": many });
    await push(team);
    const lines = ((await state("web"))?.planError ?? "").split("\n");
    assert.deepEqual([lines.length, lines.at(-1)], [21, "and 5 more"]);
  });
});
