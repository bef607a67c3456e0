import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { health, healthy, numberAt, textAt } from "./read.ts";

/** Counts nodes, not replicas: a DaemonSet that fits no node is Healthy. */
export function assessDaemonSet(live: Manifest): Health {
  // A status is written before the first count; without one the controller has not looked yet.
  const wanted = numberAt(live, "status", "desiredNumberScheduled");
  if (wanted === undefined) return health("Progressing", "its pods are not counted yet");
  const updated = numberAt(live, "status", "updatedNumberScheduled") ?? 0;
  const available = numberAt(live, "status", "numberAvailable") ?? 0;
  const onDelete = textAt(live, "spec", "updateStrategy", "type") === "OnDelete";
  if (!onDelete && updated < wanted) return health("Progressing", `${updated} of ${wanted} pods are updated`);
  if (available < wanted) return health("Progressing", `${available} of ${wanted} pods are available`);
  return healthy;
}
