import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionOf, health, healthy, numberAt, wordsOf } from "./read.ts";

/** A ReplicaSet or a ReplicationController. */
export function assessReplicaSet(live: Manifest): Health {
  const failure = conditionOf(live, "ReplicaFailure");
  if (failure?.status === "True") return health("Degraded", wordsOf(failure));
  const wanted = numberAt(live, "spec", "replicas") ?? 1;
  const available = numberAt(live, "status", "availableReplicas") ?? 0;
  return available < wanted ? health("Progressing", `${available} of ${wanted} replicas are available`) : healthy;
}
