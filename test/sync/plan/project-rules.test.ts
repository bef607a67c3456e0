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

  test("is not shown by an error of the render that would have read it", async () => {
    const { team, commit, push, state } = await withTeam(limitsOf({ paths: "web" }));
    const chart = {
      "web/one.yaml": null,
      "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
      "web/templates/one.yaml": "{{ fail (toYaml .Values) }}\n",
      "theirs/values.yaml": "password: correct-horse\n",
      "apps.yaml": `applications:
  - name: web
    cluster: eu
    namespace: shop
    sources:
      - { path: web, ref: own, helm: { valueFiles: [$own/theirs/values.yaml] } }
`,
    };
    await commit(team, chart);
    const told = JSON.stringify([await push(team), await state("web")]);
    assert.match(told, /its render reads what it may not: project a does not allow the path theirs\/values\.yaml/);
    assert.doesNotMatch(told, /correct-horse/);
    assert.equal((await state("web"))?.refused, true);
    await commit(team, {
      ...chart,
      "apps.yaml": file,
      "web/Chart.yaml": null,
      "web/templates/one.yaml": null,
      "web/kustomization.yaml": "resources: [../theirs/values.yaml]\n",
    });
    const again = JSON.stringify([await push(team), await state("web")]);
    assert.match(again, /its render reads what it may not: project a does not allow the path theirs\/values\.yaml/);
    assert.doesNotMatch(again, /correct-horse/);
  });

  test("by the writes of a run alone is synced again once the project is wider, without a push of its own", async () => {
    const { platform, team, restate, commit, push, state, started, withRuns, changeState } = await withTeam();
    const fail = () =>
      changeState("web", ({ lastSync, ...known }) => ({
        ...known,
        ...(lastSync === undefined ? {} : { lastSync: { ...lastSync, phase: "Failed", errors: ["refused"], retryable: false } }),
      }));
    const wider = aPlatform({ a: [team] }, { limits: limitsOf({ more: ', clusterResourceWhitelist: [{ kind: "*" }]' }) });
    for (const text of [wider, wider.replace("identity: installation", "identity: impersonate")]) {
      await fail();
      const generation = (await state("web"))?.desired?.generation ?? 0;
      await commit(platform, { "driftless.yaml": text });
      const delivery = await push(platform);
      assert.equal(delivery?.state, "planned", delivery?.reason);
      assert.deepEqual([started(), (await state("web"))?.desired?.generation], [["eu: web"], generation + 1]);
      await withRuns("web");
    }
    await restate(limitsOf());
    await push(platform);
    assert.deepEqual(started(), []);
  });

  test("has no branch looked at, which would be asked for with Driftless' credentials", async () => {
    const { platform, team, createRepository, commit, push, restate, sweep, stores, state } = await withTeam();
    const code = await createRepository();
    await commit(code, { "web/one.yaml": configMap("one") });
    await commit(team, { "apps.yaml": file.replace("path: web", `path: web, repository: "${code.url}"`) });
    await push(team);
    const planned = await stores.heads.get(code.url, "main");
    assert.match(planned ?? "", /^[0-9a-f]{40}$/);
    await restate(limitsOf({ repos: JSON.stringify(team.url) }));
    await push(platform);
    assert.equal((await state("web"))?.refused, true);
    await commit(code, { "web/two.yaml": configMap("two") });
    assert.deepEqual((await sweep()).movedHeads, []);
    assert.match((await push(code))?.reason ?? "", /no application uses main of/);
    await restate(limitsOf());
    await push(platform);
    assert.deepEqual([(await state("web"))?.refused, (await sweep()).movedHeads], [undefined, []]);
    assert.notEqual(await stores.heads.get(code.url, "main"), planned);
  });

  test("is not synced when what it waits for comes", async () => {
    const { sweep, started, state, changeState } = await withTeam();
    const pending = { revision: "ddd", snapshot: "s", plannedAt: "", reason: "outside of its sync windows" };
    await changeState("web", (known) => ({ ...known, pending, refused: true, planError: "no" }));
    assert.deepEqual([(await sweep()).released, started()], [[], []]);
    assert.equal((await state("web"))?.pending?.reason, "project a does not allow it");
  });

  test("of a namespace that createNamespace makes is told with what to add", async () => {
    const { team, commit, push, state } = await withTeam();
    await commit(team, { "apps.yaml": file.replace("namespace: shop", "namespace: shop, sync: { createNamespace: true }") });
    await push(team);
    assert.equal(
      (await state("web"))?.planError,
      'Namespace shop: project a does not allow Namespace: see its clusterResourceWhitelist; `createNamespace: true` needs { group: "", kind: Namespace } there',
    );
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
