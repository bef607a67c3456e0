import type { TableEntry } from "../table.ts";
import { any, because, condition, every, not, there, unless, word } from "./cel.ts";

const subscriptionFault = any(
  condition("CatalogSourcesUnhealthy"),
  condition("InstallPlanFailed"),
  condition("ResolutionFailed"),
);

/** Operators, and what OpenShift adds. */
export const operators: readonly TableEntry[] = [
  {
    groups: "operators.coreos.com",
    kinds: "Subscription",
    failed: subscriptionFault,
    inProgress: unless(
      any(
        every(
          condition("InstallPlanPending"),
          not('spec.?installPlanApproval.orValue("") == "Manual" && status.?installedCSV.orValue("") != ""'),
        ),
        every(
          not(there("status.installedCSV")),
          not(there("status.currentCSV")),
          not(there("status.installplan")),
          not(condition("InstallPlanMissing")),
        ),
      ),
      subscriptionFault,
    ),
    current: any(
      there("status.installedCSV"),
      there("status.currentCSV"),
      there("status.installplan"),
      condition("InstallPlanMissing"),
    ),
  },
  {
    groups: "operators.coreos.com",
    kinds: "CatalogSource",
    failed: word("status.connectionState.lastObservedState", "TRANSIENT_FAILURE", "SHUTDOWN"),
    current: word("status.connectionState.lastObservedState", "READY", "IDLE"),
  },
  {
    groups: "operators.coreos.com",
    kinds: "InstallPlan",
    suspended: word("status.phase", "RequiresApproval"),
    failed: word("status.phase", "Failed"),
    current: word("status.phase", "Complete"),
  },
  {
    groups: "operators.coreos.com",
    kinds: "ClusterServiceVersion",
    failed: word("status.phase", "Failed", "Unknown"),
    current: word("status.phase", "Succeeded"),
  },
  {
    groups: "olm.operatorframework.io",
    kinds: "ClusterExtension",
    failed: any(because("Progressing", "False", "Blocked"), because("Installed", "False", "Failed")),
    current: condition("Installed"),
  },
  {
    groups: "olm.operatorframework.io",
    kinds: "ClusterCatalog",
    failed: because("Progressing", "False", "Blocked"),
    current: condition("Serving"),
  },
  {
    groups: "apps.openshift.io",
    kinds: "DeploymentConfig",
    suspended: "spec.?paused.orValue(false)",
    failed: any(condition("Progressing", "False"), condition("ReplicaFailure")),
    inProgress: unless(
      any(
        "status.?updatedReplicas.orValue(0) < spec.?replicas.orValue(0)",
        "status.?availableReplicas.orValue(0) < spec.?replicas.orValue(0)",
        condition("Available", "False"),
      ),
      any(condition("Progressing", "False"), condition("ReplicaFailure")),
    ),
    current: there("status.observedGeneration"),
  },
  {
    groups: "build.openshift.io",
    kinds: "Build",
    failed: word("status.phase", "Failed", "Error", "Cancelled"),
    current: word("status.phase", "Complete"),
  },
  {
    groups: "config.openshift.io",
    kinds: "ClusterOperator ClusterVersion",
    failed: any(condition("Degraded"), condition("Failing"), condition("Available", "False")),
    inProgress: unless(condition("Progressing"), condition("Degraded")),
    current: condition("Available"),
  },
  {
    groups: "machineconfiguration.openshift.io",
    kinds: "MachineConfigPool",
    suspended: "spec.?paused.orValue(false)",
    failed: any(condition("Degraded"), condition("RenderDegraded"), condition("NodeDegraded")),
    inProgress: unless(condition("Updating"), condition("Degraded")),
    current: condition("Updated"),
  },
  { groups: "agent-install.openshift.io", kinds: "*", failed: any(condition("SpecSynced", "False"), condition("Failed")) },
  {
    groups: "compliance.openshift.io",
    kinds: "ComplianceScan ComplianceSuite",
    current: word("status.phase", "DONE"),
    failed: word("status.result", "ERROR"),
  },
  {
    groups: "remediation.medik8s.io",
    kinds: "NodeHealthCheck",
    suspended: word("status.phase", "Paused"),
    failed: word("status.phase", "Disabled"),
    inProgress: word("status.phase", "Remediating"),
    current: word("status.phase", "Enabled"),
  },
  {
    groups: "forklift.konveyor.io",
    kinds: "*",
    failed: "status.?conditions.orValue([]).exists(c, c.?category.orValue('') in ['Critical', 'Error'] && c.status == 'True')",
  },
  {
    groups: "platform.stackrox.io",
    kinds: "*",
    failed: any(condition("ReleaseFailed"), condition("Irreconcilable")),
    current: condition("Deployed"),
  },
  // What an operator of the Ansible kind makes: its last run ended well, or is at it.
  {
    groups: "awx.ansible.com kiali.io",
    kinds: "*",
    failed: any(condition("Failure"), condition("Failed")),
    inProgress: because("Running", "True", "Running"),
    current: any(condition("Successful"), because("Running", "True", "Successful"), condition("Ready")),
  },
  {
    groups: "capabilities.3scale.net",
    kinds: "*",
    suspended: any(
      word("status.developerUserState", "suspended"),
      word("status.accountState", "suspended"),
      word("status.state", "suspended"),
    ),
    failed: any(condition("Failed"), condition("Invalid"), condition("Orphan"), condition("Ready", "False")),
  },
];
