import { mapConcurrently } from "../../cluster/concurrency.ts";
import { gitSources } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState, SyncBatch } from "../../model/sync.ts";
import { branchKey } from "../../plan/affected.ts";
import type { SyncStarter } from "../../queue/queue.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { changeState } from "../application-state.ts";
import { afterLook, statedDefinition } from "../plan/planned-state.ts";
import { startRuns } from "../runs.ts";

export interface ReleasePendingDeps {
  readonly stores: Pick<Stores, "applications">;
  readonly starter: SyncStarter;
  readonly clock: Clock;
  readonly log: Log;
}

export interface PendingSweep {
  readonly id: string;
  readonly states: readonly ApplicationState[];
  /** Branches whose newest commit is about to be planned: what waits of them is not the newest. */
  readonly movedHeads: readonly string[];
}

/** Syncs what waited, once its window has opened or its suspension is over; returns the applications. */
export function createReleasePending({
  stores,
  starter,
  clock,
  log,
}: ReleasePendingDeps): (sweep: PendingSweep, options: CallOptions) => Promise<readonly string[]> {
  return async ({ id, states, movedHeads }, options) => {
    const moved = new Set(movedHeads);
    const waiting = states.filter((state) => state.pending !== undefined && !readsAny(state, moved));
    const looked = await mapConcurrently(waiting, { limit: 16, work: (state) => release(state, options) });
    const released = looked.flat();
    const begins = ({ cluster, applications }: SyncBatch) =>
      log.info("sweep.released", { sweep: id, cluster, applications: applications.map(({ name }) => name) });
    await startRuns(starter, released, { trigger: "push", correlationId: id, begins, ...options });
    return released.map(({ application }) => application);
  };

  async function release(known: ApplicationState, options: CallOptions): Promise<readonly ApplicationState[]> {
    const { application } = known;
    const change = (state: ApplicationState | undefined) =>
      state?.pending && afterLook(state, statedDefinition(state), clock.now());
    const state = await changeState(stores.applications, { application, known, change }, options);
    const { generation = 0 } = state?.desired ?? {};
    return state !== undefined && generation > (known.desired?.generation ?? 0) ? [state] : [];
  }
}

function readsAny(state: ApplicationState, branches: ReadonlySet<string>): boolean {
  if (branches.size === 0 || state.removed) return false;
  const sources = gitSources(statedDefinition(state).sources);
  return sources.some(({ repository, targetRevision }) => branches.has(branchKey(repository, targetRevision)));
}
