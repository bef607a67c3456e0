import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { deleteHooks, hookOutcomes, type StartedObject, startHooks } from "../../lib/apply/hooks.ts";
import type { ClusterWriter } from "../../lib/cluster/cluster.ts";
import { displayRef, type Manifest, refOf } from "../../lib/model/resource.ts";
import { type HookPhase, hookOf } from "../../lib/plan/hooks.ts";
import { until } from "../control-plane/until.ts";
import { testNamespace } from "../support/cluster.ts";
import { aConfigMap, aCrd, aNamespace } from "../support/objects.ts";
import { aName, applied, openCluster, prepared } from "./open.ts";

interface HookOptions {
  /** Tag of the image: of a Job's pod, `failing` fails and `endless` never ends. */
  readonly tag?: string;
  /** Value of `argocd.argoproj.io/hook-delete-policy`. */
  readonly policy?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An object as a hook of the phases `PreSync` and `PostSync`. */
function asHook(manifest: Manifest, { policy, annotations, metadata }: HookOptions = {}): Manifest {
  const asked = policy === undefined ? {} : { "argocd.argoproj.io/hook-delete-policy": policy };
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      ...metadata,
      annotations: { "argocd.argoproj.io/hook": "PreSync,PostSync", ...asked, ...annotations },
    },
  };
}

function aJob(namespace: string, name: string, { tag = "1.0" }: HookOptions = {}): Manifest {
  const containers = [{ name: "run", image: `registry.example/migrate:${tag}` }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: { backoffLimit: 0, template: { spec: { containers, restartPolicy: "Never" } } },
  };
}

const aHookJob = (namespace: string, name: string, options: HookOptions = {}): Manifest =>
  asHook(aJob(namespace, name, options), options);

async function aPlaceForHooks(t: TestContext) {
  const cluster = await openCluster(t);
  const { writer } = cluster;
  const namespace = await testNamespace("hooks");
  const application = aName("hooks");
  const start = async (run: string, objects: readonly Manifest[], phase: HookPhase = "PreSync") => {
    const desired = await prepared(writer, { application, objects });
    const hooks = desired.map((object) => {
      const hook = hookOf(object.manifest, { isFirst: false });
      assert.ok(typeof hook === "object");
      return { object, hook };
    });
    return startHooks({ writer, application, run, phase, hooks });
  };
  const outcomes = (hooks: readonly StartedObject[]) => hookOutcomes({ reader: writer, hooks });
  /** The one hook, once it has ended. */
  const ended = async (hooks: readonly StartedObject[]) => {
    await until(async () => (await outcomes(hooks)).every(({ outcome }) => outcome !== "running"), { what: "the hook to end" });
    return (await outcomes(hooks))[0]!;
  };
  const path = (kind: string, name: string) =>
    `${kind === "jobs" ? "/apis/batch/v1" : "/api/v1"}/namespaces/${namespace}/${kind}/${name}`;
  return { ...cluster, namespace, application, start, outcomes, ended, path };
}

/** The writer until the answer to a request, of so many, is lost. */
function cutOffAfter(writer: ClusterWriter, requests: number): ClusterWriter {
  let left = requests;
  const cut = async <T>(answer: Promise<T>): Promise<T> => {
    const known = await answer;
    left -= 1;
    if (left <= 0) throw new Error("cut off");
    return known;
  };
  return Object.assign(Object.create(writer) as ClusterWriter, {
    get: (...call: Parameters<ClusterWriter["get"]>) => cut(writer.get(...call)),
    apply: (...call: Parameters<ClusterWriter["apply"]>) => cut(writer.apply(...call)),
    delete: (...call: Parameters<ClusterWriter["delete"]>) => cut(writer.delete(...call)),
  });
}

const merge = (body: object) => ({ contentType: "application/merge-patch+json", body });
const uids = (hooks: readonly StartedObject[]) => hooks.map(({ uid }) => uid);
const errors = (hooks: readonly StartedObject[]) => hooks.map(({ error }) => error);

test("a hook is started once however often its step is done again, and its object names application and sync", async (t) => {
  const { writer, start, namespace, application } = await aPlaceForHooks(t);
  const [first] = await start("s-1", [aHookJob(namespace, "migrate")]);
  assert.ok(first !== undefined && first.uid !== "" && first.error === undefined && first.waiting === undefined);
  assert.deepEqual(await start("s-1", [aHookJob(namespace, "migrate")]), [first]);
  const live = await writer.get(first.ref);
  assert.equal(live?.metadata.labels?.["driftless.dev/application"], application);
  assert.equal(live?.metadata.annotations?.["driftless.dev/sync"], "s-1/PreSync");
});

