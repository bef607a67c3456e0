import type { HookOutcome } from "../../apply/hooks.ts";
import { explainFailure } from "../../apply/read-health.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError } from "../../errors.ts";
import type { Health } from "../../model/health.ts";
import { displayRef, type ResourceRef } from "../../model/resource.ts";
import type { SyncBatch } from "../../model/sync.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { changeState } from "../application-state.ts";
import { createHealthLook, isRunning, type Look, running, unseen } from "./health-look.ts";
import { concluded, failed, moved, type Progress, syncRecord, type Work, withLastSync } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, type SyncDeps } from "./sync-deps.ts";

/** Seconds of Degraded without a break after which an application that rolls back by itself waits no longer. */
const degradedSeconds = 10;

/** Looks at the health of a wave and the ends of its hooks; an application goes on when all is well, and fails at its deadline. */
export function createHealthStage(deps: SyncDeps): RunStage {
  const { stores, clusters, assessor, clock, log } = deps;
  const lookPatiently = createHealthLook(deps);

  return async (here, { batch }) => {
    const looks = await lookPatiently(here, batch);
    return mapConcurrently(here, {
      limit: 32,
      work: (progress) => decide(progress, looks.get(progress.application) ?? unseen, batch),
    });
  };

  async function decide(progress: Progress, seen: Look, batch: SyncBatch): Promise<Progress> {
    const { refs, health, hooks } = seen;
    const before = progress.work as Work;
    const work = withLook(before, { health, hooks });
    if (!(await stores.leases.renew(work.lease, { phase: "waiting", seconds: leaseSeconds })))
      return concluded(progress, work, "Superseded");
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
    if (health.status !== before.health.status || health.message !== before.health.message || before.phase !== "Waiting")
      await publish(work, progress, batch);
    return { ...progress, work, waiting: true };
  }

  function withLook(work: Work, { health, hooks }: Pick<Look, "health" | "hooks">): Work {
    const ended = new Map(
      hooks.flatMap(({ uid, outcome }) => (outcome === "succeeded" || outcome === "failed" ? [[uid, outcome] as const] : [])),
    );
    const isDegraded = health.status === "Degraded";
    const { seen: _used, ...rest } = work;
    return {
      ...rest,
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
      const reader: ClusterReader = await clusters.reader(batch.cluster);
      return await explainFailure({ reader, refs, assess: await assessor() });
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply")) throw error;
      return [];
    }
  }

  async function publish(work: Work, { trigger }: Progress, { correlationId }: SyncBatch): Promise<void> {
    const record = syncRecord(work, { trigger, correlationId, finishedAt: "" });
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
