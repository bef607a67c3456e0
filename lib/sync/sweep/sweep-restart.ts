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
import { areApart, isSettled } from "../claims.ts";
import { isDue, startRuns } from "../runs.ts";

/** Seconds that a plan has to get its run begun before the sweep starts it again. */
const beginSeconds = 30;

export interface RestartLostDeps {
  readonly stores: Pick<Stores, "leases">;
  readonly starter: SyncStarter;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Starts runs again that were lost, or failed for a reason that may have passed, and those whose prune kept objects for others
 * that have no claim to them any more, where their gates let; returns the applications.
 */
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
    const isFreed = freedAmong(states);
    const isLost = (state: ApplicationState) => mayBeLost(state, now);
    const stopped = states.filter((state) => (isLost(state) || isFreed(state)) && restartGateOf({ ...state, now }).open);
    const idle = await mapConcurrently(stopped, {
      limit: 16,
      work: async (state) => (isHeld(await stores.leases.get(state.application, options), now) ? [] : [state]),
    });
    const told = ({ cluster, applications }: SyncBatch) => ({
      sweep: id,
      cluster,
      applications: applications.map(({ name }) => name),
    });
    const begins = (batch: SyncBatch) => log.warn("sweep.restarted", told(batch));
    await startRuns(starter, idle.flat().filter(isLost), { trigger: "sweep", correlationId: id, begins, ...options });
    // Nothing is desired anew, so no hook is run.
    const resumes = (batch: SyncBatch) => log.info("sweep.prune-resumed", told(batch));
    await startRuns(
      starter,
      idle.flat().filter((state) => !isLost(state)),
      { trigger: "heal", correlationId: id, begins: resumes, ...options },
    );
    return idle.flat().map(({ application }) => application);
  };
}

/** Tells of a state whether its last run kept objects for others, and none of these may want them any more. */
function freedAmong(states: readonly ApplicationState[]): (state: ApplicationState) => boolean {
  const open = new Map(states.filter((state) => !isSettled(state)).map((state) => [state.application, state]));
  return (leaver) => {
    const { lastSync, desired } = leaver;
    const { keptFor = [], finishedAt = "", generation } = lastSync ?? {};
    const isOver = finishedAt !== "" && generation === desired?.generation;
    return isOver && keptFor.length > 0 && !keptFor.some((name) => isOpen(open.get(name), leaver));
  };
}

/** Of another project one that is refused claims nothing any more. */
function isOpen(other: ApplicationState | undefined, leaver: ApplicationState): boolean {
  return other !== undefined && !(other.refused === true && areApart(other, leaver));
}

function mayBeLost(state: ApplicationState, now: Date): boolean {
  if (isDue(state)) return now.getTime() - Date.parse(state.desired?.plannedAt ?? "") > beginSeconds * 1000;
  const { lastSync, definition } = state;
  if (lastSync === undefined) return false;
  if (lastSync.phase === "Running" || lastSync.phase === "Waiting") return true;
  return lastSync.phase === "Failed" && lastSync.retryable && mayRetry(lastSync, { policy: definition.sync.retry, now });
}
