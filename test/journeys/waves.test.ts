import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Manifest } from "../../lib/model/resource.ts";
import { eventually, type Journey, type LogEvent, startJourney } from "../support/journey.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { filesOf, plainConfiguration } from "../support/single-files.ts";

const wave = (number: number) => ({ "argocd.argoproj.io/sync-wave": String(number) });
const hook = (phase: string, policy?: string) => ({
  "argocd.argoproj.io/hook": phase,
  ...(policy === undefined ? {} : { "argocd.argoproj.io/hook-delete-policy": policy }),
});

const annotated = (object: Manifest, annotations: Readonly<Record<string, string>>): Manifest => ({
  ...object,
  metadata: { ...object.metadata, annotations },
});

/** Its pod runs to a good end at once; one whose image tag begins with "broken" never starts. */
function aJob(name: string, { tag = "1", seconds }: { readonly tag?: string; readonly seconds?: number } = {}): Manifest {
  const containers = [{ name: "work", image: `registry.example/work:${tag}` }];
  const template = { spec: { restartPolicy: "Never", containers } };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: { template, backoffLimit: 0, ...(seconds === undefined ? {} : { activeDeadlineSeconds: seconds }) },
  };
}

const web = (tag: string): Manifest => annotated(aDeployment("", "web", { image: `registry.example/web:${tag}` }), wave(0));

