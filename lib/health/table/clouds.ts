import type { TableEntry } from "../table.ts";
import { annotated, annotatedAtAll, any, because, condition, every, not, there, unless, word } from "./cel.ts";

const readyReason = 'status.?conditions.orValue([]).exists(c, c.type == "Ready" && c.status == "False"';

const ackFault = any(
  condition("ACK.Terminal"),
  condition("ACK.Recoverable"),
  because("ACK.ReferencesResolved", "False", "Failed"),
);

const crossplaneFault = any(
  condition("Synced", "False"),
  condition("LastAsyncOperation", "False"),
  condition("Healthy", "False"),
  condition("Installed", "False"),
);

const machineFault = any(
  word("status.phase", "Failed"),
  `${readyReason} && c.?severity.orValue("") == "Error")`,
  'status.?failureMessage.orValue("") != ""',
);

/** What stands for something outside of the cluster, and clusters themselves. */
export const clouds: readonly TableEntry[] = [
  {
    groups: "*.crossplane.io *.upbound.io",
    kinds: "*",
    suspended: any(annotated("crossplane.io/paused"), because("Synced", "False", "ReconcilePaused")),
    failed: crossplaneFault,
    inProgress: unless(
      any(
        because("Ready", "False", "Creating", "Deleting", "Unavailable"),
        // A managed resource is synced first; until it tells that it is ready it is not there.
        every(
          condition("Synced"),
          "status.?conditions.orValue([]).all(c, c.type != 'Ready')",
          "has(spec.forProvider) || has(status.atProvider)",
        ),
      ),
      crossplaneFault,
    ),
  },
  {
    groups: "rds.aws.crossplane.io",
    kinds: "DBCluster DBInstance",
    suspended: any(because("Synced", "False", "ReconcilePaused"), annotated("crossplane.io/paused")),
    failed: condition("Synced", "False"),
  },
  {
    groups: "*.cnrm.cloud.google.com",
    kinds: "*",
    suspended: because("Ready", "False", "DependencyNotReady"),
    inProgress: because("Ready", "False", "Updating", "DeletionInProgress", "Deleting", "Creating"),
    failed: condition("Ready", "False"),
  },
  {
    groups: "*.azure.com",
    kinds: "*",
    failed: `${readyReason} && c.?severity.orValue("") in ["Error", "Warning"])`,
    inProgress: `${readyReason} && c.?severity.orValue("") == "Info")`,
    suspended: annotated("serviceoperator.azure.com/reconcile-policy", "skip"),
  },
  {
    groups: "*.services.k8s.aws",
    kinds: "*",
    failed: ackFault,
    inProgress: unless(
      any(
        condition("ACK.ResourceSynced", "False"),
        condition("ACK.ResourceSynced", "Unknown"),
        condition("ACK.ReferencesResolved", "Unknown"),
      ),
      ackFault,
    ),
    current: any(condition("ACK.ResourceSynced"), condition("Ready")),
  },
  {
    groups: "services.k8s.aws",
    kinds: "AdoptedResource",
    failed: condition("ACK.Adopted", "False"),
    current: condition("ACK.Adopted"),
  },
  {
    groups: "services.cloud.sap.com",
    kinds: "ServiceBinding ServiceInstance",
    failed: any(condition("Failed"), because("Succeeded", "False", "CreateFailed", "UpdateFailed", "DeleteFailed")),
    current: condition("Ready"),
  },
  {
    groups: "cluster.x-k8s.io",
    kinds: "*",
    suspended: any("spec.?paused.orValue(false)", annotatedAtAll("cluster.x-k8s.io/paused")),
    failed: machineFault,
    inProgress: unless(
      any(
        word("status.phase", "Pending", "Provisioning", "ScalingUp", "ScalingDown", "Deleting", "Unknown"),
        `${readyReason} && c.?severity.orValue("") == "Info")`,
      ),
      machineFault,
    ),
  },
  {
    groups: "cluster.x-k8s.io",
    kinds: "MachineHealthCheck",
    failed: "status.?currentHealthy.orValue(0) < status.?expectedMachines.orValue(0)",
    current: there("status.expectedMachines"),
  },
  {
    groups: "addons.cluster.x-k8s.io",
    kinds: "ClusterResourceSet",
    failed: condition("ResourcesApplied", "False"),
    current: condition("ResourcesApplied"),
  },
  {
    groups: "core.gardener.cloud",
    kinds: "Shoot",
    suspended: "status.?hibernated.orValue(false)",
    failed: any(
      word("status.lastOperation.state", "Error", "Failed", "Aborted"),
      "status.?conditions.orValue([]).size() == 0 && has(status.lastOperation)",
    ),
    inProgress: any(
      word("status.lastOperation.state", "Processing", "Pending"),
      "status.?conditions.orValue([]).exists(c, c.type == 'APIServerAvailable' && c.status in ['False', 'Progressing', 'Unknown'])",
    ),
    current: "status.?conditions.orValue([]).size() > 0 && status.conditions.all(c, c.status == 'True')",
    otherwise: "Unknown",
  },
  {
    groups: "karpenter.sh",
    kinds: "NodeClaim",
    suspended: condition("Disrupting"),
    failed: condition("Ready", "False"),
    current: condition("Ready"),
  },
  {
    groups: "metal3.io",
    kinds: "BareMetalHost",
    failed: word("status.operationalStatus", "error"),
    suspended: word("status.operationalStatus", "detached"),
    current: every(
      word("status.operationalStatus", "OK", "discovered"),
      word("status.provisioning.state", "provisioned", "available", "ready", "externally provisioned", "unmanaged"),
    ),
  },
  {
    groups: "hive.openshift.io",
    kinds: "ClusterDeployment",
    failed: any(condition("ProvisionFailed"), condition("ProvisionStopped")),
    suspended: word("status.powerState", "Hibernating"),
    current: "spec.?installed.orValue(false)",
  },
  {
    groups: "hypershift.openshift.io",
    kinds: "HostedCluster",
    failed: condition("Degraded"),
    inProgress: unless(condition("Progressing"), condition("Degraded")),
    current: condition("Available"),
  },
  {
    groups: "cluster.open-cluster-management.io",
    kinds: "ManagedCluster",
    failed: condition("ManagedClusterConditionAvailable", "False"),
    current: condition("ManagedClusterConditionAvailable"),
  },
  {
    groups: "cluster.open-cluster-management.io",
    kinds: "Placement",
    inProgress: because("PlacementSatisfied", "False", "NotAllDecisionsScheduled"),
    current: condition("PlacementSatisfied"),
    failed: condition("PlacementMisconfigured"),
  },
  {
    groups: "work.open-cluster-management.io",
    kinds: "ManifestWork",
    failed: any(condition("Applied", "False"), condition("Degraded")),
    current: every(condition("Applied"), not(condition("Available", "False"))),
  },
  {
    groups: "policy.open-cluster-management.io",
    kinds: "*",
    failed: word("status.compliant", "NonCompliant"),
    inProgress: word("status.compliant", "Pending"),
    current: any(word("status.compliant", "Compliant"), "has(spec.disabled) && spec.disabled"),
    suspended: "spec.?disabled.orValue(false)",
  },
  {
    groups: "kamaji.clastix.io",
    kinds: "TenantControlPlane",
    current: word("status.kubernetesResources.version.status", "Ready"),
  },
  {
    groups: "tinkerbell.org",
    kinds: "Workflow",
    failed: word("status.state", "STATE_FAILED", "STATE_TIMEOUT"),
    current: word("status.state", "STATE_SUCCESS"),
  },
];
