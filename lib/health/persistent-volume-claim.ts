import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { health, healthy, textAt } from "./read.ts";

export function assessPersistentVolumeClaim(live: Manifest): Health {
  switch (textAt(live, "status", "phase")) {
    case "Bound":
      return healthy;
    case "Lost":
      return health("Degraded", "its volume is lost");
    default:
      return health("Progressing", "it is not bound to a volume yet");
  }
}
