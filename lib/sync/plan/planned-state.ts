import type { Application } from "../../model/application.ts";
import type { RenderInputs } from "../../model/application-source.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { definitionText, isSameDefinition, withPolicies } from "../../plan/definition.ts";
import { gateOf } from "../../plan/gate.ts";
import { withDesired, withPending } from "../desired.ts";

/** The inputs of an application that has not been rendered, or not since it was removed. */
const nothingRead: RenderInputs = { repositories: [], pinned: [], cluster: "" };

/** A render, and the definition that it was made by. */
export interface Rendering {
  readonly definition: Application;
  readonly definitionDigest: string;
  /** Of the project's limits; "" where no projects are stated. */
  readonly projectDigest: string;
  readonly inputs: RenderInputs;
  readonly revision: string;
  readonly snapshot: string;
}

/**
 * What a plan comes to: `changed` has a new desired state; `held` one that waits for leave; `same` is desired already;
 * `rejected` was rolled back from, so that the desired state stays.
 */
export interface Planned {
  readonly verdict: "changed" | "held" | "same" | "rejected";
  readonly state: ApplicationState;
}

/** The state after a render: only the newest is pending, and what goes back to the desired one leaves nothing pending. */
export function afterRender(stored: ApplicationState | undefined, rendering: Rendering, now: Date): Planned {
  const { definition, definitionDigest, projectDigest, inputs, revision, snapshot } = rendering;
  const { pending, rejected, refused: _allowed, projectDigest: _last, ...known } = stored ?? newState(definition);
  const digests = { definitionDigest, ...(projectDigest === "" ? {} : { projectDigest }) };
  const looked = { ...known, definition, removed: false, ...digests, inputs, planError: "", plannedRevision: revision };
  if (rejected?.snapshot === snapshot) return { verdict: "rejected", state: { ...looked, rejected } };
  const isInForce =
    definitionText(known.definition) === definitionText(definition) &&
    (pending?.definition !== undefined || known.definitionDigest === definitionDigest);
  const isSame = isInForce && known.desired?.snapshot === snapshot;
  if (isSame && !(isOtherwiseAllowed(stored, projectDigest) && hasFailed(known))) return { verdict: "same", state: looked };

  const next = { revision, snapshot, plannedAt: now.toISOString() };
  const gate = gateOf({ definition, suspended: known.suspended, now });
  if (gate.open) return { verdict: "changed", state: withDesired(looked, next) };
  const waiting = { ...next, reason: gate.reason };
  if (isInForce || known.desired === undefined) return { verdict: "held", state: { ...looked, pending: waiting } };
  // What is desired is healed by the definition that it was planned by.
  const inForce = withPolicies(known.definition, definition);
  return { verdict: "held", state: { ...looked, definition: inForce, pending: { ...waiting, definition } } };
}

/** True when the project allows something else since the last plan: what failed by it may succeed now. */
function isOtherwiseAllowed(stored: ApplicationState | undefined, projectDigest: string): boolean {
  return stored?.refused === true || (stored?.projectDigest ?? "") !== projectDigest;
}

function hasFailed({ desired, lastSync }: Pick<ApplicationState, "desired" | "lastSync">): boolean {
  return lastSync?.phase === "Failed" && lastSync.generation === desired?.generation;
}

/** The state when nothing has to be rendered: policies are as stated, and what was pending may go on; undefined where it stays as it is. */
export function afterLook(stored: ApplicationState, stated: Application, now: Date): ApplicationState | undefined {
  const { pending } = stored;
  const isStated = isSameDefinition(statedDefinition(stored), stated);
  const restated: ApplicationState = isStated
    ? stored
    : {
        ...stored,
        definition: withPolicies(stored.definition, stated),
        ...(pending?.definition === undefined ? {} : { pending: { ...pending, definition: stated } }),
      };
  if (restated.pending === undefined) return isStated ? undefined : restated;
  const gate = gateOf({ definition: stated, suspended: stored.suspended, refused: stored.refused, now });
  if (gate.open) return withPending(restated, now.toISOString());
  if (gate.reason !== restated.pending.reason) return { ...restated, pending: { ...restated.pending, reason: gate.reason } };
  return isStated ? undefined : restated;
}

/** The state of an application that left the configuration: nothing is desired of it, once its gate lets that be synced. */
export function afterRemoval(stored: ApplicationState, now: Date): ApplicationState {
  const definition = statedDefinition(stored);
  const { pending: _overtaken, refused: _stays, ...known } = stored;
  const removed = { ...known, removed: true, inputs: nothingRead, planError: "" };
  const gate = gateOf({ definition, suspended: stored.suspended, now });
  const next = { revision: stored.plannedRevision, snapshot: "", plannedAt: now.toISOString() };
  // Of what was never synced there is nothing to prune, so nobody's leave is needed.
  if (!gate.open && stored.desired !== undefined) return { ...removed, pending: { ...next, reason: gate.reason, definition } };
  const { rejected: _over, ...rest } = removed;
  return withDesired({ ...rest, definition }, next);
}

/** The state after a plan that failed: what was applied, where and how, stays in force, whatever the new definition says. */
export function afterFailure(
  stored: ApplicationState | undefined,
  { definition, error, refused, revision }: AppliedFailure,
): ApplicationState {
  const known = stored ?? newState(definition);
  const inForce = known.desired === undefined ? definition : withPolicies(known.definition, definition);
  // Objects that are to be kept are kept from now on.
  const prune = definition.sync.prune && inForce.sync.prune;
  const failed = { definition: { ...inForce, sync: { ...inForce.sync, prune } }, planError: error, plannedRevision: revision };
  // What was refused stays so until a plan is allowed.
  return { ...known, ...failed, ...(refused ? { refused } : {}) };
}

interface AppliedFailure {
  readonly definition: Application;
  readonly error: string;
  /** Whether its project does not allow it. */
  readonly refused: boolean;
  readonly revision: string;
}

/** As the configuration states it, in force or not yet. */
export function statedDefinition({ definition, pending }: ApplicationState): Application {
  return pending?.definition ?? definition;
}

function newState(definition: Application): ApplicationState {
  return {
    application: definition.name,
    definition,
    removed: false,
    definitionDigest: "",
    inputs: nothingRead,
    planError: "",
    plannedRevision: "",
    health: { status: "Unknown", message: "not synced yet" },
    drifted: 0,
    additions: 0,
    version: 0,
  };
}