test("a Job that completes has succeeded, and one that fails has failed with the reason", async (t) => {
  const { start, ended, namespace } = await aPlaceForHooks(t);
  const good = await ended(await start("s-1", [aHookJob(namespace, "good")]));
  assert.deepEqual([good.outcome, good.message], ["succeeded", ""]);
  const bad = await ended(await start("s-1", [aHookJob(namespace, "bad", { tag: "failing" })]));
  assert.equal(bad.outcome, "failed");
  assert.match(bad.message, /BackoffLimitExceeded/);
});

test("a hook whose image cannot be pulled is still running, and says why it takes so long", async (t) => {
  const { start, outcomes, namespace } = await aPlaceForHooks(t);
  const pod: Manifest = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "check", namespace },
    spec: { containers: [{ name: "run", image: "registry.example/check:broken" }], restartPolicy: "Never" },
  };
  const started = await start("s-1", [aHookJob(namespace, "migrate", { tag: "broken" }), asHook(pod)]);
  await until(async () => (await outcomes(started)).every(({ message }) => message.includes("ImagePullBackOff")), {
    what: "the reason",
  });
  assert.deepEqual(
    (await outcomes(started)).map(({ outcome }) => outcome),
    ["running", "running"],
  );
});

test("a Pod ends by its phase", async (t) => {
  const { start, ended, call, path, namespace } = await aPlaceForHooks(t);
  const pod = (name: string, tag: string): Manifest => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: { containers: [{ name: "run", image: `registry.example/check:${tag}` }], restartPolicy: "Never" },
  });
  const bad = await ended(await start("s-1", [asHook(pod("bad", "failing"))]));
  assert.deepEqual([bad.outcome, bad.message], ["failed", "container run ended with exit code 1"]);
  const started = await start("s-1", [asHook(pod("good", "1.0"))]);
  await until(async () => (await call("GET", path("pods", "good"))).text.includes('"phase":"Running"'), {
    what: "the pod to run",
  });
  await call("PATCH", `${path("pods", "good")}/status`, merge({ status: { phase: "Succeeded" } }));
  assert.equal((await ended(started)).outcome, "succeeded");
});

test("a kind without health has succeeded as soon as it is there", async (t) => {
  const { start, outcomes, namespace } = await aPlaceForHooks(t);
  const started = await start("s-1", [asHook(aConfigMap(namespace, "settings"))]);
  assert.deepEqual(
    (await outcomes(started)).map(({ outcome }) => outcome),
    ["succeeded"],
  );
});

test("the object of an earlier sync is deleted with its pods before the hook runs again", async (t) => {
  const { start, ended, call, namespace } = await aPlaceForHooks(t);
  const first = await start("s-1", [aHookJob(namespace, "migrate", { tag: "endless" })]);
  const pods = async () =>
    (JSON.parse((await call("GET", `/api/v1/namespaces/${namespace}/pods`)).text) as { items: Manifest[] }).items;
  await until(async () => (await pods()).length === 1, { what: "the pod" });
  const old = (await pods())[0]?.metadata.uid;
  let second = await start("s-2", [aHookJob(namespace, "migrate", { tag: "2.0" })]);
  await until(
    async () => {
      second = await start("s-2", [aHookJob(namespace, "migrate", { tag: "2.0" })]);
      return second[0]?.waiting !== true;
    },
    { what: "the second start" },
  );
  assert.notDeepEqual(uids(second), uids(first));
  assert.ok(!(await pods()).some(({ metadata }) => metadata.uid === old));
  assert.equal((await ended(second)).outcome, "succeeded");
});

test("a hook of two phases is run in each of them, whatever its delete policy", async (t) => {
  const { start, ended, namespace } = await aPlaceForHooks(t);
  for (const policy of ["BeforeHookCreation", "HookSucceeded"]) {
    const hook = [aHookJob(namespace, "tell", { policy })];
    const before = await start(policy, hook, "PreSync");
    await ended(before);
    const after = await start(policy, hook, "PostSync");
    assert.ok(after[0] !== undefined && after[0].uid !== "" && after[0].uid !== before[0]?.uid);
    await ended(after);
  }
});

