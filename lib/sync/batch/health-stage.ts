import type { HookOutcome } from "../../apply/hooks.ts";
import { explainFailure } from "../../apply/read-health.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError } from "../../errors.ts";
import type { Health } from "../../model/health.ts";
import { displayRef, type ResourceRef } from "../../model/resource.ts";
import type { SyncBatch } from "../../model/sync.ts";
import type { Lease } from "../../store/store.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { changeState } from "../application-state.ts";
import { projectOf } from "../projects.ts";
import { createHealthLook, isRunning, type Look, running, unseen } from "./health-look.ts";
import { openedFor } from "./opened-for.ts";
import { concluded, failed, moved, type Progress, syncRecord, type Work, withLastSync } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, renewBelow, type SyncDeps } from "./sync-deps.ts";
import { createWaitDrift } from "./wait-drift.ts";

/** Seconds of Degraded without a break after which an application that rolls back by itself waits no longer. */
const degradedSeconds = 10;

/** Looks at the health of a wave and the ends of its hooks; an application goes on when all is well, and fails at its deadline. */
export function createHealthStage(deps: SyncDeps): RunStage {
  const { stores, clusters, assessor, clock, log } = deps;
  const lookPatiently = createHealthLook(deps);
  const waitDrift = createWaitDrift(deps);

  return async (here, { batch }) => {
    const looks = await lookPatiently(here, batch);
    return mapConcurrently(here, {
      limit: 32,
      work: (progress) => decide(progress, looks.get(progress.application) ?? unseen, batch),
    });
  };

  async function decide(progress: Progress, seen: Look, batch: SyncBatch): Promise<Progress> {
    const { refs, health, hooks, suspects } = seen;
    const before = progress.work as Work;
    const looked = withLook(before, { health, hooks });
    if (!(await stores.leases.holds(looked.lease))) return concluded(progress, looked, "Superseded");
    const applied = looked.counts.failed === 0 ? await waitDrift.closeRows(looked, batch) : looked;
    const found = await waitDrift.putRight({ progress, work: applied, suspects, batch });
    if ("back" in found) return found.back;
    const { work } = found;
    const broken = hooks.filter(({ outcome }) => outcome === "failed" || outcome === "gone");
    if (broken.length > 0) {
      const errors = broken.map(({ ref, message }) => `hook ${displayRef(ref)}: ${message}`);
      return failed(
        progress,
        { ...work, unhealthy: true },
        ...errors,
        ...(await reasons(
          batch,
          broken.map(({ ref }) => ref),
        )),
      );
    }
    if (work.counts.failed > 0 && work.path === "sync") return failed(progress, work);
    const isWell = health.status === "Healthy" || health.status === "Suspended" || work.path === "failure";
    if (isWell && running(work).length === 0) return onward(progress, work);
    const late = lateness(work);
    if (late !== "") {
      const isAway = seen === unseen;
      const next = { ...work, retryable: isAway, unreachable: isAway, unhealthy: !isAway };
      return failed(progress, next, late, ...(await reasons(batch, [...refs, ...running(work).map(({ ref }) => ref)])));
    }
    const lease = await waitingLease(before.lease);
    if (lease === undefined) return concluded(progress, work, "Superseded");
    // Most rollouts are over at the next look, and the row says already that it makes progress.
    if (before.lease.phase === "applying" && health.status === "Progressing")
      return { ...progress, work: { ...work, lease, phase: "Running" }, waiting: true };
    if (health.status !== before.health.status || health.message !== before.health.message || before.phase !== "Waiting")
      await publish(work, progress, batch);
    return { ...progress, work: { ...work, lease }, waiting: true };
  }

  /** A newer revision may take it over meanwhile; undefined when one did. Long waits extend it now and then. */
  async function waitingLease(lease: Lease): Promise<Lease | undefined> {
    const now = clock.now().getTime();
    if (lease.phase === "waiting" && Date.parse(lease.expiresAt) - now > renewBelow * 1000) return lease;
    if (!(await stores.leases.renew(lease, { phase: "waiting", seconds: leaseSeconds }))) return undefined;
    return { ...lease, phase: "waiting", expiresAt: new Date(now + leaseSeconds * 1000).toISOString() };
  }

  function withLook(work: Work, { health, hooks }: Pick<Look, "health" | "hooks">): Work {
    const ended = new Map(
      hooks.flatMap(({ uid, outcome }) => (outcome === "succeeded" || outcome === "failed" ? [[uid, outcome] as const] : [])),
    );
    const isDegraded = health.status === "Degraded";
    const { seen: _used, ...rest } = work;
    return {
      ...rest,
      // What writes next claims it for itself; a wait after that has to let others have it again.
      lease: { ...work.lease, phase: "applying" },
      // SyncFail hooks say nothing of what was wrong.
      health: work.path === "failure" ? work.health : withHook(health, hooks),
      phase: "Waiting",
      degradedSince: isDegraded ? work.degradedSince || timestamp(clock) : "",
      hooks: work.hooks.map((hook) => {
        const outcome = hook.outcome ?? ended.get(hook.uid);
        return outcome === undefined ? hook : { ...hook, outcome };
      }),
    };
  }

  function onward(progress: Progress, work: Work): Progress {
    const next = { ...work, step: work.step + 1, waitsSince: "" };
    if (next.step < work.steps[work.path]) return moved(progress, "apply", { ...next, phase: "Running" });
    return work.path === "sync" ? moved(progress, "prune", { ...work, waitsSince: "" }) : concluded(progress, work, "Failed");
  }

  /** Why waiting ends now; "" while it goes on. */
  function lateness({ target, waitsSince, degradedSince, health, ...work }: Work): string {
    const now = clock.now().getTime();
    const over = (since: string, seconds: number) => since !== "" && now >= Date.parse(since) + seconds * 1000;
    const hooks = running(work);
    const { timeout, hookTimeout } = target.sync;
    const said = `${health.status}${health.message === "" ? "" : `: ${health.message}`}`;
    if (hooks.length > 0 && over(waitsSince, Math.max(timeout, hookTimeout))) {
      return `hook ${hooks.map(({ ref }) => displayRef(ref)).join(", ")} did not end within ${hookTimeout} s`;
    }
    if (work.path === "failure") return "";
    const isWell = health.status === "Healthy" || health.status === "Suspended";
    if (!isWell && hooks.length === 0 && over(waitsSince, timeout)) return `not healthy after ${timeout} s: ${said}`;
    if (target.rollback === "auto" && over(degradedSince, degradedSeconds)) return `Degraded for ${degradedSeconds} s: ${said}`;
    return "";
  }

  /** What the cluster knows about it, for the row: worth a few requests, since it is asked for once. */
  async function reasons(batch: SyncBatch, refs: readonly ResourceRef[]): Promise<readonly string[]> {
    try {
      const reader: ClusterReader = await clusters.reader(batch.cluster, openedFor(batch));
      return await explainFailure({ reader, refs, assess: await assessor() });
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply", "refused", "not-found")) throw error;
      return [];
    }
  }

  async function publish(work: Work, { trigger }: Progress, batch: SyncBatch): Promise<void> {
    const { correlationId } = batch;
    const record = syncRecord(work, { trigger, project: projectOf(batch), correlationId, finishedAt: "" });
    const { name: application } = work.target;
    await changeState(stores.applications, { application, change: (state) => state && withLastSync(state, record) });
    log.info("sync.waiting", {
      application,
      sync: work.syncId,
      health: work.health.status,
      message: work.health.message,
      correlationId,
    });
  }
}

/** A wave that is well but for a hook that still runs says so. */
function withHook(health: Health, hooks: readonly HookOutcome[]): Health {
  const busy = hooks.find(isRunning);
  if (busy === undefined || (health.status !== "Healthy" && health.status !== "Suspended")) return health;
  const { ref, message } = busy;
  return { status: "Progressing", message: `hook ${displayRef(ref)} is running${message === "" ? "" : `: ${message}`}` };
}
