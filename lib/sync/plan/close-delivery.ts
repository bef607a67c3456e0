import type { CallOptions } from "../../model/call.ts";
import type { RevisionMessage } from "../../model/delivery.ts";
import type { Stores } from "../../store/store.ts";
import type { PlanOutcome } from "./plan-application.ts";

/** Says in the delivery's row what its plan came to: which applications changed, what waits and for what, what failed, or why nothing was done. */
export async function closeDelivery(
  deliveries: Stores["deliveries"],
  {
    message: { correlationId, repository, branch },
    outcomes,
    used,
    problems,
  }: {
    readonly message: RevisionMessage;
    readonly outcomes: readonly PlanOutcome[];
    readonly used: boolean;
    /** Why files of the configuration still give what they gave before. */
    readonly problems: readonly string[];
  },
  options: CallOptions,
): Promise<void> {
  const applications = outcomes.flatMap((of) => (of.outcome === "planned" || of.outcome === "held" ? [of.application] : []));
  const failed = outcomes.flatMap((of) => (of.outcome === "failed" ? [`${of.application}: ${of.error}`] : []));
  const failures = [...problems, ...failed];
  if (failures.length > 0)
    return deliveries.update(correlationId, { state: "failed", applications, reason: failures.join("\n") }, options);
  const held = outcomes.flatMap((of) => (of.outcome === "held" ? [`${of.application}: ${of.reason}`] : [])).join("\n");
  if (applications.length > 0) return deliveries.update(correlationId, { state: "planned", applications, reason: held }, options);
  const reason = used ? "no application reads what changed" : `no application uses ${branch} of ${repository}`;
  return deliveries.update(correlationId, { state: "ignored", reason }, options);
}
