import { deleteHooks, type LeftHook } from "../../apply/hooks.ts";
import { terminatingText } from "../../apply/prune.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { DriftRow } from "../../model/drift.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { displayRef, resourceKey } from "../../model/resource.ts";
import type { ApplicationState, SyncBatch, SyncRecord } from "../../model/sync.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { changeState } from "../application-state.ts";
import { withGeneration } from "../desired.ts";
import { projectOf } from "../projects.ts";
import { createHealedRows } from "./healed-rows.ts";
import { openedFor } from "./opened-for.ts";
import { type Progress, type StartedHook, syncRecord, type Work, withLastSync } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import type { SyncDeps } from "./sync-deps.ts";

/**
 * Writes down how it ended: the run's row, the application's state, the drift that it healed; then gives the lease back. An
 * application that rolls back by itself begins again, with the last state that was healthy.
 */
export function createRecordStage(deps: SyncDeps): RunStage {
  const { stores, clusters, clock, log } = deps;
  const healedRows = createHealedRows(deps);

  return (here, { batch }) => mapConcurrently(here, { limit: 32, work: (progress) => record(progress, batch) });

  /** Who lost the lease by now has no say in how the application stands. */
  async function record(progress: Progress, batch: SyncBatch): Promise<Progress> {
    const work = progress.work as Work;
    try {
      return await conclude(progress, work, batch);
    } catch (error) {
      if (!isDriftlessError(error, "lease")) throw error;
      return conclude(progress, { ...work, phase: "Superseded" }, batch);
    }
  }

  async function conclude(progress: Progress, work: Work, batch: SyncBatch): Promise<Progress> {
    const { application, trigger } = progress;
    const { correlationId } = batch;
    const row = syncRecord(work, { trigger, project: projectOf(batch), correlationId, finishedAt: timestamp(clock) });
    await stores.syncs.put(row);
    let rollsBack = false;
    if (row.phase !== "Superseded") {
      await tidyHooks(work, batch);
      const known = await stores.applications.get(application);
      const healed = row.phase === "Succeeded" ? await healedRows({ row, work, known }) : [];
      if (!(work.removed && row.phase === "Succeeded" && (await forget(known, work)))) {
        const change = (state: ApplicationState | undefined) => {
          const next = state && withLastSync(without(state, healed), row);
          const back = next && rolledBack(next, { work, at: row.finishedAt });
          rollsBack = back !== undefined;
          return back ?? (next && withHealthy(next, row, work));
        };
        await changeState(stores.applications, { application, change, ...(known === undefined ? {} : { known }) });
      }
    }
    await stores.leases.release(work.lease);
    log.info("sync.recorded", {
      application,
      sync: row.id,
      phase: row.phase,
      revision: row.revision,
      counts: row.counts,
      errors: row.errors,
      correlationId,
    });
    measure(row);
    if (!rollsBack) return { application, trigger, stage: "done" };
    log.warn("sync.rolls-back", { application, sync: row.id, revision: row.revision, correlationId });
    return { application, trigger: "rollback", stage: "begin" };
  }

  /** A run that another one took over says nothing of how long syncs take. */
  function measure({ cluster, phase, startedAt, finishedAt }: SyncRecord): void {
    if (phase === "Superseded") return;
    const SyncDuration = Date.parse(finishedAt) - Date.parse(startedAt);
    deps.metrics?.emit({ cluster, values: { SyncDuration, SyncFailed: phase === "Failed" ? 1 : 0 } });
  }

  /**
   * Deletes the hooks whose policy asks for it; one that cannot be deleted stays in the inventory, and fails nothing. One whose
   * end takes longer stays as leaving, for the prune of a later sync.
   */
  async function tidyHooks(work: Work, batch: SyncBatch): Promise<void> {
    const over = work.hooks.filter(({ outcome, deleteOn }) => outcome !== undefined && deleteOn.includes(outcome));
    if (over.length === 0) return;
    const { name: application, cluster } = work.target;
    try {
      const writer = await clusters.writer(cluster, openedFor(batch));
      const left = await deleteHooks({ writer, application, hooks: over });
      for (const hook of left)
        log.warn("sync.hook-stays", {
          application,
          sync: work.syncId,
          error: hook.kind === "refused" ? hook.error : `it ${terminatingText(hook.finalizers)}`,
          ref: displayRef(hook.ref),
          correlationId: batch.correlationId,
        });
      const entries = (await stores.inventories.load(application))?.entries ?? [];
      const next = withoutHooks(entries, { over, left });
      if (next.some((entry, at) => entry !== entries[at]) || next.length < entries.length)
        await stores.inventories.save({ application, cluster, entries: next }, { fence: work.lease.fence });
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply", "refused", "not-found", "lease")) throw error;
      log.warn("sync.hook-stays", {
        application,
        sync: work.syncId,
        error: messageOf(error),
        correlationId: batch.correlationId,
      });
    }
  }

  /**
   * Removes the row of a removed application that owns nothing any more. While something was kept (a Namespace, what an
   * annotation protects), the row stays and tells of it; the sweep starts another run when that is gone. So does the row of one
   * that is back, and cannot be rendered: nothing that leaves others may be deleted before it is known what it wants.
   */
  async function forget(state: ApplicationState | undefined, work: Work): Promise<boolean> {
    const { name: application } = work.target;
    const inventory = await stores.inventories.load(application);
    if ((inventory?.entries.length ?? 0) > 0) return false;
    if (state !== undefined && (state.planError !== "" || state.desired?.generation !== work.desired.generation)) return false;
    await stores.inventories.remove(application, { fence: work.lease.fence });
    // It may be back in the configuration since it was read.
    return state === undefined || stores.applications.remove(application, { version: state.version });
  }
}

