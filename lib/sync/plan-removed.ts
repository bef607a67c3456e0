import { mapConcurrently } from "../cluster/concurrency.ts";
import type { Configuration } from "../model/application.ts";
import type { CallOptions } from "../model/call.ts";
import type { ApplicationState } from "../model/sync.ts";
import type { Stores } from "../store/store.ts";
import { type Clock, timestamp } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { changeState } from "./application-state.ts";
import { nothingRead, type PlanOutcome } from "./plan-application.ts";

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
    const gone = [...states.values()].filter(({ application, removed }) => !wanted.has(application) && !removed);
    return mapConcurrently(gone, {
      limit: 16,
      work: async ({ application }): Promise<PlanOutcome> => {
        const state = await changeState(
          stores.applications,
          { application, change: (stored) => stored && tombstone(stored, timestamp(clock)) },
          options,
        );
        log.info("plan.removed", { application, correlationId });
        return state
          ? { outcome: "planned", application, state }
          : { outcome: "failed", application, error: "it is gone already" };
      },
    });
  };
}

function tombstone(state: ApplicationState, plannedAt: string): ApplicationState {
  const generation = (state.desired?.generation ?? 0) + 1;
  return {
    ...state,
    removed: true,
    inputs: nothingRead,
    desired: { generation, revision: state.plannedRevision, snapshot: "", plannedAt },
  };
}
