import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { callApi } from "../control-plane/api.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { sharedControlPlane } from "../support/cluster.ts";
import { configMap, deployment } from "../support/guestbook.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { type Line, startLine } from "../support/line.ts";

const names = ["c1", "c2", "c3", "c4", "c5"] as const;
const others = names.slice(0, 4);
const applicationOf = (cluster: string): string => `many-${cluster}`;

/** One application for each cluster, of the same folder. */
function configuration(): string {
  return stringify({
    clusters: names.map((name) => ({ name, context: name })),
    applications: names.map((cluster) => ({
      name: applicationOf(cluster),
      path: "app",
      cluster,
      namespace: "many",
      sync: { createNamespace: true, timeout: "60s" },
    })),
  });
}

/** One file for all: a context for each cluster. */
function kubeconfigOf(clusters: readonly { readonly name: string; readonly server: string; readonly plane: ControlPlane }[]) {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: clusters.map(({ name, server, plane }) => {
      const ca = Buffer.from(plane.ca).toString("base64");
      return { name, cluster: { server, "certificate-authority-data": ca } };
    }),
    users: clusters.map(({ name, plane }) => ({ name, user: { token: plane.tokens.admin } })),
    contexts: clusters.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    "current-context": "c1",
  });
}

describe("of five clusters one is down", () => {
  let folder: string;
  let planes: readonly ControlPlane[];
  let line: Line;
  let journey: Journey;
  const opened: ControlPlane[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "driftless-clusters-"));
    const shared = await sharedControlPlane();
    const start = async () => {
      const plane = await startControlPlane({ nodes: 1 });
      opened.push(plane);
      return plane;
    };
    planes = [shared, ...(await Promise.all([start(), start()])), ...(await Promise.all([start(), start()]))];
    line = await startLine(planes[4]!.server);
    const clusters = names.map((name, at) => ({ name, plane: planes[at]!, server: at === 4 ? line.server : planes[at]!.server }));
    const installationKubeconfig = path.join(folder, "kubeconfig");
    await writeFile(installationKubeconfig, kubeconfigOf(clusters), { mode: 0o600 });
    const { auditPort: _none, ...plane } = shared;
    journey = await startJourney({ controlPlane: { ...plane, installationKubeconfig } });
  });
  after(async () => {
    await journey?.close();
    await line?.close();
    await Promise.all(opened.map((plane) => plane.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  /** Version of the ConfigMap in a cluster, asked of the API server itself. */
  async function versionIn(cluster: string): Promise<string | undefined> {
    const plane = planes[names.indexOf(cluster as (typeof names)[number])]!;
    const { status, text } = await callApi({ ...plane, token: plane.tokens.admin }, "/api/v1/namespaces/many/configmaps/version");
    return status === 200 ? (JSON.parse(text) as { data: { version: string } }).data.version : undefined;
  }

  const version = (number: number): string => configMap("version", { version: String(number) });

  test("one push reaches all five, each by a run of its own", async () => {
    const commit = await journey.push({
      "driftless.yaml": configuration(),
      "app/version.yaml": version(1),
      "app/web.yaml": deployment("registry.example/web:1.0"),
    });
    for (const name of names) assert.equal((await journey.synced(applicationOf(name), commit)).phase, "Succeeded", name);
    assert.deepEqual(await Promise.all(names.map(versionIn)), ["1", "1", "1", "1", "1"]);
  });

  test("I2: four converge while the fifth, which swallows what it is asked, still keeps its own run waiting", async () => {
    line.swallow();
    const commit = await journey.push({ "app/version.yaml": version(2) });
    for (const name of others) assert.equal((await journey.synced(applicationOf(name), commit)).phase, "Succeeded", name);
    assert.deepEqual(await Promise.all(others.map(versionIn)), ["2", "2", "2", "2"]);
    const last = (await journey.state(applicationOf("c5")))?.lastSync;
    assert.equal(last?.finishedAt === "" || last?.revision !== commit, true, "the fifth has not given up yet");
  });

  test("the fifth is reported: its row says that it cannot be reached, its sweep too, and those of the others find nothing", async () => {
    line.cut();
    const failed = await eventually("the fifth's run gives up", async () => {
      const sync = (await journey.state(applicationOf("c5")))?.lastSync;
      return sync?.phase === "Failed" ? sync : undefined;
    });
    assert.equal(failed.unreachable, true);
    assert.match(failed.errors.join("\n"), /127\.0\.0\.1/);
    await journey.sweep();
    const { sweeps } = journey.installation.stores;
    const reports = await eventually("every cluster's sweep has ended", async () => {
      const rows = await Promise.all(names.map(async (name) => (await sweeps.list(name, { limit: 1 })).items[0]));
      return rows.every((row) => row !== undefined) ? rows : undefined;
    });
    assert.deepEqual(
      reports.map(({ cluster, drifted, errors }) => ({ cluster, drifted, failed: errors.length > 0 })),
      names.map((cluster) => ({ cluster, drifted: 0, failed: cluster === "c5" })),
    );
    assert.match(reports[4]?.errors[0] ?? "", /127\.0\.0\.1/);
  });

  test("drift in the others is healed meanwhile", async () => {
    const c1 = { ...planes[0]!, token: planes[0]!.tokens.admin };
    await callApi(c1, "/api/v1/namespaces/many/configmaps/version", { method: "DELETE" });
    await journey.sweep();
    await eventually("it is back", async () => (await versionIn("c1")) === "2");
  });

  test("once it is back, the next sweep brings it to the newest commit", async () => {
    line.restore();
    await eventually("the fifth has the newest commit", async () => {
      await journey.sweep();
      return (await versionIn("c5")) === "2";
    });
  });
});
