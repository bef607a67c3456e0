import type { TableEntry } from "../table.ts";
import { any, because, condition, every, not, there, unless, word } from "./cel.ts";

const environments = "status.?environments.orValue([])";

const rolloutFault = any(
  word("status.phase", "Degraded"),
  condition("InvalidSpec"),
  because("Progressing", "False", "RolloutAborted", "ProgressDeadlineExceeded"),
  "status.?abort.orValue(false)",
);

const numaplaneFault = any(
  word("status.phase", "Failed"),
  condition("ChildResourcesHealthy", "False"),
  condition("ProgressiveUpgradeSucceeded", "False"),
);

/** What is proposed is not what is active, or one of the two is not known yet. */
const unpromoted = (part: string): string =>
  ["active", "proposed"].map((side) => `${part}.?${side}.?dry.?sha.orValue("") == ""`).join(" || ") +
  ` || ${part}.active.dry.sha != ${part}.proposed.dry.sha`;

/** What brings software somewhere: pipelines, rollouts, promotions. */
export const delivery: readonly TableEntry[] = [
  {
    groups: "argoproj.io",
    kinds: "Application",
    suspended: word("status.health.status", "Suspended"),
    failed: any(word("status.health.status", "Degraded", "Missing"), word("status.operationState.phase", "Failed", "Error")),
    current: every(word("status.health.status", "Healthy"), not(word("status.operationState.phase", "Running", "Terminating"))),
  },
  {
    groups: "argoproj.io",
    kinds: "ApplicationSet",
    failed: condition("ErrorOccurred"),
    inProgress: condition("RolloutProgressing"),
    current: condition("ResourcesUpToDate"),
  },
  {
    groups: "argoproj.io",
    kinds: "Rollout",
    suspended: unless(
      any("spec.?paused.orValue(false)", word("status.phase", "Paused"), "status.?pauseConditions.orValue([]).size() > 0"),
      rolloutFault,
    ),
    inProgress: unless(
      any(word("status.phase", "Progressing"), "status.?updatedReplicas.orValue(0) < spec.?replicas.orValue(1)"),
      rolloutFault,
    ),
    failed: rolloutFault,
    current: any(word("status.phase", "Healthy"), "status.?availableReplicas.orValue(0) >= spec.?replicas.orValue(1)"),
  },
  {
    groups: "argoproj.io",
    kinds: "AnalysisRun Experiment",
    failed: word("status.phase", "Failed", "Error"),
    inProgress: word("status.phase", "Pending", "Running", ""),
    current: word("status.phase", "Successful"),
    otherwise: "Unknown",
  },
  {
    groups: "argoproj.io",
    kinds: "Workflow",
    suspended: any(
      "has(spec.suspend) && spec.suspend == true",
      'status.?nodes.orValue({}).exists(n, status.nodes[n].?type.orValue("") == "Suspend" && status.nodes[n].?phase.orValue("") == "Running")',
    ),
    failed: word("status.phase", "Failed", "Error"),
    current: word("status.phase", "Succeeded", "Skipped", "Omitted"),
  },
  {
    groups: "argoproj.io",
    kinds: "CronWorkflow",
    suspended: "spec.?suspend.orValue(false)",
    failed: condition("SubmissionError"),
    current: "true",
  },
  {
    groups: "argoproj.io",
    kinds: "EventBus EventSource Sensor",
    failed: "status.?conditions.orValue([]).exists(c, c.status == 'False')",
    inProgress: "status.?conditions.orValue([]).exists(c, c.status == 'Unknown')",
    current: "status.?conditions.orValue([]).size() > 0",
  },
  {
    groups: "kargo.akuity.io",
    kinds: "Stage",
    failed: word("status.health.status", "Unhealthy", "Unknown"),
    inProgress: any(word("status.health.status", "Progressing"), word("status.phase", "Promoting", "Verifying")),
  },
  {
    groups: "source.toolkit.fluxcd.io",
    kinds: "HelmRepository",
    current: any(condition("Ready"), 'spec.?type.orValue("") == "oci"'),
    failed: any(condition("Stalled"), condition("Ready", "False")),
  },
  {
    groups: "promoter.argoproj.io",
    kinds: "PromotionStrategy",
    failed: "has(status.environments) && status.environments.size() == 0",
    inProgress: unless(
      `${environments}.exists(e, ${unpromoted("e")} || e.proposed.dry.sha != status.environments[0].?proposed.?dry.?sha.orValue(""))`,
      condition("Ready", "False"),
    ),
  },
  {
    groups: "promoter.argoproj.io",
    kinds: "ChangeTransferPolicy",
    inProgress: unless(
      every(there("status.active"), there("status.proposed"), unpromoted("status")),
      condition("Ready", "False"),
    ),
  },
  {
    groups: "promoter.argoproj.io",
    kinds: "ArgoCDCommitStatus",
    failed: "has(status.applicationsSelected) && status.applicationsSelected.size() == 0",
  },
  {
    groups: "promoter.argoproj.io",
    kinds: "GitCommitStatus TimedCommitStatus WebRequestCommitStatus",
    failed: `${environments}.exists(e, e.?phase.orValue("") == "failure")`,
    inProgress: `${environments}.exists(e, e.?phase.orValue("") == "pending")`,
  },
  {
    groups: "metrics.keptn.sh",
    kinds: "Analysis",
    failed: any("status.?pass.orValue(true) == false && status.?state.orValue('') == 'Completed'"),
  },
  {
    groups: "metrics.keptn.sh",
    kinds: "KeptnMetric",
    current: 'status.?value.orValue("") != ""',
    failed: 'status.?errMsg.orValue("") != ""',
  },
  { groups: "tower.ansible.com", kinds: "AnsibleJob", inProgress: word("status.ansibleJobResult.status", "running") },
  {
    groups: "rollouts.kruise.io",
    kinds: "Rollout",
    suspended: every(
      word("status.phase", "Progressing"),
      any(
        word("status.canaryStatus.currentStepState", "StepPaused"),
        word("status.blueGreenStatus.currentStepState", "StepPaused"),
      ),
    ),
    failed: word("status.phase", "Disabled", "Disabling"),
    current: word("status.phase", "Healthy"),
  },
  {
    groups: "numaplane.numaproj.io",
    kinds: "*",
    failed: numaplaneFault,
    inProgress: unless(any(word("status.phase", "Pending"), not(there("status.phase"))), numaplaneFault),
  },
  {
    groups: "numaflow.numaproj.io",
    kinds: "*",
    suspended: word("status.phase", "Paused"),
    failed: any(word("status.phase", "Failed"), word("status.drainedOnPause", "Failed")),
  },
  { groups: "tekton.dev", kinds: "CustomRun PipelineRun Run TaskRun", failed: condition("Succeeded", "False") },
  { groups: "pulumi.com", kinds: "Stack", failed: word("status.lastUpdate.state", "failed") },
  {
    groups: "core.oam.dev",
    kinds: "Application",
    suspended: word("status.status", "workflowSuspending"),
    current: word("status.status", "running"),
    failed: word("status.status", "unhealthy", "workflowFailed", "workflowTerminated"),
  },
  { groups: "helm.cattle.io", kinds: "HelmChart", failed: condition("Failed"), current: there("status.jobName") },
  { groups: "fleet.cattle.io", kinds: "GitRepo Bundle", suspended: "spec.?paused.orValue(false)" },
  { groups: "argoproj.io", kinds: "ArgoCD", current: word("status.phase", "Available") },
  {
    groups: "app.terraform.io",
    kinds: "Workspace",
    failed: word("status.runStatus", "errored"),
    current: there("status.workspaceID"),
  },
  {
    groups: "app.terraform.io",
    kinds: "Module",
    failed: word("status.run.status", "errored"),
    current: word("status.run.status", "applied", "planned_and_finished"),
  },
  {
    groups: "theketch.io",
    kinds: "App Job",
    failed: "status.?conditions.orValue([]).exists(c, c.status == 'False')",
    current: "status.?conditions.orValue([]).exists(c, c.status == 'True')",
  },
];
