import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { health, healthy, numberAt, textAt } from "./read.ts";

/** With `OnDelete` or a partition only the pods that are to be updated have to be. */
export function assessStatefulSet(live: Manifest): Health {
  const wanted = numberAt(live, "spec", "replicas") ?? 1;
  const ready = numberAt(live, "status", "readyReplicas") ?? 0;
  const updated = numberAt(live, "status", "updatedReplicas") ?? 0;
  const all = numberAt(live, "status", "replicas") ?? 0;
  if (all > wanted) return health("Progressing", `${all - wanted} replicas are still to go`);
  if (ready < wanted) return health("Progressing", `${ready} of ${wanted} replicas are ready`);
  if (textAt(live, "spec", "updateStrategy", "type") === "OnDelete") return healthy;
  const partition = numberAt(live, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
  const toUpdate = Math.max(0, wanted - partition);
  if (partition > 0) {
    return updated < toUpdate
      ? health("Progressing", `${updated} of ${toUpdate} replicas above the partition are updated`)
      : healthy;
  }
  if (textAt(live, "status", "currentRevision") !== textAt(live, "status", "updateRevision")) {
    return health("Progressing", `${updated} of ${wanted} replicas are updated`);
  }
  return healthy;
}
