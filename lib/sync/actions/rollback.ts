import { DriftlessError, isDriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState, SyncRecord } from "../../model/sync.ts";
import { findProject } from "../../projects/find.ts";
import type { Stores } from "../../store/store.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { withDesired } from "../desired.ts";
import { refuseObjects } from "../plan/project-rules.ts";
import { projectOf, projectsOf } from "../projects.ts";
import { type ActionDeps, type ActionRequest, type ActionResult, createPerform, type Decision, readBefore } from "./action.ts";
import { refused } from "./action-rules.ts";
import { type RollbackTarget, rollbackTargets, targetBefore } from "./rollback-target.ts";

export interface RollbackDeps extends ActionDeps {
  readonly stores: ActionDeps["stores"] & Pick<Stores, "configuration" | "snapshots" | "syncs">;
}

export interface RollbackRequest extends ActionRequest {
  /** Beginning of the commit to go back to; what stood before the desired state when absent. */
  readonly revision?: string;
  /** Why, for people. */
  readonly reason?: string;
}

/** Rows of history that are looked at. */
const mostHistory = 1000;
const pageRows = 200;

/**
 * Goes back by the stored manifests alone, also while it is suspended, its windows are closed or its repository is away: a person
 * asks for it. What it goes back from is remembered, so that automated sync, which stays on, does not bring it again.
 */
export function createRollback(deps: RollbackDeps): (request: RollbackRequest, options?: CallOptions) => Promise<ActionResult> {
  const { stores, clock } = deps;
  const perform = createPerform(deps);

  return async ({ revision, reason = "", ...request }, options = {}) => {
    const { application, by } = request;
    const performed = { action: "rollback", trigger: "rollback", ...request } as const;
    const isTaken = (state: ApplicationState) => isRolledBack(state, revision);
    const says = "its rollback is under way";
    const { known, repeated } = await readBefore(deps, { performed, perform, isTaken, says }, options);
    if (repeated !== undefined) return repeated;
    const history = await historyOf(application, options);
    const choose = (state: ApplicationState): RollbackTarget | string =>
      whyNever(state) ??
      (revision === undefined ? (targetBefore(history, state) ?? noneBefore(state)) : named(history, state, revision));
    const target = choose(known);
    const missing = typeof target === "string" ? undefined : await whyNotApplied(known, target, options);
    const decide = (state: ApplicationState): Decision => {
      const chosen = choose(state);
      if (typeof chosen === "string") return refused(chosen);
      if (missing !== undefined) return refused(missing);
      if (typeof target === "string" || target.snapshot !== chosen.snapshot)
        return refused("its state changed meanwhile: ask again");
      return { next: rolledBack(state, chosen, { reason, by }), run: true, says: `rolled back to ${chosen.revision}` };
    };
    return perform(performed, decide, options);
  };

  async function historyOf(application: string, options: CallOptions): Promise<readonly SyncRecord[]> {
    const found: SyncRecord[] = [];
    let from: string | undefined;
    do {
      const page = await stores.syncs.list(application, { ...options, limit: pageRows, ...(from === undefined ? {} : { from }) });
      found.push(...page.items);
      from = page.next;
    } while (from !== undefined && found.length < mostHistory);
    return found;
  }

  /** What is asked for has to be there, and allowed by now, before anything is said of it in the state. */
  async function whyNotApplied(
    { definition }: ApplicationState,
    { revision, snapshot }: RollbackTarget,
    options: CallOptions,
  ): Promise<string | undefined> {
    try {
      const objects = await stores.snapshots.load(snapshot, options);
      const projects = projectsOf((await stores.configuration.load(options))?.configuration);
      const project = findProject({ projects }, projectOf(definition));
      // Without one a run is refused as well, and says so.
      if (project !== undefined) refuseObjects(project, { application: definition, objects });
      return undefined;
    } catch (error) {
      if (isDriftlessError(error, "refused")) return `its project does not allow what ${revision} has: ${error.message}`;
      if (!isDriftlessError(error, "not-found")) throw error;
      return `the manifests of ${revision} are stored no longer: name another revision, or revert in Git`;
    }
  }

  /** What was rolled back first is what the branch still holds, so a second rollback remembers that one too. */
  function rolledBack(
    state: ApplicationState,
    { revision, snapshot }: RollbackTarget,
    { reason, by }: { readonly reason: string; readonly by: string },
  ): ApplicationState {
    const at = timestamp(clock);
    const from = { revision: state.desired?.revision ?? "", snapshot: state.desired?.snapshot ?? "", reason, by, at };
    return { ...withDesired(state, { revision, snapshot, plannedAt: at }), rejected: state.rejected ?? from };
  }
}

function isRolledBack({ rejected, desired }: ApplicationState, revision: string | undefined): boolean {
  return rejected !== undefined && desired?.revision.startsWith(revision ?? "") === true;
}

function whyNever({ application, removed, desired }: ApplicationState): string | undefined {
  if (removed) return `${application} left the configuration: put it back into driftless.yaml`;
  return desired === undefined ? "it was never rendered, so there is nothing to go back to" : undefined;
}

function noneBefore({ desired }: ApplicationState): string {
  return `nothing was synced with success before ${desired?.revision ?? ""}: name a revision, see driftless history`;
}

/** The one target that the text begins; throws `not-found` with what there is when it begins none, or several. */
function named(history: readonly SyncRecord[], state: ApplicationState, text: string): RollbackTarget | string {
  const targets = rollbackTargets(history, state);
  const found = targets.filter(({ revision }) => revision.startsWith(text));
  if (found.length === 1) return found[0] as RollbackTarget;
  if (found.length === 0 && state.desired?.revision.startsWith(text) === true)
    return `${state.desired.revision} is what is desired already`;
  const known = (found.length === 0 ? targets : found)
    .slice(0, mostListed)
    .map(({ revision, finishedAt }) => `${revision} (${finishedAt})`);
  const which =
    found.length === 0 ? `no sync of a revision ${text} succeeded` : `${text} is the beginning of ${found.length} revisions`;
  throw new DriftlessError("not-found", `${which}; one can go back to: ${known.join(", ") || "nothing"}`);
}

/** Revisions that an error has room for. */
const mostListed = 10;
