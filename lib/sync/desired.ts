import type { ApplicationState, Desired } from "../model/sync.ts";

/** The state with another desired state, one generation later, so that a run is due; what was pending is settled by it. */
export function withDesired(state: ApplicationState, next: Omit<Desired, "generation">): ApplicationState {
  const { pending: _settled, ...rest } = state;
  return withGeneration(rest, next);
}

/** The same while what is pending goes on waiting. */
export function withGeneration(state: ApplicationState, next: Omit<Desired, "generation">): ApplicationState {
  return { ...state, desired: { ...next, generation: (state.desired?.generation ?? 0) + 1 } };
}

/** The state with what was pending as its desired one, and in force the definition that came with it; as it is where nothing was. */
export function withPending(state: ApplicationState, plannedAt: string): ApplicationState {
  const { rejected: _overtaken, ...rest } = state;
  const { pending } = rest;
  if (pending === undefined) return state;
  const { revision, snapshot, definition = state.definition } = pending;
  return { ...withDesired(rest, { revision, snapshot, plannedAt }), definition };
}
