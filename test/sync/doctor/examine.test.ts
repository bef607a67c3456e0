import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { EKSClient } from "@aws-sdk/client-eks";
import { createTable, openTable, startTable } from "../../../cli/local/table.ts";
import { createClusters, type OpenClusters } from "../../../lib/cluster/clusters.ts";
import type { Cluster, Configuration } from "../../../lib/model/application.ts";
import type { Check } from "../../../lib/model/check.ts";
import { findProject, openProject } from "../../../lib/projects/find.ts";
import { parseGithubCredentials } from "../../../lib/source/github-credentials.ts";
import { createGithubInspector, type GithubInspector } from "../../../lib/source/github-inspection.ts";
import { createDynamoStores } from "../../../lib/store/dynamodb.ts";
import type { Stores } from "../../../lib/store/store.ts";
import type { TableClient } from "../../../lib/store/table-client.ts";
import { createApiDoctor } from "../../../lib/sync/api/api-doctor.ts";
import { createExamine } from "../../../lib/sync/doctor/examine.ts";
import { type Clock, systemClock } from "../../../lib/telemetry/clock.ts";
import { silentLog } from "../../../lib/telemetry/log.ts";
import { Secret } from "../../../lib/telemetry/secret.ts";
import { aDelivery, anApplication, anEntry, aState, aSweep } from "../../contracts/rows.ts";
import { sharedControlPlane, testNamespace } from "../../support/cluster.ts";
import { type GithubStandIn, startGithub } from "../../support/github.ts";

const cluster = (name: string, context: string): Cluster => ({ name, kind: "kubeconfig", context, labels: {} });
const webhook = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/webhook";

