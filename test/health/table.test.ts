import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { evaluate, expressionProblem, fieldsOf } from "../../lib/cel/expressions.ts";
import { assessHealth } from "../../lib/health/health.ts";
import { entries, entryOf } from "../../lib/health/table.ts";
import type { HealthStatus } from "../../lib/model/health.ts";
import type { JsonObject } from "../../lib/model/json.ts";
import type { Manifest } from "../../lib/model/resource.ts";

const c = (type: string, status: string, reason = "", message = ""): JsonObject => ({ type, status, reason, message });

function o(apiVersion: string, kind: string, status?: JsonObject, spec: JsonObject = {}, metadata: JsonObject = {}): Manifest {
  const object = { apiVersion, kind, metadata: { name: "web", ...metadata }, spec };
  return status === undefined ? object : { ...object, status };
}

/** Objects as their controllers are documented to report on them. */
const known: readonly (readonly [HealthStatus, Manifest])[] = [
  [
    "Healthy",
    o(
      "argoproj.io/v1alpha1",
      "Rollout",
      { phase: "Healthy", replicas: 3, updatedReplicas: 3, availableReplicas: 3, observedGeneration: "2" },
      { replicas: 3 },
      { generation: 2 },
    ),
  ],
  [
    "Progressing",
    o(
      "argoproj.io/v1alpha1",
      "Rollout",
      { phase: "Healthy", replicas: 3, updatedReplicas: 3, availableReplicas: 3, observedGeneration: "1" },
      { replicas: 3 },
      { generation: 2 },
    ),
  ],
  [
    "Suspended",
    o(
      "argoproj.io/v1alpha1",
      "Rollout",
      { phase: "Paused", pauseConditions: [{ reason: "CanaryPauseStep" }], message: "CanaryPauseStep" },
      { replicas: 3 },
    ),
  ],
  [
    "Degraded",
    o("argoproj.io/v1alpha1", "Rollout", { phase: "Degraded", abort: true, message: "RolloutAborted: aborted" }, { replicas: 3 }),
  ],
  [
    "Degraded",
    o("argoproj.io/v1alpha1", "Rollout", { conditions: [c("InvalidSpec", "True", "InvalidSpec", "bad")] }, { replicas: 3 }),
  ],
  [
    "Progressing",
    o(
      "argoproj.io/v1alpha1",
      "Rollout",
      { replicas: 3, updatedReplicas: 1, conditions: [c("Progressing", "True", "ReplicaSetUpdated")] },
      { replicas: 3 },
    ),
  ],
  ["Progressing", o("argoproj.io/v1alpha1", "Rollout")],
  ["Progressing", o("argoproj.io/v1alpha1", "Workflow", { phase: "Running" })],
  ["Healthy", o("argoproj.io/v1alpha1", "Workflow", { phase: "Succeeded" })],
  ["Degraded", o("argoproj.io/v1alpha1", "Workflow", { phase: "Failed", message: "child failed" })],
  ["Healthy", o("argoproj.io/v1alpha1", "WorkflowTemplate")],
  ["Healthy", o("argoproj.io/v1alpha1", "AppProject")],
  ["Healthy", o("argoproj.io/v1alpha1", "CronWorkflow", { conditions: [] })],
  ["Degraded", o("argoproj.io/v1alpha1", "CronWorkflow", { conditions: [c("SubmissionError", "True", "", "bad")] })],
  ["Healthy", o("argoproj.io/v1alpha1", "AnalysisRun", { phase: "Successful" })],
  ["Progressing", o("argoproj.io/v1alpha1", "AnalysisRun", { phase: "Running" })],
  ["Unknown", o("argoproj.io/v1alpha1", "AnalysisRun", { phase: "Inconclusive" })],
  [
    "Healthy",
    o("argoproj.io/v1alpha1", "Application", {
      health: { status: "Healthy" },
      sync: { status: "Synced" },
      operationState: { phase: "Succeeded" },
    }),
  ],
  [
    "Progressing",
    o("argoproj.io/v1alpha1", "Application", { health: { status: "Progressing" }, operationState: { phase: "Running" } }),
  ],
  ["Degraded", o("argoproj.io/v1alpha1", "Application", { health: { status: "Degraded" } })],
  [
    "Healthy",
    o("argoproj.io/v1alpha1", "Sensor", {
      conditions: [c("DependenciesProvided", "True"), c("Deployed", "True"), c("TriggersProvided", "True")],
    }),
  ],
  [
    "Degraded",
    o("argoproj.io/v1alpha1", "Sensor", {
      conditions: [c("DependenciesProvided", "True"), c("Deployed", "False", "CreateFailed", "x")],
    }),
  ],
  ["Healthy", o("argoproj.io/v1beta1", "ArgoCD", { phase: "Available" })],
  [
    "Healthy",
    o(
      "helm.toolkit.fluxcd.io/v2",
      "HelmRelease",
      { conditions: [c("Ready", "True", "InstallSucceeded"), c("Released", "True")], observedGeneration: 1 },
      {},
      { generation: 1 },
    ),
  ],
  [
    "Progressing",
    o("helm.toolkit.fluxcd.io/v2", "HelmRelease", {
      conditions: [c("Reconciling", "True", "Progressing"), c("Ready", "Unknown", "Progressing")],
    }),
  ],
  [
    "Degraded",
    o("helm.toolkit.fluxcd.io/v2", "HelmRelease", { conditions: [c("Ready", "False", "InstallFailed", "timed out")] }),
  ],
  ["Suspended", o("helm.toolkit.fluxcd.io/v2", "HelmRelease", { conditions: [c("Ready", "True")] }, { suspend: true })],
  ["Progressing", o("helm.toolkit.fluxcd.io/v2", "HelmRelease")],
  [
    "Degraded",
    o("source.toolkit.fluxcd.io/v1", "GitRepository", { conditions: [c("Ready", "False", "GitOperationFailed", "auth")] }),
  ],
  ["Healthy", o("source.toolkit.fluxcd.io/v1", "HelmRepository", undefined, { type: "oci" })],
  ["Progressing", o("source.toolkit.fluxcd.io/v1", "HelmRepository", undefined, { url: "x" })],
  ["Healthy", o("notification.toolkit.fluxcd.io/v1beta3", "Provider")],
  [
    "Progressing",
    o("cert-manager.io/v1", "Certificate", {
      conditions: [
        c("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist"),
        c("Issuing", "True", "DoesNotExist"),
      ],
    }),
  ],
  ["Healthy", o("cert-manager.io/v1", "Certificate", { conditions: [c("Ready", "True", "Ready")] })],
  [
    "Degraded",
    o("cert-manager.io/v1", "Certificate", {
      conditions: [c("Ready", "False", "Failed", "x"), c("Issuing", "False", "Failed", "x")],
    }),
  ],
  ["Progressing", o("cert-manager.io/v1", "ClusterIssuer")],
  ["Degraded", o("cert-manager.io/v1", "Issuer", { conditions: [c("Ready", "False", "ErrGetKeyPair", "x")] })],
  ["Progressing", o("acme.cert-manager.io/v1", "Order", { state: "pending" })],
  ["Degraded", o("acme.cert-manager.io/v1", "Challenge", { state: "invalid", processing: false })],
  [
    "Progressing",
    o("tekton.dev/v1", "PipelineRun", { conditions: [c("Succeeded", "Unknown", "Running", "Tasks Completed: 0")] }),
  ],
  ["Healthy", o("tekton.dev/v1", "PipelineRun", { conditions: [c("Succeeded", "True", "Completed")] })],
  ["Degraded", o("tekton.dev/v1", "TaskRun", { conditions: [c("Succeeded", "False", "Failed", "x")] })],
  ["Healthy", o("operator.tekton.dev/v1alpha1", "TektonConfig", { conditions: [c("Ready", "True")], version: "1" })],
  [
    "Healthy",
    o("ray.io/v1", "RayCluster", { state: "ready", conditions: [c("RayClusterProvisioned", "True"), c("HeadPodReady", "True")] }),
  ],
  ["Progressing", o("ray.io/v1", "RayCluster", { desiredWorkerReplicas: 1 })],
  ["Suspended", o("ray.io/v1", "RayCluster", { state: "suspended" }, { suspend: true })],
  ["Progressing", o("ray.io/v1", "RayJob", { jobStatus: "RUNNING", jobDeploymentStatus: "Running" })],
  ["Degraded", o("ray.io/v1", "RayJob", { jobStatus: "FAILED", jobDeploymentStatus: "Failed", message: "x" })],
  ["Healthy", o("ray.io/v1", "RayService", { serviceStatus: "Running" })],
  ["Progressing", o("ray.io/v1", "RayService", { serviceStatus: "WaitForServeDeploymentReady" })],
  ["Healthy", o("sparkoperator.k8s.io/v1beta2", "SparkApplication", { applicationState: { state: "RUNNING" } })],
  [
    "Degraded",
    o("sparkoperator.k8s.io/v1beta2", "SparkApplication", { applicationState: { state: "FAILED", errorMessage: "oom" } }),
  ],
  ["Progressing", o("sparkoperator.k8s.io/v1beta2", "SparkApplication", { applicationState: { state: "SUBMITTED" } })],
  ["Healthy", o("snapshot.storage.k8s.io/v1", "VolumeSnapshot", { readyToUse: true })],
  ["Progressing", o("snapshot.storage.k8s.io/v1", "VolumeSnapshot", { readyToUse: false })],
  ["Degraded", o("snapshot.storage.k8s.io/v1", "VolumeSnapshot", { readyToUse: false, error: { message: "x" } })],
  [
    "Healthy",
    o("gateway.networking.k8s.io/v1", "Gateway", {
      conditions: [c("Accepted", "True"), c("Programmed", "True")],
      listeners: [{ name: "h", conditions: [c("ResolvedRefs", "True")] }],
    }),
  ],
  [
    "Progressing",
    o("gateway.networking.k8s.io/v1", "Gateway", {
      conditions: [c("Accepted", "Unknown", "Pending"), c("Programmed", "Unknown", "Pending")],
    }),
  ],
  ["Degraded", o("gateway.networking.k8s.io/v1", "Gateway", { conditions: [c("Accepted", "False", "InvalidParameters")] })],
  [
    "Healthy",
    o("gateway.networking.k8s.io/v1", "HTTPRoute", {
      parents: [{ conditions: [c("Accepted", "True"), c("ResolvedRefs", "True")] }],
    }),
  ],
  [
    "Degraded",
    o("gateway.networking.k8s.io/v1", "HTTPRoute", {
      parents: [{ conditions: [c("Accepted", "True"), c("ResolvedRefs", "False", "BackendNotFound", "x")] }],
    }),
  ],
  ["Progressing", o("gateway.networking.k8s.io/v1", "HTTPRoute", { parents: [] })],
  ["Healthy", o("gateway.networking.k8s.io/v1", "GatewayClass", { conditions: [c("Accepted", "True")] })],
  [
    "Progressing",
    o("gateway.networking.k8s.io/v1", "GatewayClass", {
      conditions: [c("Accepted", "Unknown", "Pending", "Waiting for controller")],
    }),
  ],
  ["Healthy", o("gateway.networking.k8s.io/v1beta1", "ReferenceGrant")],
  ["Healthy", o("networking.istio.io/v1", "VirtualService")],
  ["Healthy", o("monitoring.coreos.com/v1", "ServiceMonitor")],
  [
    "Healthy",
    o(
      "example.crossplane.io/v1",
      "Bucket",
      { conditions: [c("Ready", "True", "Available"), c("Synced", "True", "ReconcileSuccess")] },
      { forProvider: {} },
    ),
  ],
  [
    "Progressing",
    o(
      "s3.aws.upbound.io/v1",
      "Bucket",
      { conditions: [c("Ready", "False", "Creating"), c("Synced", "True", "ReconcileSuccess")] },
      { forProvider: {} },
    ),
  ],
  [
    "Degraded",
    o("s3.aws.upbound.io/v1", "Bucket", { conditions: [c("Synced", "False", "ReconcileError", "denied")] }, { forProvider: {} }),
  ],
  ["Progressing", o("s3.aws.upbound.io/v1", "Bucket", undefined, { forProvider: {} })],
  ["Healthy", o("pkg.crossplane.io/v1", "Provider", { conditions: [c("Installed", "True"), c("Healthy", "True")] })],
  [
    "Healthy",
    o("apiextensions.crossplane.io/v1", "CompositeResourceDefinition", {
      conditions: [c("Established", "True"), c("Offered", "True")],
    }),
  ],
  ["Healthy", o("s3.services.k8s.aws/v1alpha1", "Bucket", { conditions: [c("ACK.ResourceSynced", "True")] })],
  [
    "Degraded",
    o("s3.services.k8s.aws/v1alpha1", "Bucket", {
      conditions: [c("ACK.ResourceSynced", "False"), c("ACK.Recoverable", "True", "", "AccessDenied")],
    }),
  ],
  [
    "Progressing",
    o("rds.services.k8s.aws/v1alpha1", "DBInstance", { conditions: [c("ACK.ResourceSynced", "False", "", "creating")] }),
  ],
  [
    "Progressing",
    o("resources.azure.com/v1", "ResourceGroup", { conditions: [{ ...c("Ready", "False", "Reconciling"), severity: "Info" }] }),
  ],
  [
    "Degraded",
    o("resources.azure.com/v1", "ResourceGroup", { conditions: [{ ...c("Ready", "False", "AuthFailed"), severity: "Error" }] }),
  ],
  ["Healthy", o("karpenter.sh/v1", "NodePool", { conditions: [c("Ready", "True")] })],
  [
    "Progressing",
    o("flink.apache.org/v1beta1", "FlinkDeployment", {
      lifecycleState: "DEPLOYED",
      jobManagerDeploymentStatus: "DEPLOYING",
      jobStatus: { state: "RECONCILING" },
    }),
  ],
  [
    "Healthy",
    o("flink.apache.org/v1beta1", "FlinkDeployment", {
      lifecycleState: "STABLE",
      jobManagerDeploymentStatus: "READY",
      jobStatus: { state: "RUNNING" },
    }),
  ],
  [
    "Suspended",
    o(
      "flink.apache.org/v1beta1",
      "FlinkDeployment",
      { lifecycleState: "SUSPENDED", jobStatus: { state: "FINISHED" } },
      { job: { state: "suspended" } },
    ),
  ],
  ["Healthy", o("mongodb.com/v1", "MongoDB", { phase: "Running" })],
  ["Progressing", o("mongodb.com/v1", "MongoDB", { phase: "Reconciling" })],
  ["Degraded", o("mongodb.com/v1", "MongoDB", { phase: "Failed", message: "x" })],
  ["Progressing", o("mongodbcommunity.mongodb.com/v1", "MongoDBCommunity", { phase: "Pending" })],
  ["Healthy", o("pxc.percona.com/v1", "PerconaXtraDBCluster", { state: "ready" })],
  ["Progressing", o("pxc.percona.com/v1", "PerconaXtraDBCluster", { state: "initializing" })],
  ["Healthy", o("velero.io/v1", "Backup", { phase: "Completed" })],
  ["Progressing", o("velero.io/v1", "Backup", { phase: "InProgress" })],
  ["Degraded", o("velero.io/v1", "Backup", { phase: "PartiallyFailed" })],
  ["Healthy", o("velero.io/v1", "BackupStorageLocation", { phase: "Available" })],
  ["Healthy", o("operators.coreos.com/v1alpha1", "ClusterServiceVersion", { phase: "Succeeded" })],
  ["Progressing", o("operators.coreos.com/v1alpha1", "ClusterServiceVersion", { phase: "Installing" })],
  [
    "Healthy",
    o("config.openshift.io/v1", "ClusterOperator", {
      conditions: [c("Available", "True"), c("Progressing", "False"), c("Degraded", "False"), c("Upgradeable", "False")],
    }),
  ],
  [
    "Progressing",
    o("config.openshift.io/v1", "ClusterVersion", {
      conditions: [c("Available", "True"), c("Progressing", "True"), c("Failing", "False")],
    }),
  ],
  [
    "Healthy",
    o("kubeflow.org/v1", "PyTorchJob", { conditions: [c("Created", "True"), c("Running", "False"), c("Succeeded", "True")] }),
  ],
  ["Progressing", o("kubeflow.org/v1", "PyTorchJob", { conditions: [c("Created", "True"), c("Running", "True")] })],
  [
    "Healthy",
    o("kubeflow.org/v1", "Notebook", { readyReplicas: 1, conditions: [c("Running", "True")], containerState: { running: {} } }),
  ],
  ["Healthy", o("kafka.strimzi.io/v1beta2", "KafkaNodePool", { observedGeneration: 1, nodeIds: [0] }, {}, { generation: 1 })],
  [
    "Healthy",
    o(
      "apps.kruise.io/v1alpha1",
      "CloneSet",
      { observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 3, updatedReadyReplicas: 3 },
      { replicas: 3 },
      { generation: 1 },
    ),
  ],
  [
    "Progressing",
    o(
      "apps.kruise.io/v1alpha1",
      "CloneSet",
      { observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 3, updatedReadyReplicas: 1 },
      { replicas: 3 },
      { generation: 1 },
    ),
  ],
  [
    "Suspended",
    o(
      "apps.kruise.io/v1alpha1",
      "CloneSet",
      { observedGeneration: 1, replicas: 3, updatedReadyReplicas: 1 },
      { replicas: 3, updateStrategy: { paused: true } },
      { generation: 1 },
    ),
  ],
  [
    "Healthy",
    o("numaflow.numaproj.io/v1alpha1", "Pipeline", {
      phase: "Running",
      conditions: [c("Configured", "True"), c("Deployed", "True"), c("VerticesHealthy", "True")],
    }),
  ],
  ["Suspended", o("numaflow.numaproj.io/v1alpha1", "Pipeline", { phase: "Paused" })],
  [
    "Healthy",
    o("numaplane.numaproj.io/v1alpha1", "PipelineRollout", {
      phase: "Deployed",
      conditions: [c("ChildResourcesHealthy", "True"), c("ChildResourceDeployed", "True")],
    }),
  ],
  [
    "Healthy",
    o("grafana.integreatly.org/v1beta1", "GrafanaDashboard", {
      hash: "x",
      uid: "u",
      conditions: [c("DashboardSynchronized", "True")],
    }),
  ],
  ["Healthy", o("kyverno.io/v1", "ClusterPolicy", { conditions: [c("Ready", "True", "Succeeded")], ready: true })],
  ["Healthy", o("networking.gke.io/v1", "ManagedCertificate", { certificateStatus: "Active" })],
  ["Progressing", o("networking.gke.io/v1", "ManagedCertificate", { certificateStatus: "Provisioning" })],
  ["Healthy", o("install.istio.io/v1alpha1", "IstioOperator", { status: "HEALTHY" })],
  ["Healthy", o("route.openshift.io/v1", "Route", { ingress: [{ conditions: [c("Admitted", "True")] }] })],
  [
    "Healthy",
    o("machineconfiguration.openshift.io/v1", "MachineConfigPool", {
      conditions: [c("Updated", "True"), c("Updating", "False"), c("Degraded", "False")],
    }),
  ],
  [
    "Healthy",
    o("kargo.akuity.io/v1alpha1", "Stage", {
      phase: "Steady",
      health: { status: "Healthy" },
      conditions: [c("Ready", "True"), c("Healthy", "True")],
    }),
  ],
  ["Healthy", o("db.atlasgo.io/v1alpha1", "AtlasSchema", { conditions: [c("Ready", "True", "Applied")] })],
  ["Progressing", o("pulumi.com/v1", "Stack", { conditions: [c("Reconciling", "True"), c("Ready", "False", "Processing")] })],
  [
    "Degraded",
    o("redhatcop.redhat.io/v1alpha1", "KeepalivedGroup", {
      conditions: [c("ReconcileError", "True", "LastReconcileCycleFailed", "x")],
    }),
  ],
  ["Healthy", o("batch.volcano.sh/v1alpha1", "Job", { state: { phase: "Running" } })],
  ["Healthy", o("longhorn.io/v1beta2", "Volume", { state: "attached", robustness: "healthy" })],
  ["Healthy", o("ceph.rook.io/v1", "CephBlockPool", { phase: "Ready" })],
  ["Healthy", o("k8s.nginx.org/v1", "VirtualServer", { state: "Valid" })],
  ["Healthy", o("getambassador.io/v3alpha1", "Mapping")],
  [
    "Healthy",
    o("datadoghq.com/v1alpha1", "DatadogMetric", {
      conditions: [c("Active", "True"), c("Valid", "True"), c("Updated", "True"), c("Error", "False")],
    }),
  ],
  [
    "Degraded",
    o("datadoghq.com/v1alpha1", "DatadogMetric", {
      conditions: [c("Active", "True"), c("Valid", "False"), c("Error", "True", "", "x")],
    }),
  ],
  ["Healthy", o("policy.open-cluster-management.io/v1", "Policy", { compliant: "Compliant" })],
  ["Degraded", o("policy.open-cluster-management.io/v1", "ConfigurationPolicy", { compliant: "NonCompliant" })],
  [
    "Healthy",
    o("services.cloud.sap.com/v1", "ServiceInstance", {
      conditions: [c("Ready", "True"), c("Succeeded", "True")],
      ready: "True",
    }),
  ],
  [
    "Progressing",
    o("services.cloud.sap.com/v1", "ServiceInstance", {
      conditions: [c("Ready", "False"), c("Succeeded", "False", "CreateInProgress")],
    }),
  ],
  ["Healthy", o("keycloak.org/v1alpha1", "Keycloak", { ready: true, phase: "reconciling" })],
  ["Healthy", o("camel.apache.org/v1", "Integration", { phase: "Running", conditions: [c("Ready", "True")] })],
  ["Healthy", o("trust.cert-manager.io/v1alpha1", "Bundle", { conditions: [c("Synced", "True")] })],
  ["Healthy", o("infrastructure.cluster.x-k8s.io/v1beta1", "AWSMachineTemplate")],
  ["Healthy", o("infrastructure.cluster.x-k8s.io/v1beta1", "AWSCluster", { ready: true, conditions: [c("Ready", "True")] })],
  ["Healthy", o("sloth.slok.dev/v1", "PrometheusServiceLevel", { promOpRulesGenerated: true })],
  ["Healthy", o("secrets.hashicorp.com/v1beta1", "VaultConnection", { valid: true })],
  ["Healthy", o("instana.io/v1", "InstanaAgent", { conditions: [c("Ready", "True")] })],
  ["Healthy", o("actions.github.com/v1alpha1", "AutoscalingRunnerSet", { currentRunners: 0 })],
  ["Healthy", o("jetstream.nats.io/v1beta2", "Stream", { conditions: [c("Ready", "True", "Created")] })],
  ["Progressing", o("app.redislabs.com/v1", "RedisEnterpriseCluster", { state: "Initializing" })],
];

