import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState, SyncTrigger } from "../../model/sync.ts";
import type { SyncStarter } from "../../queue/queue.ts";
import { isHeld } from "../../store/lease.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { changeState, unknownApplication } from "../application-state.ts";
import { isDue, startRuns } from "../runs.ts";
import { refused, whyRefused } from "./action-rules.ts";

/** Who asks, as the platform knows them, and the id that follows the request through log and history. */
export interface AskedBy {
  readonly by: string;
  readonly correlationId: string;
}

export interface ActionRequest extends AskedBy {
  readonly application: string;
}

export type ActionResult =
  | {
      /** `started`: a run of this generation is on its way; `done`: there is nothing to run. */
      readonly outcome: "started" | "done";
      readonly application: string;
      readonly cluster: string;
      /** Of the desired state; "" and 0 when there is none. */
      readonly revision: string;
      readonly generation: number;
      /** What was done, for people. */
      readonly message: string;
    }
  | {
      readonly outcome: "refused";
      /** Why the state does not allow it, and what to do instead. */
      readonly reason: string;
    };

/** What an action makes of a state: the next one (absent where it stays), and whether a run of it is wanted. */
export type Decision =
  | { readonly refused: string }
  | { readonly next?: Omit<ApplicationState, "version">; readonly run: boolean; readonly says: string };

export interface ActionDeps {
  readonly stores: Pick<Stores, "applications" | "leases">;
  readonly starter: SyncStarter;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Performed extends ActionRequest {
  readonly action: string;
  readonly trigger: SyncTrigger;
}

export type Perform = (
  request: Performed,
  decide: (state: ApplicationState) => Decision,
  options: CallOptions,
) => Promise<ActionResult>;

/**
 * Decides on the state as it is, writes what comes of it on condition that it still is, and starts a run that is due: asked
 * again after a cut, it only starts the run. Throws `not-found` for an unknown application.
 */
export function createPerform({ stores, starter, log }: ActionDeps): Perform {
  return async ({ action, trigger, application, by, correlationId }, decide, options) => {
    let decision: Decision = { refused: "" };
    const change = (stored: ApplicationState | undefined) => {
      if (stored === undefined) throw unknownApplication(application);
      decision = decide(stored);
      const why = "run" in decision && decision.run ? whyRefused(stored) : undefined;
      if (why !== undefined) decision = refused(why);
      return "next" in decision ? decision.next : undefined;
    };
    const state = await changeState(stores.applications, { application, change }, options);
    const decided = decision as Decision;
    if (state === undefined || "refused" in decided) {
      const reason = "refused" in decided ? decided.refused : "";
      log.info("action.refused", { action, application, by, reason, correlationId });
      return { outcome: "refused", reason };
    }
    const { revision = "", generation = 0 } = state.desired ?? {};
    log.info("action.taken", { action, application, by, message: decided.says, revision, generation, correlationId });
    if (decided.run && isDue(state)) await startRuns(starter, [state], { trigger, correlationId, ...options });
    const outcome = decided.run ? "started" : "done";
    return { outcome, application, cluster: state.definition.cluster, revision, generation, message: decided.says };
  };
}

export interface Repeatable {
  readonly performed: Performed;
  readonly perform: Perform;
  /** Whether a state is what this very request made of it. */
  readonly isTaken: (state: ApplicationState) => boolean;
  readonly says: string;
}

/**
 * The state that an action begins with. Where the same was asked for before, and is under way, that is said in `repeated`, and only
 * its run is started again. Throws `not-found` for an unknown application.
 */
export async function readBefore(
  deps: Pick<ActionDeps, "stores" | "clock">,
  { performed, perform, isTaken, says }: Repeatable,
  options: CallOptions,
): Promise<{ readonly known: ApplicationState; readonly repeated?: ActionResult }> {
  const { application } = performed;
  const known = await deps.stores.applications.get(application, options);
  if (known === undefined) throw unknownApplication(application);
  const isUnderway = await readUnderway(deps, application, options);
  if (!isTaken(known) || !isUnderway(known)) return { known };
  return { known, repeated: await perform(performed, () => ({ run: true, says }), options) };
}

/** Tells of a state whether its desired state waits for its run, or is in one: asking again would only repeat that. */
export async function readUnderway(
  { stores, clock }: Pick<ActionDeps, "stores" | "clock">,
  application: string,
  options: CallOptions,
): Promise<(state: ApplicationState) => boolean> {
  const lease = await stores.leases.get(application, options);
  const held = isHeld(lease, clock.now()) ? lease.generation : 0;
  return (state) => isDue(state) || (state.lastSync?.finishedAt === "" && state.desired?.generation === held);
}
