import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { healthy } from "./read.ts";

/**
 * Healthy as soon as it is stored, as kstatus has it. Argo CD waits for an address, which never comes where the controller
 * writes none, or where there is no controller at all; a sync would wait for its whole timeout.
 */
export function assessIngress(_live: Manifest): Health {
  return healthy;
}
