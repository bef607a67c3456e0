import type { Application } from "../../model/application.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { closedWindow, inForce, suspensionText } from "../../plan/gate.ts";
import { withDesired, withPending } from "../desired.ts";
import { projectOf } from "../projects.ts";
import type { Decision } from "./action.ts";

export const refused = (reason: string): Decision => ({ refused: reason });

/** Why nothing of an application is synced, and what ends that; undefined when it is not suspended. */
export function whySuspended({ application, definition, suspended }: ApplicationState, now: Date): string | undefined {
  const set = inForce(suspended, now);
  if (set !== undefined) return `it is ${suspensionText(set)}; driftless resume ${application} ends that`;
  const stated = inForce(definition.suspend, now);
  return stated && `it is ${suspensionText(stated)}; take \`suspend\` out of driftless.yaml to end that`;
}

/** Why nothing of an application is synced until its project allows it; undefined when its last plan was not refused. */
export function whyRefused({ definition, refused: isRefused, planError }: ApplicationState): string | undefined {
  return isRefused === true ? `project ${projectOf(definition)} does not allow it: ${planError}` : undefined;
}

/** Why a sync may not start now; undefined when it may. */
export function whyClosed(
  definition: Application,
  { now, force }: { readonly now: Date; readonly force: boolean },
): string | undefined {
  const closed = force ? undefined : closedWindow(definition, now);
  return closed && `${closed}; --force syncs all the same`;
}

/** Why there is nothing to approve; undefined when there is. */
export function whyNotApprovable({ application, definition, desired, pending, lastSync }: ApplicationState): string | undefined {
  if (pending !== undefined && definition.sync.mode === "approve") return undefined;
  if (lastSync?.phase === "Blocked" && lastSync.generation === desired?.generation) return undefined;
  return pending === undefined ? "nothing of it waits for approval" : `it waits for no approval: driftless sync ${application}`;
}

/** The state with what waited as its newest desired state; where nothing did, with what is desired already, so that it is synced again. */
export function settled(state: ApplicationState, plannedAt: string): ApplicationState {
  if (state.pending !== undefined) return withPending(state, plannedAt);
  if (state.desired === undefined) throw new TypeError(`${state.application} has no state to sync`);
  return withDesired(state, { ...state.desired, plannedAt });
}
