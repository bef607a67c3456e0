/** The field's own six words. */
export type HealthStatus = "Healthy" | "Progressing" | "Degraded" | "Suspended" | "Missing" | "Unknown";

export interface Health {
  readonly status: HealthStatus;
  /** One sentence why, for people; "" when there is nothing to add. */
  readonly message: string;
}

/** How one kind is judged, by CEL expressions over the live object, in Flux's words; a rule of the configuration. */
export interface HealthCheckExpr {
  readonly apiVersion: string;
  readonly kind: string;
  /** True when the object is as it should be. */
  readonly current: string;
  readonly inProgress?: string;
  readonly failed?: string;
}

/** From best to worst, as an application sums up its objects. */
const worstLast: readonly HealthStatus[] = ["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"];

/** The worst of several; Healthy when there is none. */
export function worstHealth(all: readonly Health[]): Health {
  let worst: Health = { status: "Healthy", message: "" };
  for (const health of all) {
    if (worstLast.indexOf(health.status) > worstLast.indexOf(worst.status)) worst = health;
  }
  return worst;
}