describe("the table of well-known kinds", () => {
  for (const [status, object] of known) {
    const told = object["status"] === undefined ? "without a status" : `that reports ${JSON.stringify(object["status"])}`;
    it(`a ${object.kind} of ${object.apiVersion} ${told} is ${status}`, () => {
      const { status: actual, message } = assessHealth(object);
      assert.equal(actual, status, message);
      assert.doesNotMatch(message, /cannot be evaluated/);
    });
  }

  it("holds only expressions that can be evaluated, also on an object that says nothing", () => {
    const silent = fieldsOf({ apiVersion: "a/v1", kind: "A", metadata: { name: "a" }, spec: {}, status: {} });
    for (const entry of entries) {
      for (const text of [entry.suspended, entry.inProgress, entry.failed, entry.current]) {
        if (text === undefined) continue;
        assert.equal(expressionProblem(text), undefined, text);
        assert.equal(typeof evaluate(text, silent), "boolean", `${entry.groups} ${entry.kinds}: ${text}`);
      }
    }
  });

  it("names no kind twice in full", () => {
    const seen = new Map<string, number>();
    for (const { groups, kinds, ...rules } of entries) {
      if (Object.keys(rules).length === 0) continue;
      for (const group of groups.split(" ")) {
        for (const kind of kinds.split(" ")) seen.set(`${group}/${kind}`, (seen.get(`${group}/${kind}`) ?? 0) + 1);
      }
    }
    assert.deepEqual(
      [...seen].filter(([, times]) => times > 1),
      [],
    );
  });

  it("prefers the entry that names a kind to that of its group, and that of a group to that of a family of groups", () => {
    assert.equal(entryOf({ apiVersion: "pkg.crossplane.io/v1", kind: "ProviderConfig" })?.current, "true");
    assert.equal(entryOf({ apiVersion: "rds.aws.crossplane.io/v1", kind: "DBCluster" })?.groups, "rds.aws.crossplane.io");
    assert.equal(entryOf({ apiVersion: "rabbitmq.com/v1", kind: "RabbitmqCluster" })?.kinds, "RabbitmqCluster");
    assert.equal(entryOf({ apiVersion: "rabbitmq.com/v1", kind: "Queue" })?.kinds, "*");
    assert.equal(entryOf({ apiVersion: "infrastructure.cluster.x-k8s.io/v1", kind: "XMachineTemplate" })?.current, "true");
    assert.equal(entryOf({ apiVersion: "example.com/v1", kind: "Widget" }), undefined);
  });
});
