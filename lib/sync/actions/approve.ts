import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Preview } from "../../queue/preview-answer.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { type ActionDeps, type ActionRequest, type ActionResult, createPerform, type Decision, readBefore } from "./action.ts";
import { refused, settled, whyClosed, whyNotApprovable, whyRefused, whySuspended } from "./action-rules.ts";

export interface ApproveDeps extends ActionDeps {
  readonly preview: Preview;
}

export interface ApproveRequest extends ActionRequest {
  /** Of the plan that is approved, whole. */
  readonly hash: string;
  /** Also while its sync windows are closed. */
  readonly force?: boolean;
}

/**
 * Makes the plan once more and compares: what was looked at is what is approved. The state may not move between that plan and
 * the write; what moves in the cluster later meets the digest of the deletes, by uid.
 */
export function createApprove(deps: ApproveDeps): (request: ApproveRequest, options?: CallOptions) => Promise<ActionResult> {
  const { preview, clock } = deps;
  const perform = createPerform(deps);

  return async ({ hash, force = false, ...request }, options = {}) => {
    const { application, by } = request;
    const performed = { action: "approve", trigger: "approved", ...request } as const;
    const isTaken = (state: ApplicationState) => isApproved(state, hash);
    const says = "its approved sync is under way";
    const { known, repeated } = await readBefore(deps, { performed, perform, isTaken, says }, options);
    if (repeated !== undefined) return repeated;

    const why = whyNot(known, force);
    if (why !== undefined) return perform(performed, () => refused(why), options);
    const shown = await preview({ application }, options);
    const decide = (state: ApplicationState): Decision => {
      const reason = whyNot(state, force);
      if (reason !== undefined) return refused(reason);
      const target = state.pending ?? state.desired;
      if (shown.hash !== hash || target?.snapshot !== shown.snapshot || target.revision !== shown.revision)
        return refused(`the plan changed since: look again with driftless plan ${application}`);
      const at = timestamp(clock);
      const approval = { revision: shown.revision, hash, prune: shown.prune, by, at };
      return { next: { ...settled(state, at), approval }, run: true, says: `the plan of ${shown.revision} is approved` };
    };
    return perform(performed, decide, options);
  };

  function whyNot(state: ApplicationState, force: boolean): string | undefined {
    const now = clock.now();
    return (
      whyRefused(state) ?? whySuspended(state, now) ?? whyNotApprovable(state) ?? whyClosed(state.definition, { now, force })
    );
  }
}

function isApproved({ approval, desired, pending }: ApplicationState, hash: string): boolean {
  return pending === undefined && approval?.hash === hash && approval.revision === desired?.revision;
}
