import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState, SyncBatch } from "../../model/sync.ts";
import { restartGateOf } from "../../plan/gate.ts";
import { mayRetry } from "../../plan/retry.ts";
import type { SyncStarter } from "../../queue/queue.ts";
import { isHeld } from "../../store/lease.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { isDue, startRuns } from "../runs.ts";

/** Seconds that a plan has to get its run begun before the sweep starts it again. */
const beginSeconds = 30;

export interface RestartLostDeps {
  readonly stores: Pick<Stores, "leases">;
  readonly starter: SyncStarter;
  readonly clock: Clock;
  readonly log: Log;
}

/** Starts runs again that were lost, or failed for a reason that may have passed, where their gates let; returns the applications. */
export function createRestartLost({
  stores,
  starter,
  clock,
  log,
}: RestartLostDeps): (
  sweep: { readonly id: string; readonly states: readonly ApplicationState[] },
  options: CallOptions,
) => Promise<readonly string[]> {
  return async ({ id, states }, options) => {
    const now = clock.now();
    const stopped = states.filter((state) => mayBeLost(state, now) && restartGateOf({ ...state, now }).open);
    const lost = await mapConcurrently(stopped, {
      limit: 16,
      work: async (state) => (isHeld(await stores.leases.get(state.application, options), now) ? [] : [state]),
    });
    const begins = ({ cluster, applications }: SyncBatch) =>
      log.warn("sweep.restarted", { sweep: id, cluster, applications: applications.map(({ name }) => name) });
    await startRuns(starter, lost.flat(), { trigger: "sweep", correlationId: id, begins, ...options });
    return lost.flat().map(({ application }) => application);
  };
}

function mayBeLost(state: ApplicationState, now: Date): boolean {
  if (isDue(state)) return now.getTime() - Date.parse(state.desired?.plannedAt ?? "") > beginSeconds * 1000;
  const { lastSync, definition } = state;
  if (lastSync === undefined) return false;
  if (lastSync.phase === "Running" || lastSync.phase === "Waiting") return true;
  return lastSync.phase === "Failed" && lastSync.retryable && mayRetry(lastSync, { policy: definition.sync.retry, now });
}
