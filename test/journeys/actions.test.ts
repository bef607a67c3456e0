import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Manifest } from "../../lib/model/resource.ts";
import { type Ended, runDriftless } from "../cli/run.ts";
import { type ControlPlane, startControlPlane } from "../control-plane/control-plane.ts";
import { eventually, type Journey, startJourney } from "../support/journey.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { filesOf, plainConfiguration } from "../support/single-files.ts";

type Driftless = (...args: readonly string[]) => Promise<Ended>;

function commandsOf(journey: Journey): Driftless {
  return (...args) => runDriftless(args, { environment: { DRIFTLESS_API: `${journey.installation.url}/api` } });
}

/** Waits until the head of main was planned, whatever came of it. */
function planned(journey: Journey, commit: string): Promise<true> {
  return eventually("the push is planned", async () => {
    return (await journey.installation.stores.heads.get(journey.repository, "main")) === commit;
  });
}

describe("a rollback by hand, with automated sync on", () => {
  const name = "act-back";
  let journey: Journey;
  let driftless: Driftless;
  let [first, second] = ["", ""];

  const push = (tag: string): Promise<string> =>
    journey.push(
      filesOf(name, [aDeployment("", "web", { image: `registry.example/web:${tag}` }), aConfigMap("", "settings", { tag })]),
    );
  const live = async (): Promise<readonly string[]> => [
    await journey.field(["deployment", name, "web"], ".spec.template.spec.containers[0].image"),
    await journey.field(["configmap", name, "settings"], ".data.tag"),
  ];

  before(async () => {
    journey = await startJourney();
    driftless = commandsOf(journey);
    first = await journey.push({
      "driftless.yaml": plainConfiguration({ [name]: "sync: { createNamespace: true, timeout: 120s }" }),
      ...filesOf(name, [aDeployment("", "web", { image: "registry.example/web:1" }), aConfigMap("", "settings", { tag: "1" })]),
    });
    assert.equal((await journey.synced(name, first)).phase, "Succeeded");
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", name);
    await journey.close();
  });

  test("brings the old state back at once, while the broken rollout is still waited for", async () => {
    const bad = await push("broken-2");
    await eventually("the broken state is applied", async () => (await live())[0] === "registry.example/web:broken-2");
    const { status, stdout, stderr } = await driftless("rollback", name, "--reason", "it never starts");
    assert.deepEqual([status, stdout], [0, `${name} ${first.slice(0, 7)}: Succeeded, Healthy\n`], stderr);
    assert.deepEqual(await live(), ["registry.example/web:1", "1"]);
    const state = await journey.state(name);
    assert.deepEqual([state?.desired?.revision, state?.rejected?.revision, state?.rejected?.by], [first, bad, "local"]);
    const [newest] = await journey.syncs(name);
    assert.deepEqual([newest?.trigger, newest?.phase, newest?.revision], ["rollback", "Succeeded", first]);
    const shown = (await driftless("status")).stdout;
    assert.match(shown, new RegExp(`RolledBack from ${bad.slice(0, 7)} by local: it never starts$`, "m"));
  });

  test("stays: no sweep brings the bad commit again, and no push that leaves the application as it is", async () => {
    const runs = (await journey.syncs(name)).length;
    const commit = await journey.push({ "README.md": "another file\n" });
    await planned(journey, commit);
    const { reports, restarted } = await journey.sweep();
    assert.deepEqual([reports.map(({ errors, healing }) => [errors, healing]), restarted], [[[[], []]], []]);
    assert.deepEqual([(await journey.syncs(name)).length, await live()], [runs, ["registry.example/web:1", "1"]]);
  });

  test("the next commit that changes the application is live", async () => {
    second = await push("2");
    assert.equal((await journey.synced(name, second)).phase, "Succeeded");
    assert.deepEqual(await live(), ["registry.example/web:2", "2"]);
    assert.equal((await journey.state(name))?.rejected, undefined);
  });

  test("works by the commit's first digits, and while the Git server is away", async () => {
    const third = await push("3");
    assert.equal((await journey.synced(name, third)).phase, "Succeeded");
    await journey.stopGit();
    const unknown = await driftless("rollback", name, "0000000");
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, new RegExp(`one can go back to: ${second} \\(.*\\), ${first} \\(`));
    const { status, stdout, stderr } = await driftless("rollback", name, first.slice(0, 7));
    assert.deepEqual([status, stdout], [0, `${name} ${first.slice(0, 7)}: Succeeded, Healthy\n`], stderr);
    assert.deepEqual(await live(), ["registry.example/web:1", "1"]);
    await journey.sweep();
    assert.deepEqual(await live(), ["registry.example/web:1", "1"]);
  });
});

