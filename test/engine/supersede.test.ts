import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Manifest } from "../../lib/model/resource.ts";
import { aName } from "../apply/open.ts";
import { callApi } from "../control-plane/api.ts";
import { until } from "../control-plane/until.ts";
import { clearLeftovers, sharedControlPlane, testNamespace } from "../support/cluster.ts";
import { aConfigMap, aDeployment } from "../support/objects.ts";
import { anEngineApplication, desire } from "./desire.ts";
import { aClock, createExecution, type TestClock } from "./execution.ts";
import { type Api, type Installation, type InstallationOptions, openApi, openInstallation } from "./installation.ts";

const minutes = (clock: TestClock, since: Date): number => (clock.now().getTime() - since.getTime()) / 60_000;

describe("waits", () => {
  let api: Api;
  let namespace = "";

  before(async () => {
    api = await openApi();
    await clearLeftovers();
    namespace = await testNamespace("waits");
  });

  const open = (options: Partial<InstallationOptions> = {}) =>
    openInstallation({ api, clock: aClock(), sharesDiscovery: true, ...options });

  function aHook(name: string, { hook = "PreSync", tag }: { readonly hook?: string; readonly tag: string }): Manifest {
    const containers = [{ name: "task", image: `registry.example/task:${tag}` }];
    const spec = { template: { spec: { restartPolicy: "Never", containers } } };
    const annotations = { "argocd.argoproj.io/hook": hook };
    return { apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace, annotations }, spec };
  }

  /** Runs the newest state of an application until the old run is in its second pause, and there holds it. */
  async function untilWaiting(installation: Installation, work: Parameters<typeof desire>) {
    const [paused, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const afterWait = (wait: string): Promise<void> | undefined => {
      if (wait !== "pause-2") return undefined;
      paused.resolve();
      return gate.promise;
    };
    const execution = createExecution({ id: "old", clock: installation.clock, afterWait });
    const over = installation.work(await desire(...work), execution);
    await paused.promise;
    return { release: gate.resolve, over, execution };
  }

  const phases = async ({ stores }: Installation, name: string) =>
    (await stores.syncs.list(name)).items.map(({ generation, phase }) => `${generation} ${phase}`).toSorted();

  for (const { title, waits, fix } of [
    {
      title: "a newer revision does not wait for a rollout that is never healthy: it begins at its first step",
      waits: (name: string) => aDeployment(namespace, name, { image: "registry.example/web:broken" }),
      fix: (name: string) => aDeployment(namespace, name, { image: "registry.example/web:1.0" }),
    },
    {
      title: "nor for a hook that never ends",
      waits: (name: string) => aHook(name, { tag: "endless" }),
      fix: (name: string) => aHook(name, { tag: "1.0" }),
    },
  ]) {
    test(title, async () => {
      const name = aName("waits");
      const installation = await open();
      const { stores, clock } = installation;
      const definition = anEngineApplication(name, namespace);
      const content = (version: string) => aConfigMap(namespace, name, { version });
      const old = await untilWaiting(installation, [stores, definition, [content("1"), waits(name)]]);
      const newest = createExecution({ id: "new", clock, pause: 300 });
      await installation.work(await desire(stores, definition, [content("2"), fix(name)]), newest);

      assert.equal((await stores.applications.get(name))?.lastSync?.phase, "Succeeded");
      const steps = newest.done();
      assert.deepEqual(steps.slice(0, 2), ["begin-1.1", "apply-1.1"], "it takes the application over without a pause");
      old.release();
      await old.over;
      assert.deepEqual(old.execution.done().slice(-2), ["health-3.1", "record-3.1"], "the old one ends at its next step");
      assert.deepEqual(await phases(installation, name), ["1 Superseded", "2 Succeeded"]);
    });
  }

  test("a run that still applies a long list gives way within ten seconds", async () => {
    const name = aName("long");
    const clock = aClock();
    const wished = Promise.withResolvers<void>();
    let patches = 0;
    const installation = await open({
      clock,
      fault: async ({ method }) => {
        if (method !== "PATCH") return undefined;
        patches += 1;
        // An API server that takes a quarter of a second for each, by the clock that the runs know.
        clock.advance(0.25);
        if (patches === 20) wished.resolve();
        return undefined;
      },
    });
    const { stores, sent } = installation;
    const definition = anEngineApplication(name, namespace);
    const list = (version: string) => Array.from({ length: 300 }, (_, at) => aConfigMap(namespace, `${name}-${at}`, { version }));
    const running = { old: true };
    const old = installation.sync(await desire(stores, definition, list("1")), "old").finally(() => {
      running.old = false;
    });
    await wished.promise;
    const batch = await desire(stores, definition, list("2"));
    const since = clock.now();
    let taken = 0;
    /** Time goes by with the old run's writes, and by itself once there are none. */
    const sleep = async (seconds: number): Promise<void> => {
      const end = clock.now().getTime() + seconds * 1000;
      while (running.old && clock.now().getTime() < end) await nextTurn();
      if (clock.now().getTime() < end) clock.advance(seconds);
    };
    const newest = createExecution({
      id: "new",
      clock,
      sleep,
      beforeStep: (step) => {
        if (step.startsWith("apply")) taken ||= minutes(clock, since) * 60;
      },
    });
    await Promise.all([installation.work(batch, newest), old]);

    assert.ok(taken <= 10, `taken over after ${taken} s`);
    const firstOfNew = sent.findIndex(({ run, method }) => run === "new" && method === "PATCH");
    const lastOfOld = sent.findLastIndex(({ run, method }) => run === "old" && method === "PATCH");
    assert.ok(lastOfOld < firstOfNew, "no write of the old run comes after the first of the new one");
    assert.deepEqual(await phases(installation, name), ["1 Superseded", "2 Succeeded"]);
    const { answer } = sent.findLast(({ path }) => path.includes(`${name}-299?`)) ?? {};
    assert.match(answer?.body ?? "", /"version":"2"/);
  });

  /** The hook's container ends well; a Job of ours is then done. */
  async function endPod(job: string): Promise<void> {
    const { server, ca, tokens } = await sharedControlPlane();
    const access = { server, ca, token: tokens.admin };
    const pods = await api.outside.list({
      type: { group: "", version: "v1", kind: "Pod" },
      namespace,
      labelSelector: `batch.kubernetes.io/job-name=${job}`,
    });
    for (const { metadata } of pods) {
      const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/status`;
      const body = { status: { phase: "Succeeded" } };
      await callApi(access, path, { method: "PATCH", body, contentType: "application/merge-patch+json" });
    }
  }

  test("a hook of 40 minutes is waited for to its end, and the rest follows", async () => {
    const name = aName("long-hook");
    const installation = await open();
    const { stores, clock } = installation;
    const since = clock.now();
    const hook = { group: "batch", version: "v1", kind: "Job", namespace, name };
    let ended = 0;
    const afterWait = async (): Promise<void> => {
      if (ended > 0 || minutes(clock, since) < 40) return;
      ended = minutes(clock, since);
      assert.equal(await api.outside.get({ ...hook, group: "", kind: "ConfigMap" }), undefined, "nothing is applied before");
      await until(
        async () => {
          await endPod(name);
          return JSON.stringify((await api.outside.get(hook))?.["status"]).includes('"Complete"');
        },
        { what: "the hook's end" },
      );
    };
    const objects = [aHook(name, { tag: "endless" }), aConfigMap(namespace, name)];
    const execution = createExecution({ id: name, clock, afterWait });
    await installation.work(await desire(stores, anEngineApplication(name, namespace), objects), execution);

    const { lastSync } = (await stores.applications.get(name)) ?? {};
    assert.equal(lastSync?.phase, "Succeeded", lastSync?.errors.join());
    assert.ok(ended >= 40 && minutes(clock, since) < 42, `${ended} and ${minutes(clock, since)} minutes`);
    assert.ok(await api.outside.get({ ...hook, group: "", kind: "ConfigMap" }));
    assert.ok(execution.done().length < 600, `${execution.done().length} operations`);
  });

  test("a hook that never ends fails the sync at its deadline, by name, and nothing is applied after it", async () => {
    const name = aName("endless");
    const installation = await open();
    const { stores, clock } = installation;
    const since = clock.now();
    const definition = anEngineApplication(name, namespace, { sync: { hookTimeout: 1200 } });
    const objects = [aHook(name, { tag: "endless" }), aConfigMap(namespace, name)];
    await installation.sync(await desire(stores, definition, objects), name);

    const { lastSync } = (await stores.applications.get(name)) ?? {};
    assert.equal(lastSync?.phase, "Failed");
    assert.equal(lastSync.errors[0], `hook Job ${namespace}/${name} did not end within 1200 s`);
    assert.ok(minutes(clock, since) >= 20 && minutes(clock, since) < 21, `${minutes(clock, since)} minutes`);
    assert.equal(await api.outside.get({ group: "", version: "v1", kind: "ConfigMap", namespace, name }), undefined);
  });

  test("two hundred stuck applications cost the next one not a step and not a request", async () => {
    const installation = await open();
    const { stores, clock } = installation;
    const syncOne = async () => {
      const name = aName("free");
      const batch = await desire(stores, anEngineApplication(name, namespace), [aConfigMap(namespace, name)]);
      const calls = await installation.sync(batch, name);
      assert.equal((await stores.applications.get(name))?.lastSync?.phase, "Succeeded");
      return calls.calls.map((call) => call.replaceAll(name, "free").replace(/snapshot#\w+/, "snapshot"));
    };
    await syncOne();
    const alone = await syncOne();

    const stuck = Array.from({ length: 200 }, () => aName("stuck"));
    const gate = Promise.withResolvers<void>();
    const runs = [0, 50, 100, 150].map(async (from) => {
      const paused = Promise.withResolvers<void>();
      const afterWait = (): Promise<void> => {
        paused.resolve();
        return gate.promise;
      };
      const names = stuck.slice(from, from + 50);
      const batches = [];
      for (const name of names) batches.push(await desire(stores, anEngineApplication(name, namespace), [aClaim(name)]));
      const applications = batches.flatMap((batch) => batch.applications);
      const execution = createExecution({ id: `stuck-${from}`, clock, afterWait });
      const over = installation.work({ ...batches[0]!, applications }, execution);
      await paused.promise;
      return { over };
    });
    const waiting = await Promise.all(runs);
    const beside = await syncOne();
    assert.deepEqual(beside, alone);
    const { lastSync } = (await stores.applications.get(stuck[199]!)) ?? {};
    assert.deepEqual([lastSync?.phase, lastSync?.health.status], ["Running", "Progressing"]);

    for (const name of stuck) await desire(stores, anEngineApplication(name, namespace), []);
    clock.advance(3600);
    gate.resolve();
    await Promise.all(waiting.map(({ over }) => over));
  });

  /** A claim of storage that nobody provides. */
  function aClaim(name: string): Manifest {
    const spec = { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } };
    return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, namespace }, spec };
  }
});
