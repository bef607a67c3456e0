/** The field's own six words. */
export type HealthStatus = "Healthy" | "Progressing" | "Degraded" | "Suspended" | "Missing" | "Unknown";

export interface Health {
  readonly status: HealthStatus;
  /** One sentence why, for people; "" when there is nothing to add. */
  readonly message: string;
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
