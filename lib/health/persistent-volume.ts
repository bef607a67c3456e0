import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { health, healthy, textAt } from "./read.ts";

/** Healthy bound or not: a claim is what waits for a volume. */
export function assessPersistentVolume(live: Manifest): Health {
  const phase = textAt(live, "status", "phase");
  if (phase === "Failed") return health("Degraded", textAt(live, "status", "message") || "it could not be reclaimed");
  return phase === "Pending" || phase === "" ? health("Progressing", "it is not available yet") : healthy;
}
