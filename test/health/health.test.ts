import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assessHealth } from "../../lib/health/health.ts";
import type { HealthStatus } from "../../lib/model/health.ts";
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

const rules: readonly (readonly [string, HealthStatus, Manifest])[] = [
  ["a Deployment whose replicas are all updated and available", "Healthy", aDeployment(rolledOut)],
  ["a Deployment whose newest spec was not seen yet", "Progressing", aDeployment({ ...rolledOut, observedGeneration: 1 })],
  ["a Deployment that has no status yet", "Progressing", live("apps/v1/Deployment", {})],
  ["a Deployment with updates outstanding", "Progressing", aDeployment({ ...rolledOut, updatedReplicas: 1 })],
  ["a Deployment with old replicas left", "Progressing", aDeployment({ ...rolledOut, replicas: 3 })],
  ["a Deployment with unavailable replicas", "Progressing", aDeployment({ ...rolledOut, availableReplicas: 1 })],
  ["a Deployment scaled to nothing", "Healthy", aDeployment({ observedGeneration: 2 }, { replicas: 0 })],
  ["a paused Deployment", "Suspended", aDeployment({ ...rolledOut, updatedReplicas: 0 }, { replicas: 2, paused: true })],
  [
    "a Deployment that ran out of time",
    "Degraded",
    aDeployment({
      ...rolledOut,
      updatedReplicas: 1,
      ...conditions(condition("Progressing", "False", "ProgressDeadlineExceeded")),
    }),
  ],
  [
    "a Deployment whose pods are refused by a quota",
    "Degraded",
    aDeployment({
      ...rolledOut,
      updatedReplicas: 0,
      ...conditions(condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota")),
    }),
  ],
  [
    "a StatefulSet whose pods are ready and of one revision",
    "Healthy",
    live("apps/v1/StatefulSet", { replicas: 1 }, { replicas: 1, readyReplicas: 1, currentRevision: "a", updateRevision: "a" }),
  ],
  [
    "a StatefulSet in the middle of an update",
    "Progressing",
    live("apps/v1/StatefulSet", { replicas: 1 }, { replicas: 1, readyReplicas: 1, currentRevision: "a", updateRevision: "b" }),
  ],
  [
    "a StatefulSet whose update stops at its partition",
    "Healthy",
    live(
      "apps/v1/StatefulSet",
      { replicas: 3, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
      { replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
    ),
  ],
  [
    "a StatefulSet that is updated by hand",
    "Healthy",
    live(
      "apps/v1/StatefulSet",
      { replicas: 1, updateStrategy: { type: "OnDelete" } },
      { replicas: 1, readyReplicas: 1, currentRevision: "a", updateRevision: "b" },
    ),
  ],
  [
    "a StatefulSet with an unready pod",
    "Progressing",
    live("apps/v1/StatefulSet", { replicas: 1 }, { replicas: 1, readyReplicas: 0 }),
  ],
  [
    "a DaemonSet on every node",
    "Healthy",
    live("apps/v1/DaemonSet", {}, { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 }),
  ],
  [
    "a DaemonSet with a node to go",
    "Progressing",
    live("apps/v1/DaemonSet", {}, { desiredNumberScheduled: 3, updatedNumberScheduled: 2, numberAvailable: 3 }),
  ],
  ["a DaemonSet that fits no node", "Healthy", live("apps/v1/DaemonSet", {}, { desiredNumberScheduled: 0 })],
  ["a DaemonSet whose pods are not counted yet", "Progressing", live("apps/v1/DaemonSet", {})],
  ["a ReplicaSet with its replicas", "Healthy", live("apps/v1/ReplicaSet", { replicas: 1 }, { availableReplicas: 1 })],
  ["a ReplicaSet without them", "Progressing", live("apps/v1/ReplicaSet", { replicas: 1 }, {})],
  ["a Job at work", "Progressing", live("batch/v1/Job", {}, { active: 1 })],
  ["a Job that is done", "Healthy", live("batch/v1/Job", {}, conditions(condition("Complete", "True")))],
  ["a Job that failed", "Degraded", live("batch/v1/Job", {}, conditions(condition("Failed", "True", "BackoffLimitExceeded")))],
  ["a suspended Job", "Suspended", live("batch/v1/Job", { suspend: true }, {})],
  ["a CronJob", "Healthy", live("batch/v1/CronJob", {}, {})],
  ["a suspended CronJob", "Suspended", live("batch/v1/CronJob", { suspend: true }, {})],
  ["a ready Pod", "Healthy", live("v1/Pod", {}, { phase: "Running", ...conditions(condition("Ready", "True")) })],
  [
    "a Pod that is not ready",
    "Progressing",
    live("v1/Pod", {}, { phase: "Running", ...conditions(condition("Ready", "False")) }),
  ],
  ["a Pod that ended well", "Healthy", live("v1/Pod", {}, { phase: "Succeeded" })],
  ["a Pod that ended badly", "Degraded", live("v1/Pod", {}, { phase: "Failed", reason: "Evicted" })],
  [
    "a Pod that runs once, while it runs",
    "Progressing",
    live("v1/Pod", { restartPolicy: "Never" }, { phase: "Running", ...conditions(condition("Ready", "True")) }),
  ],
  [
    "a Pod that no node takes",
    "Degraded",
    live("v1/Pod", {}, { phase: "Pending", ...conditions(condition("PodScheduled", "False", "Unschedulable", "0/3 nodes")) }),
  ],
  ["a Service", "Healthy", live("v1/Service", { type: "ClusterIP" }, { loadBalancer: {} })],
  ["a load balancer without address", "Progressing", live("v1/Service", { type: "LoadBalancer" }, { loadBalancer: {} })],
  [
    "a load balancer with one",
    "Healthy",
    live("v1/Service", { type: "LoadBalancer" }, { loadBalancer: { ingress: [{ hostname: "a" }] } }),
  ],
  ["a bound claim", "Healthy", live("v1/PersistentVolumeClaim", {}, { phase: "Bound" })],
  ["a pending claim", "Progressing", live("v1/PersistentVolumeClaim", {}, { phase: "Pending" })],
  ["a claim whose volume is lost", "Degraded", live("v1/PersistentVolumeClaim", {}, { phase: "Lost" })],
  [
    "an Ingress without address, since there may be no controller",
    "Healthy",
    live("networking.k8s.io/v1/Ingress", {}, { loadBalancer: {} }),
  ],
  [
    "an autoscaler at work",
    "Healthy",
    live("autoscaling/v2/HorizontalPodAutoscaler", {}, conditions(condition("AbleToScale", "True"))),
  ],
  [
    "an autoscaler without metrics",
    "Degraded",
    live(
      "autoscaling/v2/HorizontalPodAutoscaler",
      {},
      conditions(condition("AbleToScale", "True"), condition("ScalingActive", "False", "FailedGetResourceMetric")),
    ),
  ],
  [
    "an autoscaler of nothing",
    "Healthy",
    live(
      "autoscaling/v2/HorizontalPodAutoscaler",
      {},
      conditions(condition("AbleToScale", "True"), condition("ScalingActive", "False", "ScalingDisabled")),
    ),
  ],
  ["an autoscaler that was not looked at", "Progressing", live("autoscaling/v2/HorizontalPodAutoscaler", {})],
  ["an active Namespace", "Healthy", live("v1/Namespace", {}, { phase: "Active" })],
  ["a terminating Namespace", "Progressing", live("v1/Namespace", {}, { phase: "Terminating" })],
  [
    "an available APIService",
    "Healthy",
    live("apiregistration.k8s.io/v1/APIService", {}, conditions(condition("Available", "True"))),
  ],
  [
    "an APIService without backend",
    "Progressing",
    live("apiregistration.k8s.io/v1/APIService", {}, conditions(condition("Available", "False", "MissingEndpoints"))),
  ],
  [
    "an established definition",
    "Healthy",
    live(
      "apiextensions.k8s.io/v1/CustomResourceDefinition",
      {},
      conditions(condition("NamesAccepted", "True"), condition("Established", "True")),
    ),
  ],
  ["a ConfigMap", "Healthy", live("v1/ConfigMap", {})],
  ["a volume that waits for a claim", "Healthy", live("v1/PersistentVolume", {}, { phase: "Available" })],
  ["a volume that is not made yet", "Progressing", live("v1/PersistentVolume", {}, { phase: "Pending" })],
  ["a volume that could not be reclaimed", "Degraded", live("v1/PersistentVolume", {}, { phase: "Failed" })],
  [
    "a budget that allows no disruption now",
    "Healthy",
    live("policy/v1/PodDisruptionBudget", {}, conditions(condition("DisruptionAllowed", "False", "InsufficientPods"))),
  ],
  [
    "a budget that cannot be computed",
    "Degraded",
    live("policy/v1/PodDisruptionBudget", {}, conditions(condition("DisruptionAllowed", "False", "SyncFailed"))),
  ],
  ["a signing request that nobody approved", "Progressing", live("certificates.k8s.io/v1/CertificateSigningRequest", {}, {})],
  [
    "a signing request that was denied",
    "Degraded",
    live("certificates.k8s.io/v1/CertificateSigningRequest", {}, conditions(condition("Denied", "True", "No"))),
  ],
  [
    "a signing request whose certificate is issued",
    "Healthy",
    live(
      "certificates.k8s.io/v1/CertificateSigningRequest",
      {},
      { certificate: "x", ...conditions(condition("Approved", "True")) },
    ),
  ],
  [
    "an autoscaler that is read under its first version",
    "Degraded",
    live(
      "autoscaling/v1/HorizontalPodAutoscaler",
      {},
      {},
      {
        annotations: {
          "autoscaling.alpha.kubernetes.io/conditions":
            '[{"type":"AbleToScale","status":"True"},{"type":"ScalingActive","status":"False","reason":"FailedGetScale"}]',
        },
      },
    ),
  ],
  ["a claim for a device that nobody uses yet", "Healthy", live("resource.k8s.io/v1/ResourceClaim", {}, {})],
  ["a custom resource without status", "Healthy", live("example.com/v1/Widget", {})],
  [
    "a custom resource whose controller set no condition yet",
    "Progressing",
    live("example.com/v1/Widget", {}, { conditions: [] }),
  ],
  [
    "a custom resource whose condition is a boolean",
    "Healthy",
    live("example.com/v1/Widget", {}, { conditions: [{ type: "Ready", status: true }] }),
  ],
  [
    "a custom resource that one of its gateways refuses",
    "Degraded",
    live(
      "example.com/v1/Policy",
      {},
      {
        ancestors: [conditions(condition("Accepted", "True")), conditions(condition("Accepted", "False", "Conflicted"))],
      },
    ),
  ],
  ["a custom resource that carries an error", "Degraded", live("example.com/v1/Widget", {}, { error: "no such bucket" })],
  ["a backup that runs", "Progressing", live("example.com/v1/WidgetBackup", {}, { phase: "Running" })],
  [
    "a custom resource that is paused by an annotation",
    "Suspended",
    live("example.com/v1/Widget", {}, conditions(condition("Ready", "True")), { annotations: { "example.com/paused": "true" } }),
  ],
  [
    "one of whose parts not all are ready",
    "Progressing",
    live("example.com/v1/Widget", {}, conditions(condition("AllReplicasReady", "False", "NotAllPodsReady"))),
  ],
  [
    "one that is not ready, for a fault that another condition tells",
    "Degraded",
    live("example.com/v1/Widget", {}, conditions(condition("Ready", "False"), condition("Running", "False", "Error", "404"))),
  ],
  [
    "one whose observedGeneration is a text",
    "Progressing",
    live("example.com/v1/Widget", {}, { observedGeneration: "1", phase: "Ready" }, { generation: 2 }),
  ],
  ["a custom resource that is ready", "Healthy", live("example.com/v1/Widget", {}, conditions(condition("Ready", "True")))],
  [
    "a custom resource that is ready for an older spec",
    "Progressing",
    live("example.com/v1/Widget", {}, { observedGeneration: 1, ...conditions(condition("Ready", "True")) }, { generation: 2 }),
  ],
  [
    "a stalled custom resource",
    "Degraded",
    live("example.com/v1/Widget", {}, conditions(condition("Ready", "True"), condition("Stalled", "True"))),
  ],
  [
    "a reconciling one",
    "Progressing",
    live("example.com/v1/Widget", {}, conditions(condition("Reconciling", "True"), condition("Ready", "True"))),
  ],
  [
    "one that is not ready and says why",
    "Degraded",
    live("example.com/v1/Widget", {}, conditions(condition("Ready", "False", "AccessDenied"))),
  ],
  [
    "one that is not ready yet",
    "Progressing",
    live("example.com/v1/Widget", {}, conditions(condition("Ready", "False", "Provisioning"))),
  ],
  [
    "one whose readiness is unknown",
    "Progressing",
    live("example.com/v1/Widget", {}, conditions(condition("Ready", "Unknown", "X"))),
  ],
  [
    "one that is ready and could not be brought in line",
    "Degraded",
    live("example.com/v1/Widget", {}, conditions(condition("Ready", "True"), condition("Synced", "False", "ReconcileError"))),
  ],
  ["one with a failed phase", "Degraded", live("example.com/v1/Widget", {}, { phase: "Failed" })],
  ["one with a phase of work", "Progressing", live("example.com/v1/Widget", {}, { phase: "Provisioning" })],
  ["one that Installed is", "Healthy", live("example.com/v1/Widget", {}, { status: "Installed" })],
  ["one whose word nobody knows", "Healthy", live("example.com/v1/Widget", {}, { phase: "Zebra" })],
  [
    "one that is suspended",
    "Suspended",
    live("example.com/v1/Widget", { suspend: true }, conditions(condition("Ready", "True"))),
  ],
  ["one that lacks replicas", "Progressing", live("example.com/v1/Widget", { replicas: 3 }, { readyReplicas: 2 })],
  [
    "anything that is being deleted",
    "Progressing",
    live("v1/ConfigMap", {}, undefined, { deletionTimestamp: "2026-03-01T10:00:00Z" }),
  ],
  [
    "a Knative Service, which is no Service",
    "Degraded",
    live("serving.knative.dev/v1/Service", {}, conditions(condition("Ready", "False", "RevisionFailed"))),
  ],
];

describe("assessHealth", () => {
  for (const [what, status, object] of rules) {
    it(`${what} is ${status}`, () => assert.equal(assessHealth(object).status, status));
  }

  it("says why in one sentence", () => {
    assert.equal(assessHealth(aDeployment({ ...rolledOut, updatedReplicas: 1 })).message, "1 of 2 replicas are updated");
    assert.equal(
      assessHealth(live("v1/ConfigMap", {}, undefined, { deletionTimestamp: "x", finalizers: ["a/hold"] })).message,
      "it is being deleted, held by a/hold",
    );
  });
});
