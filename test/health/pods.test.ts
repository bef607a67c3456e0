import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assessHealth, needsPods, podSelectorOf } from "../../lib/health/health.ts";
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
const rolling = aDeployment({ ...rolledOut, replicas: 3, updatedReplicas: 1 });

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
      assessHealth(rolling, { pods: [crash] }).message,
      "pod web: container web: CrashLoopBackOff: back-off 10s (last exit code 137, OOMKilled)",
    );
  });

  it("looks into init containers", () => {
    const pod = live("v1/Pod", {}, { phase: "Pending", initContainerStatuses: [{ name: "init", state: { waiting: pull } }] });
    assert.equal(assessHealth(rolling, { pods: [pod] }).status, "Degraded");
  });

  it("stays Progressing while pods only start", () => {
    const pods = [aPod({ name: "new", hash: "b", born: "09", waiting: { reason: "ContainerCreating" } })];
    assert.equal(assessHealth(rolling, { pods }).status, "Progressing");
  });

  it("does not count the broken pods of an older revision, once a pod of the newer one is there", () => {
    const broken = aPod({ name: "old", hash: "a", born: "01", waiting: pull });
    assert.equal(assessHealth(rolling, { pods: [broken, aPod({ name: "new", hash: "b", born: "02" })] }).status, "Progressing");
    assert.equal(
      assessHealth(rolling, { pods: [broken, aPod({ name: "new", hash: "b", born: "01", isReady: true })] }).status,
      "Progressing",
    );
  });

  it("does not count any pod while the Deployment has none of its new revision", () => {
    const pods = [aPod({ name: "old", hash: "a", born: "01", waiting: pull })];
    assert.equal(assessHealth(aDeployment({ ...rolledOut, updatedReplicas: 0 }), { pods }).status, "Progressing");
  });

  it("does not count pods that are being deleted, nor failed ones that are made again", () => {
    const leaving = { ...aPod({ name: "x", hash: "b", born: "09", waiting: pull }) };
    const pods = [
      { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: "2026-03-01T10:01:00Z" } },
      live("v1/Pod", {}, { phase: "Failed", reason: "Evicted" }),
    ];
    assert.equal(assessHealth(rolling, { pods }).status, "Progressing");
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
