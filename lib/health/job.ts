import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionOf, health, healthy, valueAt, wordsOf } from "./read.ts";

/** Healthy once it is complete. */
export function assessJob(live: Manifest): Health {
  const failed = conditionOf(live, "Failed");
  if (failed?.status === "True") return health("Degraded", wordsOf(failed));
  if (conditionOf(live, "Complete")?.status === "True") return healthy;
  if (valueAt(live, "spec", "suspend") === true) return health("Suspended", "it is suspended");
  return health("Progressing", "it is not complete");
}
