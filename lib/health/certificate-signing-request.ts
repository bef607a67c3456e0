import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { conditionsOf, health, healthy, textAt, wordsOf } from "./read.ts";

/** Healthy once its certificate is issued. */
export function assessCertificateSigningRequest(live: Manifest): Health {
  const conditions = conditionsOf(live);
  const refused = conditions.find(({ type }) => type === "Denied" || type === "Failed");
  if (refused !== undefined) return health("Degraded", wordsOf(refused));
  if (textAt(live, "status", "certificate") !== "") return healthy;
  const isApproved = conditions.some(({ type }) => type === "Approved");
  return health("Progressing", isApproved ? "its certificate is not issued yet" : "it waits for approval");
}
