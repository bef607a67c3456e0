import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionOf, health, healthy, wordsOf } from "./read.ts";

/** Healthy also while it allows no disruption: whether its pods are well is for their workload to say. */
export function assessPodDisruptionBudget(live: Manifest): Health {
  const allowed = conditionOf(live, "DisruptionAllowed");
  return allowed?.status === "False" && allowed.reason === "SyncFailed" ? health("Degraded", wordsOf(allowed)) : healthy;
}
