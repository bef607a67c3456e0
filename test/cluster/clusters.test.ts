import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { createClusters } from "../../lib/cluster/clusters.ts";
import type { Cluster } from "../../lib/model/application.ts";
import { systemClock } from "../../lib/telemetry/clock.ts";
import { jsonLog } from "../../lib/telemetry/log.ts";
import { sharedControlPlane } from "../support/cluster.ts";

interface Opened {
  readonly definitions: Map<string, Cluster>;
  readonly events: () => readonly string[];
  readonly kubeconfigPath: string;
}

async function open(t: TestContext): Promise<Opened & { readonly clusters: ReturnType<typeof createClusters> }> {
  const folder = await mkdtemp(path.join(tmpdir(), "driftless-clusters-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const kubeconfigPath = path.join(folder, "config");
  await copyFile((await sharedControlPlane()).kubeconfig, kubeconfigPath);
  const definitions = new Map<string, Cluster>([["home", { name: "home", kind: "kubeconfig", labels: {}, context: "admin" }]]);
  const lines: string[] = [];
  const clusters = createClusters({
    find: async (name) => definitions.get(name),
    project: async () => undefined,
    kubeconfigPath,
    eksClient: () => assert.fail("no EKS here"),
    clock: systemClock,
    log: jsonLog({ write: (line) => lines.push(line) }),
  });
  t.after(() => clusters.close());
  const events = () => lines.map((line) => (JSON.parse(line) as { event: string }).event);
  return { clusters, definitions, events, kubeconfigPath };
}

const namespaceRef = { group: "", version: "v1", kind: "Namespace", namespace: "", name: "default" };

test("a cluster is opened once, and again when its definition changes", async (t) => {
  const { clusters, definitions, events } = await open(t);
  await Promise.all([clusters.reader("home"), clusters.writer("home"), clusters.reader("home")]);
  assert.deepEqual(events(), ["cluster.opened"]);
  definitions.set("home", { name: "home", kind: "kubeconfig", labels: {}, context: "limited" });
  const limited = await clusters.reader("home");
  assert.deepEqual(events(), ["cluster.opened", "cluster.opened"]);
  await assert.rejects(limited.get(namespaceRef), { code: "cluster", message: /cannot get resource "namespaces"/ });
});

test("each reader counts its own requests; discovery is shared", async (t) => {
  const { clusters } = await open(t);
  const first = await clusters.reader("home");
  await first.get(namespaceRef);
  const second = await clusters.reader("home");
  await second.get(namespaceRef);
  assert.deepEqual([first.requests, second.requests], [3, 1]);
});

test("a name that the configuration does not have is not found", async (t) => {
  const { clusters } = await open(t);
  await assert.rejects(clusters.reader("moon"), {
    code: "not-found",
    message:
      'The configuration has no cluster "moon": put its entry back into clusters of driftless.yaml until nothing is left of the applications there',
  });
});

test("a cluster that could not be opened is tried again by the next caller", async (t) => {
  const { clusters, kubeconfigPath } = await open(t);
  await writeFile(kubeconfigPath, "{}");
  await assert.rejects(clusters.reader("home"), { code: "cluster", message: /has no context "admin"; it has: none/ });
  await copyFile((await sharedControlPlane()).kubeconfig, kubeconfigPath);
  assert.equal((await (await clusters.reader("home")).get(namespaceRef))?.metadata.name, "default");
});

test("a cluster that became unreachable is opened anew, with the address that it has then", async (t) => {
  const { clusters, kubeconfigPath, events } = await open(t);
  const { kubeconfig, ca, tokens } = await sharedControlPlane();
  const gone = {
    clusters: [
      { name: "c", cluster: { server: "https://127.0.0.1:1", "certificate-authority-data": Buffer.from(ca).toString("base64") } },
    ],
    users: [{ name: "u", user: { token: tokens.admin } }],
    contexts: [{ name: "admin", context: { cluster: "c", user: "u" } }],
  };
  await writeFile(kubeconfigPath, JSON.stringify(gone));
  const before = await clusters.reader("home");
  await assert.rejects(before.get(namespaceRef), { code: "cluster", retryable: true, message: /127\.0\.0\.1:1/ });
  await copyFile(kubeconfig, kubeconfigPath);
  assert.equal((await (await clusters.reader("home")).get(namespaceRef))?.metadata.name, "default");
  assert.deepEqual(events(), ["cluster.opened", "cluster.opened"]);
});

test("I2 a cluster that did not answer gets one try a request, until it answers again", async (t) => {
  const { clusters, kubeconfigPath } = await open(t);
  const { kubeconfig, ca, tokens } = await sharedControlPlane();
  const gone = {
    clusters: [
      { name: "c", cluster: { server: "https://127.0.0.1:1", "certificate-authority-data": Buffer.from(ca).toString("base64") } },
    ],
    users: [{ name: "u", user: { token: tokens.admin } }],
    contexts: [{ name: "admin", context: { cluster: "c", user: "u" } }],
  };
  await writeFile(kubeconfigPath, JSON.stringify(gone));
  const tries = async () => {
    const reader = await clusters.reader("home");
    await assert.rejects(reader.get(namespaceRef), { code: "cluster", retryable: true });
    return reader.requests;
  };
  const [first, second] = [await tries(), await tries()];
  assert.ok(first > 4, `${first}: four tries of one of the two documents of discovery, and some of the other`);
  assert.ok(second <= 2, `${second}: one of each`);
  await copyFile(kubeconfig, kubeconfigPath);
  assert.equal((await (await clusters.reader("home")).get(namespaceRef))?.metadata.name, "default");
});

test("a caller's abort ends its wait for a cluster that is being opened", async (t) => {
  const { clusters } = await open(t);
  await assert.rejects(clusters.reader("home", { signal: AbortSignal.abort(new Error("deadline")) }), {
    code: "cluster",
    retryable: true,
  });
  assert.equal((await (await clusters.reader("home")).get(namespaceRef))?.metadata.name, "default");
});
