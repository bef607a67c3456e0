import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { health, healthy, objectsAt, textAt } from "./read.ts";

/** A load balancer has to have an address; every other Service is there as soon as it is stored. */
export function assessService(live: Manifest): Health {
  if (textAt(live, "spec", "type") !== "LoadBalancer") return healthy;
  const addresses = objectsAt(live, "status", "loadBalancer", "ingress");
  return addresses.length > 0 ? healthy : health("Progressing", "its load balancer has no address yet");
}
