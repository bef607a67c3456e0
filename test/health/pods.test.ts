import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assessHealth, failingContainer, needsPods, podSelectorOf } from "../../lib/health/health.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";

function live(type: string, spec: JsonObject, status?: JsonObject, metadata: JsonObject = {}): Manifest {
  const cut = type.lastIndexOf("/");
  const object = { apiVersion: type.slice(0, cut), kind: type.slice(cut + 1), metadata: { name: "web", ...metadata }, spec };
  return status === undefined ? object : { ...object, status };
}

const condition = (type: string, status: string, reason = "", message = ""): JsonObject => ({ type, status, reason, message });
const conditions = (...all: readonly JsonObject[]): JsonObject => ({ conditions: all });

function aDeployment(status: JsonObject, spec: JsonObject = { replicas: 2 }): Manifest {
  return live("apps/v1/Deployment", spec, status, { generation: 2 });
}
const rolledOut = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 };

interface PodOptions {
  readonly name: string;
  readonly hash: string;
  readonly born: string;
  readonly waiting?: JsonObject;
  readonly isReady?: boolean;
}

function aPod({ name, hash, born, waiting, isReady = false }: PodOptions): Manifest {
  const state = waiting === undefined ? { running: {} } : { waiting };
  return live(
    "v1/Pod",
    {},
    {
      phase: "Running",
      ...conditions(condition("Ready", isReady ? "True" : "False")),
      containerStatuses: [{ name: "web", state }],
    },
    { name, creationTimestamp: `2026-03-01T10:00:${born}Z`, labels: { "pod-template-hash": hash } },
  );
}

const pull = { reason: "ImagePullBackOff", message: 'Back-off pulling image "web:broken"' };
const says = (message: string): JsonObject => conditions(condition("Progressing", "True", "ReplicaSetUpdated", message));
/** In the middle of a rollout to the template with hash "b". */
const rolling = aDeployment({ ...rolledOut, replicas: 3, updatedReplicas: 1, ...says('ReplicaSet "web-b" is progressing.') });
/** The same, of a Deployment that says nothing of its progress. */
const silent = aDeployment({ ...rolledOut, replicas: 3, updatedReplicas: 1 });

describe("the health of a workload whose pods are known", () => {
  it("is Degraded with the reason of a pod that can't start", () => {
    const pods = [
      aPod({ name: "old", hash: "a", born: "01", isReady: true }),
      aPod({ name: "new", hash: "b", born: "09", waiting: pull }),
    ];
    assert.deepEqual(assessHealth(rolling, { pods }), {
      status: "Degraded",
      message: 'pod new: container web: ImagePullBackOff: Back-off pulling image "web:broken"',
    });
  });

  it("tells how a crashing container ended", () => {
    const crash = live(
      "v1/Pod",
      {},
      {
        phase: "Running",
        containerStatuses: [
          {
            name: "web",
            state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
            lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
          },
        ],
      },
    );
    assert.equal(
      assessHealth(silent, { pods: [crash] }).message,
      "pod web: container web: CrashLoopBackOff: back-off 10s (last exit code 137, OOMKilled)",
    );
  });

  it("looks into init containers", () => {
    const pod = live("v1/Pod", {}, { phase: "Pending", initContainerStatuses: [{ name: "init", state: { waiting: pull } }] });
    assert.equal(assessHealth(silent, { pods: [pod] }).status, "Degraded");
  });

  it("stays Progressing while pods only start", () => {
    const pods = [aPod({ name: "new", hash: "b", born: "09", waiting: { reason: "ContainerCreating" } })];
    assert.equal(assessHealth(rolling, { pods }).status, "Progressing");
  });

  it("does not count the broken pods of an older revision, whenever they were made", () => {
    for (const born of ["01", "05", "09"]) {
      const pods = [aPod({ name: "old", hash: "a", born, waiting: pull }), aPod({ name: "new", hash: "b", born: "05" })];
      assert.equal(assessHealth(rolling, { pods }).status, "Progressing");
      assert.equal(assessHealth(rolling, { pods: pods.slice(0, 1) }).status, "Progressing");
    }
  });

  it("finds the broken pod beside a ready one that was made in the same second", () => {
    const pods = [
      aPod({ name: "old", hash: "a", born: "05", isReady: true }),
      aPod({ name: "new", hash: "b", born: "05", waiting: pull }),
    ];
    assert.equal(assessHealth(rolling, { pods }).status, "Degraded");
    assert.equal(assessHealth(silent, { pods }).status, "Degraded");
  });

  it("tells revisions by the age of their pods where the workload does not", () => {
    const broken = aPod({ name: "old", hash: "a", born: "01", waiting: pull });
    assert.equal(assessHealth(silent, { pods: [broken, aPod({ name: "new", hash: "b", born: "02" })] }).status, "Progressing");
    assert.equal(assessHealth(silent, { pods: [broken, aPod({ name: "new", hash: "a", born: "02" })] }).status, "Degraded");
  });

  it("counts an old broken pod of a StatefulSet, which waits for it for ever, unless it replaces pods in parallel", () => {
    const pod = aPod({ name: "web-0", hash: "web-1", born: "01", waiting: pull });
    const status = { replicas: 1, readyReplicas: 0, currentRevision: "web-1", updateRevision: "web-2" };
    assert.equal(assessHealth(live("apps/v1/StatefulSet", { replicas: 1 }, status), { pods: [pod] }).status, "Degraded");
    const parallel = live("apps/v1/StatefulSet", { replicas: 1, podManagementPolicy: "Parallel" }, status);
    assert.equal(assessHealth(parallel, { pods: [pod] }).status, "Progressing");
  });

  it("does not look at pods while the controller has not seen the newest spec", () => {
    const unseen = aDeployment({ ...rolledOut, observedGeneration: 1, ...says('ReplicaSet "web-b" is progressing.') });
    const pods = [aPod({ name: "x", hash: "b", born: "01", waiting: pull })];
    assert.equal(assessHealth(unseen, { pods }).status, "Progressing");
  });

  it("does not count pods that are being deleted, nor failed ones that are made again", () => {
    const leaving = { ...aPod({ name: "x", hash: "b", born: "09", waiting: pull }) };
    const pods = [
      { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: "2026-03-01T10:01:00Z" } },
      live("v1/Pod", {}, { phase: "Failed", reason: "Evicted" }),
    ];
    assert.equal(assessHealth(silent, { pods }).status, "Progressing");
  });

  it("leaves a healthy workload healthy, whatever its pods say", () => {
    const pods = [aPod({ name: "new", hash: "b", born: "09", waiting: pull })];
    assert.equal(assessHealth(aDeployment(rolledOut), { pods }).status, "Healthy");
  });
});