/** The inventory less the hooks that are gone; those that are about to go are leaving. */
function withoutHooks(
  entries: readonly InventoryEntry[],
  { over, left }: { readonly over: readonly StartedHook[]; readonly left: readonly LeftHook[] },
): readonly InventoryEntry[] {
  const deleted = new Set(over.map(({ ref }) => resourceKey(ref)));
  const stays = new Map(left.map(({ ref, kind }) => [resourceKey(ref), kind]));
  return entries.flatMap((entry): InventoryEntry[] => {
    const key = resourceKey(entry.ref);
    if (entry.hook !== true || !deleted.has(key) || stays.get(key) === "refused") return [entry];
    return stays.has(key) ? [{ ...entry, leaving: true }] : [];
  });
}

/** The state without these rows, which are closed. */
function without(state: ApplicationState, healed: readonly DriftRow[]): ApplicationState {
  const additions = healed.filter(({ kind }) => kind === "addition").length;
  return {
    ...state,
    drifted: Math.max(0, state.drifted - (healed.length - additions)),
    additions: Math.max(0, state.additions - additions),
  };
}

/** The state after a success remembers what a rollback goes back to; an approval has done its work. */
function withHealthy(state: ApplicationState, { phase, project }: SyncRecord, { desired }: Work): ApplicationState {
  if (phase !== "Succeeded" || desired.snapshot === "") return state;
  const { approval: _used, ...rest } = state;
  const { revision, snapshot } = desired;
  return { ...rest, lastHealthy: { revision, snapshot, ...(project === undefined ? {} : { project }) } };
}

/** The state with the last healthy one desired again; undefined where nothing is to be rolled back. */
function rolledBack(
  state: ApplicationState,
  { work, at }: { readonly work: Work; readonly at: string },
): ApplicationState | undefined {
  const { target, phase, unhealthy, desired, errors } = work;
  const { lastHealthy } = state;
  if (target.rollback !== "auto" || phase !== "Failed" || !unhealthy || lastHealthy === undefined) return undefined;
  // What another project had under this name is not this one's to bring back.
  if (state.refused === true || projectOf(lastHealthy) !== projectOf(state.definition)) return undefined;
  if (lastHealthy.snapshot === desired.snapshot || state.desired?.generation !== desired.generation) return undefined;
  const rejected = { revision: desired.revision, snapshot: desired.snapshot, reason: errors[0] ?? "", by: "driftless", at };
  const { revision, snapshot } = lastHealthy;
  return { ...withGeneration(state, { revision, snapshot, plannedAt: at }), rejected };
}