test("a start that was cut off at any request is done again, and gives one object, which stays the same", async (t) => {
  const { writer, start, application, namespace } = await aPlaceForHooks(t);
  const desired = await prepared(writer, { application, objects: [asHook(aConfigMap(namespace, "a"))] });
  const hook = hookOf(desired[0]!.manifest, { isFirst: false });
  assert.ok(typeof hook === "object");
  let isCut = true;
  for (let requests = 1; isCut; requests++) {
    await start(`before-${requests}`, [asHook(aConfigMap(namespace, "a"))]);
    const hooks = [{ object: desired[0]!, hook }];
    const run = `s-${requests}`;
    isCut = await startHooks({ writer: cutOffAfter(writer, requests), application, run, phase: "PreSync", hooks }).then(
      () => false,
      () => true,
    );
    const between = await writer.get(desired[0]!.ref);
    const [again] = await startHooks({ writer, application, run, phase: "PreSync", hooks });
    assert.ok(again !== undefined && again.uid !== "" && again.error === undefined);
    if (between?.metadata.annotations?.["driftless.dev/sync"] === `${run}/PreSync`) assert.equal(again.uid, between.metadata.uid);
    else assert.notEqual(again.uid, between?.metadata.uid);
    assert.ok(requests < 50);
  }
});

test("a run that lost the application neither deletes nor starts a hook", async (t) => {
  const { writer, start, application, namespace } = await aPlaceForHooks(t);
  const [newer] = await start("s-2", [asHook(aConfigMap(namespace, "a"))]);
  const [object] = await prepared(writer, { application, objects: [asHook(aConfigMap(namespace, "a"))] });
  const hooks = [{ object: object!, hook: { phases: ["PreSync"], deletePolicies: ["BeforeHookCreation"] } }] as const;
  const stillMine = () => Promise.resolve(false);
  await assert.rejects(startHooks({ writer, application, run: "s-1", phase: "PreSync", hooks, stillMine }), { code: "lease" });
  assert.equal((await writer.get(object!.ref))?.metadata.uid, newer?.uid);
});

test("an older object that a finalizer holds is waited for, and nothing is started meanwhile", async (t) => {
  const { writer, start, call, path, namespace } = await aPlaceForHooks(t);
  const objects = [asHook(aConfigMap(namespace, "held")), asHook(aConfigMap(namespace, "other"))];
  await start("s-1", objects.slice(0, 1));
  await call("PATCH", path("configmaps", "held"), merge({ metadata: { finalizers: ["shop.example/hold"] } }));
  const waiting = await start("s-2", objects);
  assert.deepEqual(
    waiting.map(({ uid, waiting: waits, error }) => [uid, waits, error]),
    [
      ["", true, undefined],
      ["", undefined, undefined],
    ],
  );
  assert.equal(waiting[0]?.note, "the object of an earlier sync is still being deleted (finalizers: shop.example/hold)");
  assert.equal(await writer.get(refOf(aConfigMap(namespace, "other"))), undefined);
  await call("PATCH", path("configmaps", "held"), merge({ metadata: { finalizers: null } }));
  const started = await start("s-2", objects);
  assert.ok(started.every(({ uid }) => uid !== ""));
});

test("without BeforeHookCreation a finished hook stays, is not run again, and says so", async (t) => {
  const { start, ended, namespace } = await aPlaceForHooks(t);
  const once = [aHookJob(namespace, "once", { policy: "HookFailed" })];
  const first = await start("s-1", once);
  await ended(first);
  const second = await start("s-2", once);
  assert.deepEqual(uids(second), uids(first));
  assert.equal(
    second[0]?.note,
    `hook Job ${namespace}/once ran in an earlier sync and is not run again: its hook-delete-policy leaves out BeforeHookCreation`,
  );
  assert.equal((await ended(second)).outcome, "succeeded");
});

test("without BeforeHookCreation a finished hook with another template is an error that says what to do", async (t) => {
  const { start, ended, namespace } = await aPlaceForHooks(t);
  await ended(await start("s-1", [aHookJob(namespace, "once", { policy: "HookFailed" })]));
  const [second] = await start("s-2", [aHookJob(namespace, "once", { policy: "HookFailed", tag: "2.0" })]);
  assert.equal(second?.uid, "");
  assert.match(
    second?.error ?? "",
    /^an earlier sync left Job .*\/once, .* leaves out BeforeHookCreation: add that, or delete it\. /,
  );
  assert.match(second?.error ?? "", /cannot be changed in spec.template: field is immutable/);
});

