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

/**
 * True when the pods of a workload can say why it is not healthy; ask for them then, by `podSelectorOf`. While its controller has
 * not seen the newest spec they are pods of an older one.
 */
export function needsPods(live: Manifest, { status }: Health): boolean {
  const { deletionTimestamp, generation = 0 } = live.metadata;
  if (status !== "Progressing" && status !== "Degraded") return false;
  if ((numberAt(live, "status", "observedGeneration") ?? generation) < generation) return false;
  return deletionTimestamp === undefined && isWorkload(live);
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
 * A workload that is not healthy, judged by its pods: Degraded with the reason of its youngest failing pod, else as it was.
 * Only pods of the current revision count, or a fix would look broken until the old pods are gone.
 */
export function assessByPods(
  live: Manifest,
  { own, pods }: { readonly own: Health; readonly pods: readonly Manifest[] },
): Health {
  const standing = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).sort(youngestFirst);
  const current = currentHash(live);
  for (const pod of standing) {
    const counts = current === undefined ? !isOutlived(pod, standing) : templateHash(pod) === current;
    const failure = counts && !isMadeAgain(pod) ? podFailure(pod) : undefined;
    if (failure !== undefined) return health("Degraded", `pod ${pod.metadata.name}: ${failure}`);
  }
  return own;
}

/**
 * The template hash of the current revision; undefined where the workload does not tell, and the pods' age has to.
 * A Deployment names its newest ReplicaSet in what it says of its progress (`ReplicaSet "web-5d4f8c7b9" is progressing.`).
 * A StatefulSet tells its update revision, but as it replaces pods in order and waits for each, an old failing pod stops
 * it for good: only where pods are replaced in parallel do the old ones not count.
 */
function currentHash(live: Manifest): string | undefined {
  if (live.kind === "Deployment") {
    const replicaSet = /"([^"]+)"/.exec(conditionOf(live, "Progressing")?.message ?? "")?.[1];
    const prefix = `${live.metadata.name}-`;
    return replicaSet?.startsWith(prefix) === true ? replicaSet.slice(prefix.length) : undefined;
  }
  const isParallel = live.kind === "StatefulSet" && textAt(live, "spec", "podManagementPolicy") === "Parallel";
  return isParallel ? textAt(live, "status", "updateRevision") : undefined;
}

/** True when a pod of another template is younger; times are whole seconds, so of one second none outlives another. */
function isOutlived(pod: Manifest, pods: readonly Manifest[]): boolean {
  const born = pod.metadata.creationTimestamp ?? "";
  return pods.some((other) => templateHash(other) !== templateHash(pod) && (other.metadata.creationTimestamp ?? "") > born);
}

/** A pod that ended is made again by its owner; a Job counts its failed pods itself, and fails when they are too many. */
function isMadeAgain(pod: Manifest): boolean {
  return textAt(pod, "status", "phase") === "Failed";
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
