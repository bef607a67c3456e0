import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { explainFailure, readHealth } from "../../lib/apply/read-health.ts";
import type { Answer } from "../../lib/cluster/classify.ts";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import type { HttpRequest } from "../../lib/cluster/exchange.ts";
import { createAssessor } from "../../lib/health/health.ts";
import { type Manifest, refOf } from "../../lib/model/resource.ts";
import { openCluster } from "../cluster/open.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";

type Fault = (request: HttpRequest) => Answer | undefined;

async function failing(t: TestContext, make: (namespace: string) => readonly Manifest[], fault: Fault = () => undefined) {
  const cluster = await openCluster(t, { fault });
  const namespace = await testNamespace("explain");
  const objects = make(namespace);
  for (const object of objects) await cluster.apply(object, { force: true });
  const refs = objects.map(refOf);
  await until(async () => (await statusOf(cluster, refs)) === "Degraded", { what: "Degraded" });
  return { cluster, namespace, refs, explain: () => explainFailure({ reader: cluster, refs }) };
}

async function statusOf(reader: ClusterWriter, refs: ReturnType<typeof refOf>[]) {
  return (await readHealth({ reader, owned: [{ application: "a", refs }] })).get("a")?.health.status;
}

/** Polls until a line is told: events come a moment after the status that they go with. */
function told(explain: () => Promise<readonly string[]>, line: RegExp): Promise<readonly string[]> {
  return until(
    async () => {
      const lines = await explain();
      return lines.some((each) => line.test(each)) ? lines : undefined;
    },
    { what: String(line) },
  );
}

const aJob = (namespace: string, name: string): Manifest => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { namespace, name },
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: "Never", containers: [{ name: "migrate", image: "registry.example/job:failing" }] } },
  },
});

const isLog = ({ path }: HttpRequest): boolean => path.includes("/log?");

test("a rollout that fails is told with its pod's reason and the pod's last warnings; what is well is not", async (t) => {
  const { explain, namespace } = await failing(t, (at) => [
    aConfigMap(at, "settings"),
    aDeployment(at, "good"),
    aDeployment(at, "web", { image: "registry.example/web:broken" }),
  ]);
  const lines = await until(
    async () => {
      const now = await explain();
      return now.length === 2 ? now : undefined;
    },
    { what: "the failing Deployment and its event alone" },
  );
  assert.match(lines[0] ?? "", new RegExp(`^Deployment ${namespace}/web: pod web-.*: container web: ImagePullBackOff`));
  assert.match(lines[1] ?? "", /^Failed of Pod web-\S+: Failed to pull the image \(simulated\)$/);
});

test("pods that are refused are told with what their ReplicaSet says", async (t) => {
  const { explain } = await failing(t, (at) => [
    { apiVersion: "v1", kind: "ResourceQuota", metadata: { namespace: at, name: "none" }, spec: { hard: { pods: "0" } } },
    aDeployment(at, "web"),
  ]);
  const lines = await told(explain, /^\d+ x FailedCreate of ReplicaSet web-\S+: .*exceeded quota: none/);
  assert.equal(lines.filter((line) => line.includes("FailedCreate of ReplicaSet")).length, 1);
});

test("a failing container's last ten lines are told, without credentials and control characters, and not at any length", async (t) => {
  const asked: string[] = [];
  const log = [
    ...Array.from({ length: 8 }, (_, index) => `line ${index}`),
    "",
    `\u001b[31mcannot log in to https://admin:hunter2@db.example/shop\u001b[0m`,
    "x".repeat(5000),
    "bye",
  ].join("\n");
  const { explain, namespace } = await failing(
    t,
    (at) => [aJob(at, "migrate")],
    (request) => {
      if (!isLog(request)) return undefined;
      asked.push(request.path);
      return { status: 200, contentType: "text/plain", body: log };
    },
  );
  const lines = await told(explain, /^last lines of container migrate of pod migrate-\S+:$/);
  assert.match(lines[0] ?? "", new RegExp(`^Job ${namespace}/migrate: .*BackoffLimitExceeded`));
  const start = lines.findIndex((line) => line.startsWith("last lines"));
  assert.deepEqual(lines.slice(start + 1), [
    "  line 1",
    "  line 2",
    "  line 3",
    "  line 4",
    "  line 5",
    "  line 6",
    "  line 7",
    "  [31mcannot log in to https://[secret]@db.example/shop[0m",
    `  ${"x".repeat(297)}…`,
    "  bye",
  ]);
  assert.match(asked[0] ?? "", /container=migrate&previous=false&tailLines=10/);
});

test("a log that no node serves, and events that may not be read, are left out", async (t) => {
  const { explain, namespace } = await failing(
    t,
    (at) => [aJob(at, "migrate")],
    ({ path }) =>
      path.includes("/events?")
        ? { status: 403, contentType: "application/json", body: '{"kind":"Status","reason":"Forbidden","message":"no"}' }
        : undefined,
  );
  const lines = await explain();
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", new RegExp(`^Job ${namespace}/migrate: `));
});

test("nothing is told of an application that is well, nor by one who may read nothing", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("explain");
  const refs = [refOf(await cluster.apply(aConfigMap(namespace, "a"), { force: true }))];
  assert.deepEqual(await explainFailure({ reader: cluster, refs }), []);
  const limited = await openCluster(t, { user: "limited" });
  const deployment = refOf(await cluster.apply(aDeployment(namespace, "web"), { force: true }));
  assert.deepEqual(await explainFailure({ reader: limited, refs: [deployment] }), []);
});

test("an object that only the user's expression finds failed is told with its own reason", async (t) => {
  const cluster = await openCluster(t);
  const namespace = await testNamespace("explain");
  const refs = [refOf(await cluster.apply(aConfigMap(namespace, "flag", { state: "broken" }), { force: true }))];
  const assess = createAssessor([{ apiVersion: "v1", kind: "ConfigMap", failed: 'data.state == "broken"', current: "true" }]);
  const owned = [{ application: "a", refs }];
  assert.equal((await readHealth({ reader: cluster, owned, assess })).get("a")?.health.status, "Degraded");
  assert.equal((await readHealth({ reader: cluster, owned })).get("a")?.health.status, "Healthy");
  const lines = await explainFailure({ reader: cluster, refs, assess });
  assert.match(lines[0] ?? "", new RegExp(`^ConfigMap ${namespace}/flag: .+`));
});
