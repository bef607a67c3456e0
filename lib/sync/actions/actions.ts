import type { Suspension } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import { waitingText } from "../../plan/gate.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { type ActionDeps, type ActionRequest, type ActionResult, createPerform, readUnderway } from "./action.ts";
import { refused, settled, whyClosed, whyRefused, whySuspended } from "./action-rules.ts";
import { type ApproveDeps, type ApproveRequest, createApprove } from "./approve.ts";
import { createRebuild, type RebuildDeps, type RebuildRequest, type RebuildResult } from "./rebuild.ts";
import { createRollback, type RollbackDeps, type RollbackRequest } from "./rollback.ts";
import { createResume, createSuspend } from "./suspend.ts";

export interface ActionsDeps extends ApproveDeps, RollbackDeps, RebuildDeps {
  readonly stores: ApproveDeps["stores"] & RollbackDeps["stores"] & RebuildDeps["stores"];
}

export interface SyncRequest extends ActionRequest {
  /** Also while its sync windows are closed. */
  readonly force?: boolean;
}

export interface SuspendRequest extends ActionRequest, Suspension {}

/** What people ask for. Each may be asked for twice; what the state does not allow is `refused`, with what to do instead. */
export interface Actions {
  /** Syncs the state that waits; where none waits, the desired one again. */
  sync(request: SyncRequest, options?: CallOptions): Promise<ActionResult>;
  /** Lets exactly what a plan showed be synced, its deletes included. */
  approve(request: ApproveRequest, options?: CallOptions): Promise<ActionResult>;
  /** Goes back to a state that was synced with success; reads nothing but the table. */
  rollback(request: RollbackRequest, options?: CallOptions): Promise<ActionResult>;
  /** Stops all syncs of an application; throws `config` for a time that is over. */
  suspend(request: SuspendRequest, options?: CallOptions): Promise<ActionResult>;
  resume(request: ActionRequest, options?: CallOptions): Promise<ActionResult>;
  /** Syncs all that is desired in a cluster again; throws `not-found` for one that nothing names. */
  rebuild(request: RebuildRequest, options?: CallOptions): Promise<RebuildResult>;
}

export function createActions(deps: ActionsDeps): Actions {
  return {
    sync: createSync(deps),
    approve: createApprove(deps),
    rollback: createRollback(deps),
    suspend: createSuspend(deps),
    resume: createResume(deps),
    rebuild: createRebuild(deps),
  };
}

function createSync(deps: ActionDeps): Actions["sync"] {
  const perform = createPerform(deps);
  return async ({ force = false, ...request }, options = {}) => {
    const { application } = request;
    const isUnderway = await readUnderway(deps, application, options);
    return perform(
      { action: "sync", trigger: "manual", ...request },
      (state) => {
        const { desired, pending, definition, planError } = state;
        const now = deps.clock.now();
        const stopped = whyRefused(state) ?? whySuspended(state, now);
        if (stopped !== undefined) return refused(stopped);
        if (pending !== undefined && definition.sync.mode === "approve")
          return refused(`${pending.revision} ${waitingText("approve", application)}`);
        const closed = whyClosed(definition, { now, force });
        if (closed !== undefined) return refused(closed);
        if (pending === undefined && desired === undefined)
          return refused(`it was never rendered${planError === "" ? "" : `: ${planError}`}`);
        if (pending === undefined && isUnderway(state)) return { run: true, says: "its sync is under way" };
        const says = pending === undefined ? "it is synced again" : "what waited is synced";
        return { next: settled(state, timestamp(deps.clock)), run: true, says };
      },
      options,
    );
  };
}
