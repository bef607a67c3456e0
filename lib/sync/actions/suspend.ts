import { DriftlessError } from "../../errors.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { waitingText } from "../../plan/gate.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { isDue } from "../runs.ts";
import { type ActionDeps, createPerform, type Decision } from "./action.ts";
import { refused, settled, whyClosed, whyRefused, whySuspended } from "./action-rules.ts";
import type { Actions } from "./actions.ts";

export function createSuspend(deps: ActionDeps): Actions["suspend"] {
  const perform = createPerform(deps);
  return async ({ owner, reason, until, ...request }, options = {}) => {
    const now = timestamp(deps.clock);
    if (until !== "" && until <= now) throw new DriftlessError("config", `until ${until} is over already: it is ${now}`);
    const suspended = { owner, reason, until };
    const says = until === "" ? "suspended until it is resumed" : `suspended until ${until}`;
    const decide = (state: ApplicationState): Decision => {
      const { suspended: known } = state;
      const isSame = known?.owner === owner && known.reason === reason && known.until === until;
      return { ...(isSame ? {} : { next: { ...state, suspended } }), run: false, says };
    };
    return perform({ action: "suspend", trigger: "manual", ...request }, decide, options);
  };
}

/** Takes the suspension away; in mode `auto` what waited meanwhile is synced, unless its sync windows are closed. */
export function createResume(deps: ActionDeps): Actions["resume"] {
  const { clock } = deps;
  const perform = createPerform(deps);

  return async (request, options = {}) => perform({ action: "resume", trigger: "manual", ...request }, resumed, options);

  function resumed({ suspended, ...state }: ApplicationState): Decision {
    const now = clock.now();
    const stated = whySuspended(state, now);
    if (stated !== undefined && suspended === undefined) return refused(stated);
    const kept = suspended === undefined ? {} : { next: state };
    const done = suspended === undefined ? "it was not suspended" : "resumed";
    if (stated !== undefined) return { ...kept, run: false, says: `${done}, but ${stated}` };
    const waits = whyRefused(state) ?? whyStillWaiting(state, now);
    if (waits !== undefined) return { ...kept, run: false, says: `${done}; ${waits}` };
    if (state.pending === undefined) return { ...kept, run: isDue(state), says: done };
    return { next: settled(state, timestamp(clock)), run: true, says: `${done}; what waited is synced` };
  }
}

function whyStillWaiting({ application, definition, pending }: ApplicationState, now: Date): string | undefined {
  if (pending === undefined) return undefined;
  const { mode } = definition.sync;
  if (mode === "auto") return whyClosed(definition, { now, force: false });
  return `${pending.revision} ${waitingText(mode, application)}`;
}
