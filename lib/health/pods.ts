import type { Health } from "../model/health.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import { gvkOf, type Manifest } from "../model/resource.ts";
import { podFailure } from "./pod.ts";
import { conditionOf, health, numberAt, objectsAt, textAt, valueAt } from "./read.ts";

const workloads: ReadonlySet<string> = new Set([
  "/ReplicationController",
  "apps/DaemonSet",
  "apps/Deployment",
  "apps/ReplicaSet",
  "apps/StatefulSet",
  "batch/Job",
]);

/** True when the pods of a workload can say why it is not healthy; ask for them then, by `podSelectorOf`. */
export function needsPods(live: Manifest, { status }: Health): boolean {
  return (status === "Progressing" || status === "Degraded") && live.metadata.deletionTimestamp === undefined && isWorkload(live);
}

/** The label selector of a live workload's pods, as the API takes it: `app=web,tier in (a,b)`; undefined for what has none. */
export function podSelectorOf(live: Manifest): string | undefined {
  if (!isWorkload(live)) return undefined;
  const selector = valueAt(live, "spec", "selector");
  if (!isJsonObject(selector)) return undefined;
  // A ReplicationController's selector is the plain map of labels.
  const labels = live.kind === "ReplicationController" ? selector : valueAt(selector, "matchLabels");
  const equal = isJsonObject(labels) ? Object.keys(labels).map((key) => `${key}=${textAt(labels, key)}`) : [];
  const terms = [...equal, ...objectsAt(selector, "matchExpressions").map(termOf)];
  return terms.length === 0 ? undefined : terms.join(",");
}

function termOf(expression: JsonObject): string {
  const key = textAt(expression, "key");
  const list = valueAt(expression, "values");
  const values = Array.isArray(list) ? list.map(String).join(",") : "";
  switch (textAt(expression, "operator")) {
    case "In":
      return `${key} in (${values})`;
    case "NotIn":
      return `${key} notin (${values})`;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return key;
  }
}

/**
 * A workload that is not healthy, judged by its pods: Degraded with the first failing pod's reason, else as it was.
 *
 * Only pods of the current revision count, or a fix would look broken until the old pods are gone. The revision is told by
 * the pods' template hash: a failing pod is old when a pod of another hash is younger, or as young (times are whole seconds)
 * and ready. A Deployment that has no updated replica yet has no current pod at all.
 */
export function assessByPods(
  live: Manifest,
  { own, pods }: { readonly own: Health; readonly pods: readonly Manifest[] },
): Health {
  if (live.kind === "Deployment" && (numberAt(live, "status", "updatedReplicas") ?? 0) === 0) return own;
  const standing = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).sort(youngestFirst);
  for (const pod of standing) {
    const failure = podFailure(pod);
    if (failure === undefined || isOutlived(pod, standing) || isRetried(live, pod)) continue;
    return health("Degraded", `pod ${pod.metadata.name}: ${failure}`);
  }
  return own;
}

function isOutlived(pod: Manifest, pods: readonly Manifest[]): boolean {
  const born = pod.metadata.creationTimestamp ?? "";
  return pods.some((other) => {
    if (templateHash(other) === templateHash(pod)) return false;
    const otherBorn = other.metadata.creationTimestamp ?? "";
    return otherBorn > born || (otherBorn === born && conditionOf(other, "Ready")?.status === "True");
  });
}

/** A pod that ended badly is made again by its owner; a Job counts such pods itself and fails when they are too many. */
function isRetried(live: Manifest, pod: Manifest): boolean {
  return textAt(pod, "status", "phase") === "Failed" && live.kind !== "Pod";
}

function templateHash({ metadata: { labels = {} } }: Manifest): string {
  return labels["pod-template-hash"] ?? labels["controller-revision-hash"] ?? "";
}

function youngestFirst(a: Manifest, b: Manifest): number {
  const [left, right] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  if (left !== right) return left < right ? 1 : -1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

function isWorkload(live: Manifest): boolean {
  const { group, kind } = gvkOf(live);
  return workloads.has(`${group}/${kind}`);
}