describe("waves and hooks", () => {
  const name = "waves";
  let journey: Journey;
  let seen = 0;

  const events = (...wanted: readonly string[]): readonly LogEvent[] =>
    journey.events.slice(seen).filter(({ event, application }) => application === name && wanted.includes(event));
  /** What was applied and started since the last push, in order. */
  const done = (): readonly string[] =>
    events("sync.created", "sync.configured", "sync.hook", "sync.pruned").map(({ ref }) => String(ref).replace(`${name}/`, ""));
  const push = (objects: readonly Manifest[], others: Readonly<Record<string, null>> = {}): Promise<string> => {
    seen = journey.events.length;
    return journey.push({ ...filesOf(name, objects), ...others });
  };
  const jobUid = (job: string): Promise<string> => journey.field(["job", name, job], ".metadata.uid");

  before(async () => {
    journey = await startJourney();
    await journey.push({
      "driftless.yaml": plainConfiguration({ [name]: "sync: { createNamespace: true, timeout: 4s, hookTimeout: 20s }" }),
    });
  });
  after(() => journey.close());

  test("run in their order, each once the one before is healthy and its hooks are done; definitions and namespaces come first", async () => {
    const commit = await push([
      annotated(aJob("migrate"), hook("PreSync")),
      annotated(aConfigMap("", "early"), wave(-1)),
      web("1"),
      annotated(aJob("between"), { ...hook("Sync"), ...wave(0) }),
      annotated(aConfigMap("", "late"), wave(1)),
      annotated(aJob("smoke"), hook("PostSync", "HookSucceeded")),
    ]);
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.errors], ["Succeeded", []]);
    assert.deepEqual(done(), [
      `Namespace ${name}`,
      "Job migrate",
      "ConfigMap early",
      "Deployment web",
      "Job between",
      "ConfigMap late",
      "Job smoke",
    ]);
    assert.equal((await journey.state(name))?.health.status, "Healthy");
  });

  test("a hook is deleted after its end when its policy says so, else by the next sync that runs it", async () => {
    assert.equal(await jobUid("smoke"), "");
    const migrate = await jobUid("migrate");
    assert.notEqual(migrate, "");
    const inventory = await journey.installation.stores.inventories.load(name);
    assert.deepEqual(inventory?.entries.flatMap(({ ref, hook: is }) => (is === true ? [ref.name] : [])).sort(), [
      "between",
      "migrate",
    ]);
    const sync = await journey.synced(name, await push([annotated(aConfigMap("", "late", { key: "other" }), wave(1))]));
    assert.equal(sync.phase, "Succeeded");
    assert.deepEqual(done(), ["Job migrate", "Job between", "ConfigMap late", "Job smoke"]);
    assert.notEqual(await jobUid("migrate"), migrate);
  });

  test("healing runs no hooks, and hooks are no drift", async () => {
    const migrate = await jobUid("migrate");
    await journey.kubectl("delete", "job", "-n", name, "between");
    await journey.kubectl("scale", "deployment", "-n", name, "web", "--replicas=3");
    seen = journey.events.length;
    const { reports } = await journey.sweep();
    assert.deepEqual(reports[0]?.healing, [name]);
    await eventually("healed", async () => (await journey.field(["deployment", name, "web"], ".spec.replicas")) === "1");
    await eventually("recorded", () => Promise.resolve(events("sync.recorded").length > 0));
    assert.deepEqual([done(), await jobUid("migrate"), await jobUid("between")], [["Deployment web"], migrate, ""]);
    assert.equal((await journey.state(name))?.drifted, 0);
  });

  test("a wave that does not become healthy stops the sync: nothing of the next is applied, SyncFail hooks run, nothing is pruned", async () => {
    const commit = await push(
      [web("broken-1"), annotated(aConfigMap("", "late", { key: "third" }), wave(1)), annotated(aJob("alarm"), hook("SyncFail"))],
      { [`${name}/ConfigMap-early.yaml`]: null },
    );
    const sync = await journey.synced(name, commit);
    assert.equal(sync.phase, "Failed");
    assert.match(sync.errors[0] ?? "", /^not healthy after 4 s: Degraded: Deployment waves\/web: pod .*ImagePullBackOff/);
    assert.deepEqual(done(), ["Job migrate", "Deployment web", "Job between", "Job alarm"]);
    assert.equal(await journey.field(["configmap", name, "late"], ".data.key"), "other");
    assert.notEqual(await journey.field(["configmap", name, "early"], ".metadata.uid"), "");
    assert.notEqual(await jobUid("alarm"), "");
  });

  test("a PreSync hook that fails stops the sync before anything is changed, and the row says why", async () => {
    const commit = await push([web("2"), annotated(aJob("migrate", { tag: "broken-2", seconds: 1 }), hook("PreSync"))]);
    const sync = await journey.synced(name, commit);
    assert.equal(sync.phase, "Failed");
    assert.match(sync.errors[0] ?? "", /^hook Job waves\/migrate: .*DeadlineExceeded/);
    assert.deepEqual(done(), ["Job migrate", "Job alarm"]);
    assert.match(await journey.field(["deployment", name, "web"], ".spec.template.spec.containers[0].image"), /broken-1$/);
  });

  test("a hook that never ends does not hold the fix up that is pushed meanwhile", async () => {
    const stuck = await push([annotated(aJob("migrate", { tag: "broken-3" }), hook("PreSync"))]);
    await eventually("the hook runs", async () => {
      const state = await journey.state(name);
      return state?.desired?.revision === stuck && /hook Job waves\/migrate is running/.test(state.health.message);
    });
    const commit = await push([annotated(aJob("migrate"), hook("PreSync"))]);
    const sync = await journey.synced(name, commit);
    assert.deepEqual([sync.phase, sync.errors], ["Succeeded", []]);
    assert.equal((await journey.synced(name, stuck)).phase, "Superseded");
    assert.match(await journey.field(["deployment", name, "web"], ".spec.template.spec.containers[0].image"), /:2$/);
    assert.equal(await journey.field(["configmap", name, "early"], ".metadata.uid"), "", "what left is pruned by the fix");
  });

  test("a hook that left the desired state goes like any other object", async () => {
    const sync = await journey.synced(
      name,
      await push([], { [`${name}/Job-alarm.yaml`]: null, [`${name}/Job-between.yaml`]: null }),
    );
    assert.deepEqual([sync.phase, sync.counts.pruned], ["Succeeded", 2]);
    assert.deepEqual([await jobUid("alarm"), await jobUid("between")], ["", ""]);
  });
});
