import type { SyncBatch } from "../model/sync.ts";
import { createApplyStage } from "./apply-stage.ts";
import { createBeginStage } from "./begin-stage.ts";
import { createHealthStage } from "./health-stage.ts";
import type { Progress } from "./progress.ts";
import { createPruneStage } from "./prune-stage.ts";
import { createRecordStage } from "./record-stage.ts";
import type { DurableRun } from "./run.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** Takes the applications of one stage one step further, together; what one of them meets never stops another. */
export type RunStage = (
  here: readonly Progress[],
  run: { readonly batch: SyncBatch; readonly id: string },
) => Promise<readonly Progress[]>;

/**
 * The sync of one batch: take the lease, apply, wait until healthy, prune, record. Each round moves every application
 * through the stages that it can pass; the pause between rounds costs no compute. Every stage of every round is one
 * step: it may be cut off anywhere and is then done again, which its conditional writes and server-side apply bear.
 */
export function createSyncBatch(deps: SyncDeps): (batch: SyncBatch, run: DurableRun) => Promise<void> {
  const stages = [
    ["begin", createBeginStage(deps)],
    ["apply", createApplyStage(deps)],
    ["health", createHealthStage(deps)],
    ["prune", createPruneStage(deps)],
    ["record", createRecordStage(deps)],
  ] as const;

  return async (batch, run) => {
    let open: readonly Progress[] = batch.applications.map(({ name }) => ({ application: name, stage: "begin" }));
    for (let round = 1; open.length > 0; round++) {
      for (const [name, stage] of stages) {
        const here = open.filter((progress) => progress.stage === name);
        if (here.length === 0) continue;
        const moved = await run.step(`${name}-${round}`, () => stage(here, { batch, id: run.id }));
        open = open.map((progress) => moved.find(({ application }) => application === progress.application) ?? progress);
      }
      open = open.filter(({ stage }) => stage !== "done");
      if (open.length > 0) await run.wait(`pause-${round}`, pauseSeconds(round));
    }
  };
}

/**
 * One second at first, since most rollouts are short; up to thirty later: a durable execution may have some 3,000 operations,
 * and a round has two or more. A newer revision need not wait for it: its own run takes the lease over.
 */
function pauseSeconds(round: number): number {
  return round <= 10 ? 1 : Math.min(30, Math.floor(round / 5));
}