test("a hook that failed is run again by the next sync, whatever its delete policy", async (t) => {
  const { start, ended, namespace } = await aPlaceForHooks(t);
  const hook = (tag: string) => [aHookJob(namespace, "migrate", { policy: "HookSucceeded", tag })];
  const first = await start("s-1", hook("failing"));
  assert.equal((await ended(first)).outcome, "failed");
  const second = await start("s-2", hook("2.0"));
  assert.deepEqual(errors(second), [undefined]);
  assert.notDeepEqual(uids(second), uids(first));
  assert.equal((await ended(second)).outcome, "succeeded");
});

test("an object that was not made as a hook is not deleted for one, and one that Argo CD or Helm ran is", async (t) => {
  const { writer, start, call, namespace } = await aPlaceForHooks(t);
  const post = (name: string, annotations: object) =>
    call("POST", `/api/v1/namespaces/${namespace}/configmaps`, { body: { metadata: { name, annotations } } });
  await post("by-hand", {});
  await post("by-argo", { "argocd.argoproj.io/hook": "PreSync" });
  await post("by-helm", { "helm.sh/hook": "pre-install" });
  const [refused] = await start("s-1", [asHook(aConfigMap(namespace, "by-hand"))]);
  assert.equal(
    refused?.error,
    `ConfigMap ${namespace}/by-hand is there already, and was not made as a hook; delete it, or give the hook another name`,
  );
  assert.ok(await writer.get(refOf(aConfigMap(namespace, "by-hand"))));
  const taken = await start("s-1", [asHook(aConfigMap(namespace, "by-argo")), asHook(aConfigMap(namespace, "by-helm"))]);
  assert.deepEqual(errors(taken), [undefined, undefined]);
});

test("an object of another application is not deleted for a hook", async (t) => {
  const { writer, start, namespace } = await aPlaceForHooks(t);
  const other = aName("other");
  await applied(writer, { application: other, objects: [aConfigMap(namespace, "settings")] });
  const [refused] = await start("s-1", [asHook(aConfigMap(namespace, "settings"))]);
  assert.equal(refused?.error, `ConfigMap ${namespace}/settings belongs to application ${other}; give this hook another name`);
});

test("an object of the application that became a hook is replaced", async (t) => {
  const { writer, start, namespace, application } = await aPlaceForHooks(t);
  const [before] = await applied(writer, { application, objects: [aConfigMap(namespace, "settings")] });
  const [started] = await start("s-1", [asHook(aConfigMap(namespace, "settings"))]);
  assert.ok(started !== undefined && started.uid !== "" && started.uid !== before?.entry?.uid);
});

test("a volume claim, and what Helm's resource-policy keeps, is never deleted for a hook, and is applied to", async (t) => {
  const { writer, start, namespace } = await aPlaceForHooks(t);
  const claim: Manifest = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "store", namespace },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } },
  };
  const kept = asHook(aConfigMap(namespace, "kept"), { annotations: { "helm.sh/resource-policy": "keep" } });
  const first = await start("s-1", [asHook(claim), kept]);
  const second = await start("s-2", [asHook(claim), { ...kept, data: { key: "2" } }]);
  assert.deepEqual(uids(second), uids(first));
  assert.deepEqual((await writer.get(refOf(kept)))?.["data"], { key: "2" });
});

test("a hook that the server refuses is an error, masked and with what to do, and is not tried for ever", async (t) => {
  const { start, namespace } = await aPlaceForHooks(t);
  const wrong = asHook({ ...aJob(namespace, "wrong"), spec: { template: { spec: { containers: [], restartPolicy: "Never" } } } });
  const [refused] = await start("s-1", [wrong]);
  assert.deepEqual([refused?.uid, refused?.retryable], ["", false]);
  assert.match(refused?.error ?? "", /containers: Required value/);
});

test("what a hook needs is made before it: accounts, then settings, then Jobs", async (t) => {
  const { writer, start, ended, namespace } = await aPlaceForHooks(t);
  const job = aHookJob(namespace, "migrate");
  const account = asHook({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "migrate", namespace } });
  const started = await start("s-1", [job, account]);
  assert.deepEqual(
    started.map(({ ref }) => displayRef(ref)),
    [`Job ${namespace}/migrate`, `ServiceAccount ${namespace}/migrate`],
  );
  const [of, madeBefore] = await Promise.all(started.map(({ ref }) => writer.get(ref)));
  assert.ok(BigInt(madeBefore?.metadata.resourceVersion ?? "") < BigInt(of?.metadata.resourceVersion ?? ""));
  assert.equal((await ended(started)).outcome, "succeeded");
});

