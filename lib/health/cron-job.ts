import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { health, healthy, valueAt } from "./read.ts";

/** Says nothing about the jobs that it started: those are the schedule's history, not the deployment's. */
export function assessCronJob(live: Manifest): Health {
  return valueAt(live, "spec", "suspend") === true ? health("Suspended", "it is suspended") : healthy;
}
