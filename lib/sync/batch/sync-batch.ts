import type { SyncBatch } from "../../model/sync.ts";
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
 * The sync of one batch: take the lease; apply wave after wave with its hooks, each waited for until it is healthy; prune;
 * record. Each round moves every application through the stages as far as it can get; the pause between rounds costs no
 * compute. Every stage is one step of the run: it may be cut off anywhere and is then done again, which its conditional
 * writes and server-side apply bear.
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
    const { trigger } = batch;
    let open: readonly Progress[] = batch.applications.map(({ name }) => ({ application: name, stage: "begin", trigger }));
    let quiet = 0;
    for (let round = 1; open.length > 0; round++) {
      const before = open;
      for (let pass = 1; open.some(({ waiting }) => waiting !== true); pass++) open = await once(open, `${round}.${pass}`);
      quiet = open.some((progress) => before.every((old) => !isSamePlace(old, progress))) ? 0 : quiet + 1;
      if (open.length > 0) await run.wait(`pause-${round}`, pauseSeconds({ round, quiet }));
      open = open.map(({ waiting: _over, ...progress }) => progress);
    }

    /** Every application that waits for nothing, through all stages once. */
    async function once(all: readonly Progress[], name: string): Promise<readonly Progress[]> {
      let current = all;
      for (const [stage, work] of stages) {
        const here = current.filter((progress) => progress.stage === stage && progress.waiting !== true);
        if (here.length === 0) continue;
        const next = await run.step(`${stage}-${name}`, () => work(here, { batch, id: run.id }));
        current = current.map((progress) => next.find(({ application }) => application === progress.application) ?? progress);
      }
      return current.filter(({ stage }) => stage !== "done");
    }
  };
}

/** The same wave of the same stage as before. */
function isSamePlace(a: Progress, b: Progress): boolean {
  const place = ({ application, stage, work }: Progress) =>
    [application, stage, work?.path, work?.step, work?.desired.generation].join();
  return place(a) === place(b);
}

/**
 * One second at first, since most rollouts are short; up to thirty later: a durable execution may have some 3,000 operations,
 * and a round has two or more. A newer revision need not wait for it: its own run takes the lease over.
 */
function pauseSeconds({ round, quiet }: { readonly round: number; readonly quiet: number }): number {
  if (quiet <= 10 && round <= 100) return 1;
  return Math.min(30, Math.max(1, Math.floor(quiet / 5), Math.floor(round / 50)));
}
