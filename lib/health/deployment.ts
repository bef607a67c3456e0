import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionOf, health, healthy, numberAt, valueAt, wordsOf } from "./read.ts";

/** A rollout that ran out of time, or whose pods can't be created, is Degraded; a paused one is Suspended. */
export function assessDeployment(live: Manifest): Health {
  if (valueAt(live, "spec", "paused") === true) return health("Suspended", "it is paused");
  const progressing = conditionOf(live, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded") return health("Degraded", wordsOf(progressing));
  const failure = conditionOf(live, "ReplicaFailure");
  if (failure?.status === "True") return health("Degraded", wordsOf(failure));
  const wanted = numberAt(live, "spec", "replicas") ?? 1;
  const updated = numberAt(live, "status", "updatedReplicas") ?? 0;
  const all = numberAt(live, "status", "replicas") ?? 0;
  const available = numberAt(live, "status", "availableReplicas") ?? 0;
  if (updated < wanted) return health("Progressing", `${updated} of ${wanted} replicas are updated`);
  if (all > updated) return health("Progressing", `${all - updated} old replicas are still there`);
  if (available < updated) return health("Progressing", `${available} of ${updated} updated replicas are available`);
  return healthy;
}