describe("leave, given by hand", () => {
  const [approved, manual, paused] = ["act-approve", "act-manual", "act-pause"];
  const names = [approved, manual, paused];
  let journey: Journey;
  let driftless: Driftless;

  const objects = (count: number, tag: string): readonly Manifest[] =>
    Array.from({ length: count }, (_, at) => aConfigMap("", `settings-${at}`, { tag }));
  const tagOf = (name: string): Promise<string> => journey.field(["configmap", name, "settings-0"], ".data.tag");
  const pendingOf = (name: string, commit: string) =>
    eventually(`${name} waits at ${commit.slice(0, 7)}`, async () => {
      const state = await journey.state(name);
      return state?.pending?.revision === commit ? state : undefined;
    });
  const hashOf = async (name: string): Promise<string> => {
    const { status, stdout, stderr } = await driftless("plan", name, "--output", "json");
    assert.equal(status, 0, stderr);
    return (JSON.parse(stdout) as { readonly hash: string }).hash;
  };

  before(async () => {
    journey = await startJourney();
    driftless = commandsOf(journey);
    const commit = await journey.push({
      "driftless.yaml": plainConfiguration({
        [approved]: "sync: { createNamespace: true, mode: approve }",
        [manual]: "sync: { createNamespace: true, mode: manual }",
        [paused]: "sync: { createNamespace: true }",
      }),
      ...filesOf(approved, objects(30, "1")),
      ...filesOf(manual, objects(1, "1")),
      ...filesOf(paused, objects(1, "1")),
    });
    assert.equal((await journey.synced(paused, commit)).phase, "Succeeded");
    await pendingOf(approved, commit);
    await pendingOf(manual, commit);
  });
  after(async () => {
    await journey.kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", ...names);
    await journey.close();
  });

  test("in mode manual a state waits until somebody syncs it", async () => {
    assert.equal(await tagOf(manual), "");
    const { status, stderr } = await driftless("sync", manual);
    assert.equal(status, 0, stderr);
    assert.equal(await tagOf(manual), "1");
  });

  test("in mode approve a state waits for the hash of its plan; another hash is refused", async () => {
    const refused = await driftless("sync", approved);
    assert.deepEqual([refused.status, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /waits for approval: driftless plan act-approve, then driftless approve act-approve HASH/);
    const hash = await hashOf(approved);
    assert.match((await driftless("approve", approved, "0123456789abcdef")).stderr, /the plan changed since: look again with/);
    const { status, stderr } = await driftless("approve", approved, hash);
    assert.equal(status, 0, stderr);
    assert.equal(await tagOf(approved), "1");
  });

  test("an approval lets more be deleted than the budget allows, and just what the plan showed", async () => {
    const gone = Object.fromEntries(Object.keys(filesOf(approved, objects(30, "1"))).map((file) => [file, null]));
    const commit = await journey.push({ ...gone, ...filesOf(approved, objects(2, "2")) });
    await pendingOf(approved, commit);
    const { status, stderr } = await driftless("approve", approved, await hashOf(approved));
    assert.equal(status, 0, stderr);
    const [newest] = await journey.syncs(approved);
    assert.deepEqual([newest?.trigger, newest?.phase, newest?.counts.pruned], ["approved", "Succeeded", 28]);
  });

  test("while it is suspended a push waits; resume syncs it", async () => {
    assert.equal((await driftless("suspend", paused, "--reason", "the migration", "--for", "1h")).status, 0);
    const commit = await journey.push(filesOf(paused, objects(1, "2")));
    const { pending } = await pendingOf(paused, commit);
    assert.match(pending?.reason ?? "", /suspended by local until .*: the migration/);
    assert.equal(await tagOf(paused), "1");
    const { status, stderr } = await driftless("resume", paused);
    assert.equal(status, 0, stderr);
    assert.equal(await tagOf(paused), "2");
  });
});

describe("a cluster that was lost", () => {
  const [base, shop] = ["act-base", "act-shop"];
  let folder: string;
  let journey: Journey;
  const planes: ControlPlane[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "driftless-lost-"));
    planes.push(await startControlPlane(), await startControlPlane());
  });
  after(async () => {
    await journey?.close();
    for (const plane of planes) await plane.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("is brought back by one command into a new, empty one of its name, what others depend on first", async (context) => {
    const [lost, empty] = planes as [ControlPlane, ControlPlane];
    if (lost.folder === undefined) return context.skip("the given cluster cannot be replaced");
    const kubeconfig = join(folder, "kubeconfig");
    const installationKubeconfig = join(folder, "installation.kubeconfig");
    const lead = async (plane: ControlPlane): Promise<void> => {
      await copyFile(plane.kubeconfig, kubeconfig);
      await copyFile(plane.installationKubeconfig, installationKubeconfig);
    };
    await lead(lost);
    journey = await startJourney({ controlPlane: { ...lost, kubeconfig, installationKubeconfig, kubectl: empty.kubectl } });
    const objects = (name: string): Record<string, string> => filesOf(name, [aDeployment("", "web"), aConfigMap("", "settings")]);
    const commit = await journey.push({
      "driftless.yaml": plainConfiguration({
        [shop]: `sync: { createNamespace: true }, dependsOn: [${base}]`,
        [base]: "sync: { createNamespace: true }",
      }),
      ...objects(base),
      ...objects(shop),
    });
    for (const name of [base, shop]) assert.equal((await journey.synced(name, commit)).phase, "Succeeded");

    await lost.stop();
    await lead(empty);
    journey.installation.lambda.kill();
    const { status, stdout, stderr } = await commandsOf(journey)("rebuild", "local");
    assert.equal(status, 0, stderr);
    const lines = [base, shop].map((name) => `${name} ${commit.slice(0, 7)}: Succeeded, Healthy`);
    assert.deepEqual(stdout.trimEnd().split("\n"), lines);
    const [[ofBase], [ofShop]] = await Promise.all([journey.syncs(base), journey.syncs(shop)]);
    assert.deepEqual(
      [ofBase?.trigger, ofShop?.trigger, ofBase?.counts.created, ofShop?.counts.created],
      ["rebuild", "rebuild", 3, 3],
    );
    assert.ok((ofBase?.finishedAt ?? "") <= (ofShop?.startedAt ?? ""));
    for (const name of [base, shop]) assert.equal(await journey.field(["deployment", name, "web"], ".status.readyReplicas"), "1");
  });
});