describe("needsPods", () => {
  it("asks for the pods of a workload that is not healthy, and of nothing else", () => {
    assert.equal(needsPods(rolling, assessHealth(rolling)), true);
    assert.equal(needsPods(aDeployment(rolledOut), assessHealth(aDeployment(rolledOut))), false);
    const claim = live("v1/PersistentVolumeClaim", {}, { phase: "Pending" });
    assert.equal(needsPods(claim, assessHealth(claim)), false);
  });
});

it("asks for no pods while the controller of a workload has not seen its newest spec: they are an older one's", () => {
  const behind = (observedGeneration: number) =>
    live("apps/v1/Deployment", rolling["spec"] as JsonObject, { observedGeneration }, { generation: 3 });
  assert.equal(needsPods(behind(2), assessHealth(behind(2))), false);
  assert.equal(needsPods(behind(3), assessHealth(behind(3))), true);
});

describe("podSelectorOf", () => {
  it("writes labels and expressions as the API takes them", () => {
    const matchExpressions = [
      { key: "tier", operator: "In", values: ["a", "b"] },
      { key: "env", operator: "NotIn", values: ["qa"] },
      { key: "track", operator: "Exists" },
      { key: "old", operator: "DoesNotExist" },
    ];
    assert.equal(
      podSelectorOf(aDeployment({}, { selector: { matchLabels: { app: "web", "a.b/c": "d" }, matchExpressions } })),
      "app=web,a.b/c=d,tier in (a,b),env notin (qa),track,!old",
    );
  });

  it("reads the plain selector of a ReplicationController, and none of a Service", () => {
    assert.equal(podSelectorOf(live("v1/ReplicationController", { selector: { app: "web" } })), "app=web");
    assert.equal(podSelectorOf(live("v1/Service", { selector: { app: "web" } })), undefined);
    assert.equal(podSelectorOf(aDeployment({}, {})), undefined);
  });
});

describe("failingContainer", () => {
  const pod = (...containerStatuses: readonly JsonObject[]): Manifest => live("v1/Pod", {}, { containerStatuses });
  const ended = (exitCode: number): JsonObject => ({ terminated: { exitCode } });

  it("is the one that crashed, whose last words stand in the log of its run before", () => {
    const crashing = { name: "b", ready: false, state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: ended(1) };
    assert.deepEqual(failingContainer(pod({ name: "a", ready: true, state: { running: {} } }, crashing)), {
      name: "b",
      restarted: true,
    });
  });

  it("is the one that ended badly, or that runs and is not ready, by the log of this run", () => {
    assert.deepEqual(failingContainer(pod({ name: "a", state: ended(2), lastState: ended(1) })), { name: "a", restarted: false });
    assert.deepEqual(failingContainer(pod({ name: "a", ready: false, state: { running: {} } })), { name: "a", restarted: false });
  });

  it("is none where no container has run, or all are well", () => {
    assert.equal(
      failingContainer(pod({ name: "a", ready: false, state: { waiting: { reason: "ImagePullBackOff" } } })),
      undefined,
    );
    assert.equal(failingContainer(pod({ name: "a", ready: true, state: { running: {} }, lastState: ended(1) })), undefined);
    assert.equal(failingContainer(live("v1/Pod", {})), undefined);
  });
});