suite("what the functions find when they look at every link", () => {
  let root: string;
  let service: Awaited<ReturnType<typeof startTable>>;
  let client: TableClient;
  let clusters: OpenClusters;
  let stores: Stores;
  let namespace: string;
  let github: GithubStandIn;
  let configuration: Configuration;
  const key = (): Secret => new Secret(randomBytes(32).toString("base64"));

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "driftless-doctor-"));
    const { kubeconfig } = await sharedControlPlane();
    namespace = await testNamespace("doctor");
    github = await startGithub({ root });
    service = await startTable();
    client = openTable(service.endpoint);
    clusters = createClusters({
      find: async (name) => configuration.clusters.find((one) => one.name === name),
      project: async (name) => findProject(configuration, name),
      kubeconfigPath: kubeconfig,
      eksClient: (region) => new EKSClient({ region }),
      clock: systemClock,
      log: silentLog,
    });
  });
  after(async () => {
    clusters.close();
    client.close();
    await Promise.all([service.close(), github.close()]);
    await rm(root, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const table = `driftless-${randomUUID()}`;
    await createTable({ client, table });
    stores = createDynamoStores({ client, table, clock: systemClock, snapshotKey: key() });
    configuration = {
      clusters: [cluster("eu", "admin")],
      projects: [],
      applications: [anApplication({ namespace })],
      healthCheckExprs: [],
      remoteBases: [],
      repositories: [],
    };
  });

  /** An application that owns a ConfigMap and a Deployment in the namespace. */
  async function record(project = "default", state: Partial<Parameters<typeof aState>[0]> = {}): Promise<void> {
    const definition = anApplication({ project, namespace });
    const snapshot = await stores.snapshots.save([]);
    const desired = { generation: 1, revision: "6dcb09b", snapshot, plannedAt: "2025-03-01T11:00:00.000Z" };
    await stores.applications.put(aState({ definition, desired, ...state }));
    const refs = [
      { group: "", version: "v1", kind: "ConfigMap", namespace, name: "settings" },
      { group: "apps", version: "v1", kind: "Deployment", namespace, name: "shop" },
    ];
    const entries = refs.map((ref, index) => ({ ...anEntry(index), ref }));
    await stores.inventories.save({ application: "shop", cluster: "eu", entries }, { fence: 1 });
  }

  async function examined(given: { readonly clock?: Clock; readonly github?: GithubInspector } = {}) {
    await stores.configuration.save({ configuration, revision: "6dcb09b", oid: "o1", number: 1 });
    const examine = createExamine({ stores, clusters, configRepository: "", clock: systemClock, ...given });
    const checks = await examine({ webhook });
    return { checks, of: (name: string): Check | undefined => checks.find((check) => check.name === name) };
  }
  const inspector = (): GithubInspector => {
    const credentials = parseGithubCredentials(github.secret, "driftless/github");
    return createGithubInspector({
      apiUrl: github.apiUrl,
      credentials: { get: async () => credentials, refresh: async () => undefined },
      clock: systemClock,
    });
  };

  test("a cluster that is whole: reachable, known version, identity, time and rights", async () => {
    await record();
    const { checks, of } = await examined();
    assert.deepEqual(
      checks.map(({ name, status }) => [name, status]),
      [
        ["snapshot key", "ok"],
        ["github: rights", "ok"],
        ["cluster eu: reachable", "ok"],
        ["cluster eu: version", "ok"],
        ["cluster eu: identity", "ok"],
        ["cluster eu: clock", "ok"],
        ["cluster eu: rights of project default", "ok"],
      ],
    );
    assert.match(of("cluster eu: identity")?.message ?? "", /^the preview function comes as /);
    assert.equal(
      of("cluster eu: rights of project default")?.message,
      "the preview function has all 6 rights that were asked for",
    );
  });

  test("a cluster that is away fails alone, with what to do", async () => {
    await record();
    configuration = { ...configuration, clusters: [cluster("eu", "admin"), cluster("us", "nowhere")] };
    const { of } = await examined();
    assert.equal(of("cluster us: reachable")?.status, "fail");
    assert.match(of("cluster us: reachable")?.message ?? "", /nowhere/);
    assert.match(of("cluster us: reachable")?.advice ?? "", /correct the context nowhere/);
    assert.equal(of("cluster eu: rights of project default")?.status, "ok");
  });

  test("rights that are missing are named by verb, kind and namespace", async () => {
    await record();
    configuration = { ...configuration, clusters: [cluster("eu", "limited")] };
    const { of } = await examined();
    const rights = of("cluster eu: rights of project default");
    assert.equal(rights?.status, "warn");
    assert.equal(
      rights?.message,
      `the preview function may not get ConfigMap in ${namespace}, create ConfigMap in ${namespace}, patch ConfigMap in ${namespace}, ` +
        `get apps/Deployment in ${namespace}, create apps/Deployment in ${namespace} and 1 more: driftless plan fails`,
    );
    assert.match(rights?.advice ?? "", /infra\/rbac/);
    assert.equal(of("cluster eu: clock")?.status, "skipped");
  });

  test("a project's own identity without rights fails: its syncs come as just that one", async () => {
    await record("team");
    const team = { ...openProject, name: "team", identity: "impersonate" as const };
    configuration = { ...configuration, projects: [team], applications: [anApplication({ project: "team", namespace })] };
    const { of } = await examined();
    const rights = of("cluster eu: rights of project team");
    assert.equal(rights?.status, "fail");
    assert.match(rights?.message ?? "", /^the project's own identity may not get ConfigMap in /);
  });

  test("a clock of the cluster that is off is told", async () => {
    await record();
    const clock = { now: () => new Date(systemClock.now().getTime() + 10 * 60_000) };
    const check = (await examined({ clock })).of("cluster eu: clock");
    assert.equal(check?.status, "fail");
    assert.match(check?.message ?? "", /^it is (59\d|60\d) s behind the function's$/);
  });

  test("a snapshot that another key sealed, or that is gone, fails", async () => {
    await record();
    const [state] = await stores.applications.list();
    const desired = { ...state?.desired, snapshot: "0".repeat(64) } as NonNullable<typeof state>["desired"];
    await stores.applications.put(aState({ ...state, version: (state?.version ?? 0) + 1, ...(desired && { desired }) }));
    const check = (await examined()).of("snapshot key");
    assert.equal(check?.status, "fail");
    assert.match(check?.advice ?? "", /empty commit/);
  });

  test("before the first push there is nothing to look at, and that is said", async () => {
    const examine = createExamine({ stores, clusters, configRepository: "", clock: systemClock });
    const checks = await examine({ webhook: "" });
    assert.deepEqual(
      checks.map(({ name, status }) => [name, status]),
      [
        ["snapshot key", "skipped"],
        ["github: rights", "ok"],
        ["clusters", "warn"],
      ],
    );
  });

  suite("GitHub", () => {
    const repository = (): string => `${github.server.url}/acme/shop.git`;
    beforeEach(async () => {
      if (github.idOf("acme/shop") === undefined) await github.createRepository("acme/shop");
      github.install("acme");
      Object.assign(github.page, { permissions: { contents: "read", checks: "write", metadata: "read" }, events: ["push"] });
      github.page.hook.url = webhook;
      const sources = [{ kind: "git" as const, repository: repository(), targetRevision: "main", path: "." }];
      configuration = { ...configuration, clusters: [], applications: [anApplication({ sources })] };
    });
    const place = (): string =>
      `github: ${repository()
        .replace(/^http:\/\//, "")
        .replace(/\.git$/, "")}`;

    test("an App that can read, and whose pushes come here", async () => {
      const { checks } = await examined({ github: inspector() });
      assert.deepEqual(
        checks.slice(1).map(({ name, status }) => [name, status]),
        [
          ["github: rights", "ok"],
          ["github: webhook of the App", "ok"],
          [place(), "ok"],
        ],
      );
    });

    const broken: readonly (readonly [title: string, name: () => string, status: string, says: RegExp, breaks: () => void])[] = [
      [
        "no right to read",
        () => "github: rights",
        "fail",
        /may not read contents.*Contents: Read-only/,
        () => void (github.page.permissions = { metadata: "read" }),
      ],
      [
        "more rights than it needs",
        () => "github: rights",
        "warn",
        /may more than it needs: administration: write/,
        () => void (github.page.permissions = { contents: "read", administration: "write" }),
      ],
      [
        "a webhook that goes elsewhere",
        () => "github: webhook of the App",
        "fail",
        /it goes to https:\/\/old\.example/,
        () => void (github.page.hook.url = "https://old.example/webhook"),
      ],
      [
        "no pushes",
        () => "github: webhook of the App",
        "fail",
        /does not subscribe to pushes/,
        () => void (github.page.events = []),
      ],
      [
        "no webhook",
        () => "github: webhook of the App",
        "skipped",
        /webhooks of the repositories/,
        () => void (github.page.hook.url = ""),
      ],
      [
        "a repository that it is not installed for",
        place,
        "fail",
        /not installed for it.*Install App/,
        () => github.uninstall("acme"),
      ],
      ["an installation that is suspended", place, "fail", /suspended since 2026-01-01.*unsuspend/, () => github.suspend("acme")],
      [
        "rights that were not accepted",
        place,
        "fail",
        /has not granted to read contents/,
        () => github.install("acme", { permissions: { metadata: "read" } }),
      ],
    ];
    for (const [title, name, status, says, breaks] of broken) {
      test(`${title}: ${status}`, async () => {
        breaks();
        const check = (await examined({ github: inspector() })).of(name());
        assert.equal(check?.status, status);
        assert.match(`${check?.message} ${check?.advice}`, says);
      });
    }

    test("a key that GitHub does not know fails, and is not printed", async () => {
      const old = github.secret;
      const inspect = inspector();
      github.replaceKey();
      const { of, checks } = await examined({ github: inspect });
      assert.equal(of("github: rights")?.status, "fail");
      assert.ok(!JSON.stringify(checks).includes(old.slice(80, 160)));
    });
  });

  suite("what the table tells", () => {
    const now = new Date("2025-03-01T12:10:00.000Z");
    const told = async (): Promise<(name: string) => Check | undefined> => {
      const doctor = createApiDoctor({ stores, clock: { now: () => now }, sweepInterval: 300 });
      const { items } = await doctor({ method: "GET", path: "/doctor", query: {} }, {});
      return (name) => items.find((check) => check.name === name);
    };
    beforeEach(async () => {
      const table = `driftless-${randomUUID()}`;
      await createTable({ client, table });
      stores = createDynamoStores({ client, table, clock: { now: () => now }, snapshotKey: key() });
      await stores.configuration.save({ configuration, revision: "6dcb09b", oid: "o1", number: 1 });
    });

    test("a fresh sweep, a delivery that was planned, a good file", async () => {
      await stores.sweeps.put(aSweep({ cluster: "eu", startedAt: "2025-03-01T12:07:00.000Z", errors: [] }));
      await stores.deliveries.receive(aDelivery({ state: "planned" }));
      const of = await told();
      for (const name of ["configuration", "webhook: last delivery", "sweep of eu"]) assert.equal(of(name)?.status, "ok", name);
    });

    test("a late sweep fails, one with errors fails, none is a warning", async () => {
      assert.equal((await told())("sweep of eu")?.status, "warn");
      await stores.sweeps.put(aSweep({ id: "s1", cluster: "eu", startedAt: "2025-03-01T11:50:00.000Z", errors: [] }));
      assert.match((await told())("sweep of eu")?.message ?? "", /the last one began 20 minutes ago/);
      await stores.sweeps.put(aSweep({ id: "s2", cluster: "eu", startedAt: "2025-03-01T12:09:00.000Z", errors: ["forbidden"] }));
      const check = (await told())("sweep of eu");
      assert.deepEqual([check?.status, check?.message], ["fail", "forbidden"]);
    });

    test("no delivery, and one that failed, are warnings", async () => {
      assert.match((await told())("webhook: last delivery")?.message ?? "", /none within seven days/);
      await stores.deliveries.receive(aDelivery({ id: "d1" }));
      await stores.deliveries.update("d1", { state: "failed", reason: "the repository is gone" });
      const check = (await told())("webhook: last delivery");
      assert.equal(check?.status, "warn");
      assert.match(check?.message ?? "", /the repository is gone/);
    });

    test("a file with a mistake fails, in its own words", async () => {
      await stores.configuration.saveProblem("driftless.yaml:3:1: unknown key");
      const check = (await told())("configuration");
      assert.deepEqual([check?.status, check?.message], ["fail", "driftless.yaml:3:1: unknown key"]);
    });

    test("a function that does not answer is one link among the others", async () => {
      const examine = () => Promise.reject(new Error("it took too long"));
      const doctor = createApiDoctor({ stores, examine, clock: { now: () => now }, sweepInterval: 300 });
      const { items } = await doctor({ method: "GET", path: "/doctor", query: {} }, {});
      assert.equal(items.find(({ name }) => name === "preview function")?.status, "fail");
      assert.ok(items.length > 3);
      await assert.rejects(
        doctor({ method: "GET", path: "/doctor", query: { webhook: "javascript:1" } }, {}),
        /webhook must be a URL/,
      );
    });
  });
});
