import { mapConcurrently } from "../cluster/concurrency.ts";
import type { ApplicationState, SyncBatch, SyncRecord } from "../model/sync.ts";
import { timestamp } from "../telemetry/clock.ts";
import { changeState } from "./application-state.ts";
import { type Progress, syncRecord, type Work, withLastSync } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** Writes down how it ended: the run's row, the application's state, the drift that it healed; then gives the lease back. */
export function createRecordStage({ stores, clock, log }: SyncDeps): RunStage {
  const record = async (progress: Progress, { trigger, correlationId }: SyncBatch): Promise<Progress> => {
    const work = progress.work as Work;
    const { application } = progress;
    const row = syncRecord(work, { trigger, correlationId, finishedAt: timestamp(clock) });
    await stores.syncs.put(row);
    if (row.phase !== "Superseded") {
      const known = await stores.applications.get(application);
      const healed = row.phase === "Succeeded" ? await closeDrift(row, { work, known }) : 0;
      if (!(work.removed && row.phase === "Succeeded" && (await forget(known, work)))) {
        const change = (state: ApplicationState | undefined) =>
          state && withLastSync({ ...state, drifted: Math.max(0, state.drifted - healed) }, row);
        await changeState(stores.applications, { application, change, ...(known === undefined ? {} : { known }) });
      }
      await stores.leases.release(work.lease);
    }
    log.info("sync.recorded", {
      application,
      sync: row.id,
      phase: row.phase,
      revision: row.revision,
      counts: row.counts,
      errors: row.errors,
      correlationId,
    });
    return { application, stage: "done" };
  };
  return (here, { batch }) => mapConcurrently(here, { limit: 32, work: (progress) => record(progress, batch) });

  /** A sync puts right what it applies; of a removed application nothing is desired any more, so that nothing can differ. */
  async function closeDrift(
    { application, id, finishedAt }: SyncRecord,
    { work, known }: { readonly work: Work; readonly known: ApplicationState | undefined },
  ): Promise<number> {
    if (known === undefined || known.drifted + (work.removed ? known.additions : 0) === 0) return 0;
    const rows = await stores.drift.open(application);
    const open = rows.filter(({ kind }) => work.removed || kind === "changed" || kind === "missing");
    if (open.length > 0) await stores.drift.heal(open, { at: finishedAt, by: id });
    return open.length;
  }

  /**
   * Removes the row of a removed application that owns nothing any more. While something was kept (a Namespace, what an
   * annotation protects), the row stays and tells of it; the sweep starts another run when that is gone.
   */
  async function forget(state: ApplicationState | undefined, work: Work): Promise<boolean> {
    const { name: application } = work.definition;
    const inventory = await stores.inventories.load(application);
    if ((inventory?.entries.length ?? 0) > 0) return false;
    if (state !== undefined && state.desired?.generation !== work.desired.generation) return false;
    await stores.inventories.remove(application, { fence: work.lease.fence });
    await stores.applications.remove(application);
    return true;
  }
}
