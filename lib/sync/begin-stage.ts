import { createHash } from "node:crypto";
import { mapConcurrently } from "../cluster/concurrency.ts";
import type { ApplicationState, SyncBatch } from "../model/sync.ts";
import type { Lease } from "../store/store.ts";
import { timestamp } from "../telemetry/clock.ts";
import { changeState } from "./application-state.ts";
import { noCounts, type Progress, syncRecord, type Work, withLastSync } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, type SyncDeps } from "./sync-deps.ts";

/** Takes the lease of each application for its newest desired state, and says in its row that a run is on it. */
export function createBeginStage({ stores, clock, log }: SyncDeps): RunStage {
  const begin = async (progress: Progress, batch: SyncBatch, runId: string): Promise<Progress> => {
    const { application } = progress;
    const state = await stores.applications.get(application);
    if (state?.desired === undefined) return { ...progress, stage: "done" };
    const { generation } = state.desired;
    const taken = await stores.leases.acquire({ application, holder: runId, generation, seconds: leaseSeconds });
    if (!taken.acquired) {
      const busy = taken.held.generation >= generation;
      log.info("sync.held", { application, generation, holder: taken.held.holder, waits: !busy });
      return busy ? { ...progress, stage: "done" } : progress;
    }
    const work = beginWork(state, state.desired, taken.lease, { now: clock.now(), runId });
    const record = syncRecord(work, { trigger: batch.trigger, correlationId: batch.correlationId, finishedAt: "" });
    await changeState(stores.applications, {
      application,
      known: state,
      change: (stored) => stored && withLastSync(stored, record),
    });
    log.info("sync.begun", {
      application,
      sync: work.syncId,
      revision: state.desired.revision,
      generation,
      correlationId: batch.correlationId,
    });
    return { ...progress, stage: "apply", work };
  };
  return (here, { batch, id }) => mapConcurrently(here, { limit: 32, work: (progress) => begin(progress, batch, id) });

  function beginWork(
    state: ApplicationState,
    desired: NonNullable<ApplicationState["desired"]>,
    lease: Lease,
    { now, runId }: { readonly now: Date; readonly runId: string },
  ): Work {
    return {
      syncId: createHash("sha256").update(`${runId}/${state.application}/${desired.generation}`).digest("hex").slice(0, 16),
      definition: state.definition,
      removed: state.removed,
      desired,
      lease,
      startedAt: timestamp(clock),
      deadline: new Date(now.getTime() + state.definition.sync.timeout * 1000).toISOString(),
      phase: "Running",
      health: { status: "Progressing", message: "" },
      counts: noCounts,
      errors: [],
      retryable: false,
      leaving: 0,
    };
  }
}
