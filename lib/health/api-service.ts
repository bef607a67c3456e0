import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionOf, health, healthy, wordsOf } from "./read.ts";

/** Progressing, not Degraded, while its backend does not answer: the backend is usually part of the same sync. */
export function assessApiService(live: Manifest): Health {
  const available = conditionOf(live, "Available");
  if (available?.status === "True") return healthy;
  return health("Progressing", available === undefined ? "it is not available yet" : wordsOf(available));
}
