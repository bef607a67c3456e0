import { createHash } from "node:crypto";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { ApplicationState, Desired, SyncBatch, SyncRecord, SyncTrigger } from "../../model/sync.ts";
import type { Lease } from "../../store/store.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { changeState } from "../application-state.ts";
import { projectOf } from "../projects.ts";
import { createDependencies } from "./dependencies.ts";
import { concluded, moved, noCounts, type Progress, syncRecord, type Work, withLastSync } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, type SyncDeps } from "./sync-deps.ts";

interface BeginRun {
  readonly batch: SyncBatch;
  readonly id: string;
}

/**
 * Takes the lease of each application for its newest desired state, once what it depends on is synced and healthy, and says
 * in its row that a run is on it.
 */
export function createBeginStage({ stores, clock, log }: SyncDeps): RunStage {
  const dependencies = createDependencies({ stores, clock });

  return (here, run) => mapConcurrently(here, { limit: 32, work: (progress) => begin(progress, run) });

  async function begin(progress: Progress, run: BeginRun): Promise<Progress> {
    const { application } = progress;
    const state = await stores.applications.get(application);
    if (state?.desired === undefined) return { ...progress, stage: "done" };
    const project = projectOf(state.definition);
    if (project !== projectOf(run.batch)) {
      // This run comes as another: whoever moved it there, or the sweep, starts a run of its own.
      log.info("sync.other-project", { application, project, correlationId: run.batch.correlationId });
      return { ...progress, stage: "done" };
    }
    if (state.refused === true) {
      // It stays due: the plan that is allowed again starts it.
      log.info("sync.refused", { application, project, correlationId: run.batch.correlationId });
      return { ...progress, stage: "done" };
    }
    const { generation } = state.desired;
    const asked = run.batch.applications.find(({ name }) => name === application)?.generation;
    // A heal leaves out hooks: what has become desired since has a run of its own, with them.
    if (progress.trigger === "heal" && asked !== undefined && generation > asked) return { ...progress, stage: "done" };
    const taken = await stores.leases.acquire({ application, holder: run.id, generation, seconds: leaseSeconds });
    if (!taken.acquired) {
      const busy = taken.held.generation >= generation;
      const { correlationId } = run.batch;
      log.info("sync.held", { application, generation, holder: taken.held.holder, waits: !busy, correlationId });
      return busy ? { ...progress, stage: "done" } : { ...progress, waiting: true };
    }
    const work = workOn(state, state.desired, { lease: taken.lease, runId: run.id, trigger: progress.trigger });
    const unmet = await dependencies.unmet(state, progress);
    if (unmet?.isOver === true) return concluded(progress, { ...work, retryable: true }, "Failed", unmet.reason);
    if (unmet !== undefined) return hold(state, progress, { work, reason: unmet.reason, run });
    const stands = await publish(state, work, { progress, run });
    // Between the look at the state and the lease another run may have had both.
    if (stands?.desired?.generation !== generation) return progress;
    log.info("sync.begun", {
      application,
      sync: work.syncId,
      revision: state.desired.revision,
      generation,
      trigger: progress.trigger,
      correlationId: run.batch.correlationId,
    });
    return moved(progress, "apply", work);
  }

  /** Says in the row that it waits, and for what; a newer revision takes the lease over meanwhile. */
  async function hold(
    state: ApplicationState,
    progress: Progress,
    { work, reason, run }: { readonly work: Work; readonly reason: string; readonly run: BeginRun },
  ): Promise<Progress> {
    const { application, heldSince = timestamp(clock) } = progress;
    if (!(await stores.leases.renew(work.lease, { phase: "waiting", seconds: leaseSeconds }))) {
      return { ...progress, stage: "done" };
    }
    if (state.lastSync?.health.message !== reason) {
      await publish(state, { ...work, phase: "Waiting", health: { ...state.health, message: reason } }, { progress, run });
      log.info("sync.depends", { application, sync: work.syncId, reason, correlationId: run.batch.correlationId });
    }
    return { ...progress, heldSince, waiting: true };
  }

  /** Returns the state as it stands then: without this run in it where it has moved on. */
  async function publish(
    state: ApplicationState,
    work: Work,
    { progress, run }: { readonly progress: Progress; readonly run: BeginRun },
  ): Promise<ApplicationState | undefined> {
    const { correlationId } = run.batch;
    const about = { trigger: progress.trigger, project: projectOf(run.batch), correlationId };
    const record = syncRecord(work, { ...about, finishedAt: "" });
    const change = (stored: ApplicationState | undefined) =>
      stored?.desired?.generation === record.generation ? withLastSync(stored, record) : undefined;
    return changeState(stores.applications, { application: progress.application, known: state, change });
  }

  function workOn(
    state: ApplicationState,
    desired: Desired,
    { lease, runId, trigger }: { readonly lease: Lease; readonly runId: string; readonly trigger: SyncTrigger },
  ): Work {
    const { name, cluster, namespace, sync, rollback, drift, additions, ignoreDifferences } = state.definition;
    const { lastSync, approval } = state;
    return {
      syncId: createHash("sha256").update(`${runId}/${name}/${desired.generation}`).digest("hex").slice(0, 16),
      target: { name, cluster, namespace, sync, rollback, drift, additions, ignoreDifferences },
      // A removal that waits for leave leaves the old state desired.
      removed: state.removed && desired.snapshot === "",
      desired,
      // A cluster that is rebuilt has nothing of what an install made.
      isFirst: state.lastHealthy === undefined || trigger === "rebuild",
      attempt: attemptAfter(lastSync?.generation === desired.generation ? lastSync : undefined),
      lease,
      startedAt: timestamp(clock),
      path: "sync",
      step: 0,
      steps: { sync: 0, failure: 0 },
      waitsSince: "",
      degradedSince: "",
      hooks: [],
      phase: "Running",
      health: { status: "Progressing", message: "" },
      counts: noCounts,
      errors: [],
      notes: [],
      retryable: false,
      unhealthy: false,
      unreachable: false,
      leaving: 0,
      approvedPrune: approval?.revision === desired.revision ? approval.prune : "",
    };
  }
}

/** A success begins a new count; a run that was lost is the same try again. */
function attemptAfter(before: SyncRecord | undefined): number {
  if (before === undefined || before.phase === "Succeeded") return 1;
  return before.attempt + (before.phase === "Failed" ? 1 : 0);
}
