import { setTimeout as delay } from "node:timers/promises";
import { readHealth } from "../apply/read-health.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import type { Health } from "../model/health.ts";
import type { SyncBatch } from "../model/sync.ts";
import { changeState } from "./application-state.ts";
import { concluded, type Progress, syncRecord, type Work, withLastSync } from "./progress.ts";
import type { RunStage } from "./sync-batch.ts";
import { leaseSeconds, type SyncDeps } from "./sync-deps.ts";

/** Milliseconds between the first looks at the health of what was just applied. */
const looksAfter = [100, 200, 300] as const;

/** Looks at the health of what was applied; an application goes on to the prune when it is healthy, and fails at its deadline. */
export function createHealthStage({ stores, clusters, clock, log }: SyncDeps): RunStage {
  return async (here, { batch }) => {
    const health = await assessPatiently(here, batch);
    return mapConcurrently(here, { limit: 32, work: (progress) => decide(progress, health.get(progress.application), batch) });
  };

  /** Right after an apply most rollouts need less than a second: looking again costs less than a pause of the run. */
  async function assessPatiently(here: readonly Progress[], batch: SyncBatch): Promise<ReadonlyMap<string, Health>> {
    const isFirst = here.some(({ work }) => work?.phase === "Running");
    for (const pause of isFirst ? looksAfter : []) {
      const health = await assess(here, batch);
      if ([...health.values()].every(({ status }) => status !== "Progressing")) return health;
      await delay(pause);
    }
    return assess(here, batch);
  }

  async function assess(here: readonly Progress[], batch: SyncBatch): Promise<ReadonlyMap<string, Health>> {
    const inventories = await mapConcurrently(here, {
      limit: 32,
      work: ({ application }) => stores.inventories.load(application),
    });
    const owned = inventories.flatMap((inventory) =>
      inventory
        ? [
            {
              application: inventory.application,
              refs: inventory.entries.filter(({ uid, leaving }) => uid !== "" && leaving !== true).map(({ ref }) => ref),
            },
          ]
        : [],
    );
    try {
      return await readHealth({ reader: await clusters.reader(batch.cluster), owned });
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply")) throw error;
      log.warn("sync.health-unknown", { cluster: batch.cluster, error: messageOf(error) });
      return new Map();
    }
  }

  async function decide(progress: Progress, seen: Health | undefined, batch: SyncBatch): Promise<Progress> {
    const work = progress.work as Work;
    const health: Health = seen ?? { status: "Unknown", message: "the API server did not answer" };
    const next: Work = { ...work, health, phase: "Waiting" };
    if (!(await stores.leases.renew(work.lease, { phase: "waiting", seconds: leaseSeconds }))) {
      return concluded(progress, next, "Superseded");
    }
    if (work.counts.failed > 0) return concluded(progress, next, "Failed");
    if (health.status === "Healthy" || health.status === "Suspended") return { ...progress, stage: "prune", work: next };
    if (clock.now().toISOString() >= work.deadline) {
      const reason = `not healthy after ${work.definition.sync.timeout} s: ${health.status}${health.message === "" ? "" : `: ${health.message}`}`;
      return concluded(progress, { ...next, retryable: health.status === "Unknown" }, "Failed", reason);
    }
    if (health.status !== work.health.status || health.message !== work.health.message || work.phase !== "Waiting")
      await publish(next, batch);
    return { ...progress, work: next };
  }

  async function publish(work: Work, { trigger, correlationId }: SyncBatch): Promise<void> {
    const record = syncRecord(work, { trigger, correlationId, finishedAt: "" });
    const { name: application } = work.definition;
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
