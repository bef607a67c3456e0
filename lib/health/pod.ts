import type { Health } from "../model/health.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionOf, health, healthy, numberAt, objectsAt, textAt, valueAt, wordsOf } from "./read.ts";

/** Why a container waits that does not start by waiting longer. */
const failingReasons: ReadonlySet<string> = new Set([
  "CrashLoopBackOff",
  "CreateContainerConfigError",
  "CreateContainerError",
  "ErrImageNeverPull",
  "ErrImagePull",
  "ImageInspectError",
  "ImagePullBackOff",
  "InvalidImageName",
  "RegistryUnavailable",
  "RunContainerError",
]);

/** Healthy when ready, or when it ran to a good end; a pod that is not restarted for ever is Progressing while it runs. */
export function assessPod(live: Manifest): Health {
  const phase = textAt(live, "status", "phase");
  if (phase === "Succeeded") return healthy;
  const failure = podFailure(live);
  if (failure !== undefined) return health("Degraded", failure);
  if (phase !== "Running") return health("Progressing", phase === "" ? "it is not scheduled yet" : `it is ${phase}`);
  if ((textAt(live, "spec", "restartPolicy") || "Always") !== "Always") return health("Progressing", "it is running");
  const ready = conditionOf(live, "Ready");
  if (ready?.status === "True") return healthy;
  return health("Progressing", ready === undefined ? "it is not ready" : wordsOf(ready));
}

/** Why a pod can't run, with container, reason and message; undefined when it runs, or only needs time. */
export function podFailure(pod: Manifest): string | undefined {
  for (const container of [
    ...objectsAt(pod, "status", "initContainerStatuses"),
    ...objectsAt(pod, "status", "containerStatuses"),
  ]) {
    const failure = containerFailure(container);
    if (failure !== undefined) return failure;
  }
  if (textAt(pod, "status", "phase") === "Failed") return failedPod(pod);
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") return wordsOf(scheduled);
  return undefined;
}

function containerFailure(container: JsonObject): string | undefined {
  const reason = textAt(container, "state", "waiting", "reason");
  if (!failingReasons.has(reason)) return undefined;
  const message = textAt(container, "state", "waiting", "message");
  const exit = lastExit(container);
  return `container ${textAt(container, "name")}: ${reason}${message === "" ? "" : `: ${message}`}${exit}`;
}

/** A container of a pod that does not do as it should, and whose log may say why. */
export interface FailingContainer {
  readonly name: string;
  /** It ran, ended and was started again, or will be: what it said stands in the log of the run before. */
  readonly restarted: boolean;
}

/** The first container that crashed, ended badly or is not ready; undefined when none has run, so that there is no log. */
export function failingContainer(pod: Manifest): FailingContainer | undefined {
  const containers = [...objectsAt(pod, "status", "initContainerStatuses"), ...objectsAt(pod, "status", "containerStatuses")];
  const ended = (container: JsonObject, state: string) => (numberAt(container, state, "terminated", "exitCode") ?? 0) !== 0;
  const failing =
    containers.find((container) => ended(container, "state")) ??
    containers.find((container) => ended(container, "lastState") && container["ready"] !== true) ??
    containers.find((container) => isJsonObject(valueAt(container, "state", "running")) && container["ready"] === false);
  if (failing === undefined) return undefined;
  return { name: textAt(failing, "name"), restarted: !ended(failing, "state") && ended(failing, "lastState") };
}

/** How a crashing container ended the last time: the reason that its back-off hides. */
function lastExit(container: JsonObject): string {
  const code = numberAt(container, "lastState", "terminated", "exitCode");
  if (code === undefined) return "";
  const reason = textAt(container, "lastState", "terminated", "reason");
  return ` (last exit code ${code}${reason === "" ? "" : `, ${reason}`})`;
}

function failedPod(pod: Manifest): string {
  const ended = objectsAt(pod, "status", "containerStatuses").find(
    (container) => (numberAt(container, "state", "terminated", "exitCode") ?? 0) !== 0,
  );
  const code = numberAt(ended, "state", "terminated", "exitCode");
  if (code !== undefined) return `container ${textAt(ended, "name")} ended with exit code ${code}`;
  return (
    [textAt(pod, "status", "reason"), textAt(pod, "status", "message")].filter((text) => text !== "").join(": ") || "it failed"
  );
}