test("a hook with a generateName gets a name of its own in each sync, and the same one when the step is done again", async (t) => {
  const { start, namespace } = await aPlaceForHooks(t);
  const hook = [aHookJob(namespace, "migrate-1a2b3c", { metadata: { generateName: "migrate-" } })];
  const [first] = await start("s-1", hook);
  assert.match(first?.ref.name ?? "", /^migrate-[0-9a-f]{10}$/);
  assert.deepEqual(await start("s-1", hook), [first]);
  const [second] = await start("s-2", hook);
  assert.match(second?.ref.name ?? "", /^migrate-[0-9a-f]{10}$/);
  assert.notEqual(second?.ref.name, first?.ref.name);
});

test("a hook that is gone before its end was seen says so, and what to do", async (t) => {
  const { writer, start, outcomes, call, path, namespace } = await aPlaceForHooks(t);
  const started = await start("s-1", [asHook(aConfigMap(namespace, "a"))]);
  await call("DELETE", path("configmaps", "a"));
  const [gone] = await outcomes(started);
  assert.deepEqual(
    [gone?.outcome, gone?.message],
    [
      "gone",
      "it was deleted before its end was seen, by hand or by its ttlSecondsAfterFinished; leave that out, and let the annotation argocd.argoproj.io/hook-delete-policy say HookSucceeded in its place",
    ],
  );
  await writer.apply(aConfigMap(namespace, "a"), { force: true });
  assert.match((await outcomes(started))[0]?.message ?? "", /created another of the same name$/);
});

test("a Job that has ended keeps its end while it is being deleted", async (t) => {
  const { writer, start, ended, outcomes, call, path, namespace } = await aPlaceForHooks(t);
  const started = await start("s-1", [aHookJob(namespace, "migrate")]);
  await ended(started);
  await call("PATCH", path("jobs", "migrate"), merge({ metadata: { finalizers: ["shop.example/hold"] } }));
  await call("DELETE", path("jobs", "migrate"));
  assert.notEqual((await writer.get(started[0]!.ref))?.metadata.deletionTimestamp, undefined);
  assert.equal((await outcomes(started))[0]?.outcome, "succeeded");
  await call("PATCH", path("jobs", "migrate"), merge({ metadata: { finalizers: null } }));
});

test("hooks are deleted once, each only while it is the object that was started", async (t) => {
  const { writer, start, call, path, namespace, application } = await aPlaceForHooks(t);
  const started = await start(
    "s-1",
    ["a", "b", "c"].map((name) => asHook(aConfigMap(namespace, name))),
  );
  await call("DELETE", path("configmaps", "b"));
  await writer.apply(aConfigMap(namespace, "b"), { force: true });
  await call("PATCH", path("configmaps", "c"), merge({ metadata: { labels: { "driftless.dev/application": "another" } } }));
  assert.deepEqual(await deleteHooks({ writer, application, hooks: started }), []);
  assert.deepEqual(await deleteHooks({ writer, application, hooks: started }), []);
  await until(async () => (await writer.get(started[0]!.ref)) === undefined, { what: "a to be gone" });
  const left = await Promise.all(started.map(({ ref }) => writer.get(ref)));
  assert.deepEqual(
    left.map((object) => [object?.metadata.name, object?.metadata.deletionTimestamp]),
    [
      [undefined, undefined],
      ["b", undefined],
      ["c", undefined],
    ],
  );
});

test("a hook of a kind that is not served, or in a namespace that is not there, is an error that may pass", async (t) => {
  const { writer, start, namespace } = await aPlaceForHooks(t);
  const group = `${aName("hooks")}.example`;
  const flow: Manifest = { apiVersion: `${group}/v1`, kind: "Flow", metadata: { name: "a", namespace } };
  await writer.apply(aCrd({ group, kind: "Flow", scope: "Namespaced" }), { force: true });
  t.after(async () => {
    const live = await writer.get(refOf(aCrd({ group, kind: "Flow", scope: "Namespaced" })));
    if (live) await writer.delete(refOf(live), { uid: live.metadata.uid ?? "" });
  });
  await until(async () => (await writer.resourceType({ group, version: "v1", kind: "Flow" }, { fresh: true })) !== undefined, {
    what: "the kind to be served",
  });
  const [custom] = await start("s-1", [asHook(flow)]);
  assert.equal(custom?.error, undefined);
  const nowhere = aName("nowhere");
  const [refused] = await start("s-1", [asHook(aConfigMap(nowhere, "a"))]);
  assert.deepEqual([refused?.uid, refused?.retryable], ["", true]);
  assert.match(refused?.error ?? "", new RegExp(nowhere));
  assert.equal(await writer.get(refOf(aNamespace(nowhere))), undefined);
});
