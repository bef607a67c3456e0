import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { changeState } from "../application-state.ts";
import type { PlanOutcome } from "./plan-application.ts";
import { afterRemoval } from "./planned-state.ts";

export interface PlanRemovedDeps {
  readonly stores: Pick<Stores, "applications">;
  readonly clock: Clock;
  readonly log: Log;
}

export interface PlanRemovedRequest {
  readonly configuration: Configuration;
  /** All that the table has. */
  readonly states: ReadonlyMap<string, ApplicationState>;
  readonly correlationId: string;
}

/** Applications that left the configuration: nothing is desired of them any more, and the prune guard decides. */
export function createPlanRemoved({
  stores,
  clock,
  log,
}: PlanRemovedDeps): (request: PlanRemovedRequest, options?: CallOptions) => Promise<readonly PlanOutcome[]> {
  return async ({ configuration, states, correlationId }, options = {}) => {
    const wanted = new Set(configuration.applications.map(({ name }) => name));
    // A removed one has a plan's error only where it came back, and could not be rendered; now it left again.
    const isNew = ({ removed, planError }: ApplicationState) => !removed || planError !== "";
    const gone = [...states.values()].filter((state) => !wanted.has(state.application) && isNew(state));
    return mapConcurrently(gone, {
      limit: 16,
      work: async ({ application }): Promise<PlanOutcome> => {
        const change = (stored: ApplicationState | undefined) => stored && afterRemoval(stored, clock.now());
        const state = await changeState(stores.applications, { application, change }, options);
        if (state === undefined) return { outcome: "failed", application, error: "it is gone already" };
        const reason = state.pending?.reason;
        log.info("plan.removed", { application, ...(reason === undefined ? {} : { reason }), correlationId });
        return reason === undefined
          ? { outcome: "planned", application, state }
          : { outcome: "held", application, state, reason };
      },
    });
  };
}
