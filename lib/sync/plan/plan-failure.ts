import { createHash } from "node:crypto";
import type { Application } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState, SyncRecord } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import { type Clock, timestamp } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { changeState } from "../application-state.ts";
import { noCounts } from "../batch/progress.ts";
import { projectNote } from "../projects.ts";
import { afterFailure } from "./planned-state.ts";

export interface PlanFailureDeps {
  readonly stores: Pick<Stores, "applications" | "syncs">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why an application could not be planned. */
export interface PlanFailure {
  readonly definition: Application;
  readonly error: string;
  /** Whether its project does not allow it. */
  readonly refused: boolean;
  /** Commit; "" when its sources could not be opened. */
  readonly revision: string;
  readonly correlationId: string;
}

/** A failed plan leaves the desired state, the inventory and the cluster as they were, and says so in a row of its own, once. */
export function createPlanFailure({
  stores,
  clock,
  log,
}: PlanFailureDeps): (failure: PlanFailure, options: CallOptions) => Promise<void> {
  return async (failure, options) => {
    const { definition, error, revision, correlationId } = failure;
    const { name: application } = definition;
    let known = false;
    const change = (stored: ApplicationState | undefined) => {
      known = stored?.planError === error && stored.plannedRevision === revision;
      return known && !failure.refused === !stored?.refused ? undefined : afterFailure(stored, failure);
    };
    const state = await changeState(stores.applications, { application, change }, options);
    if (!known) await stores.syncs.put(failureRow(failure, state, timestamp(clock)), options);
    log.warn("plan.failed", { application, revision, error, correlationId });
  };
}

function failureRow(
  { definition: { name, cluster, project }, error, revision, correlationId }: PlanFailure,
  state: ApplicationState | undefined,
  now: string,
): SyncRecord {
  return {
    id: createHash("sha256").update(`${name}/${revision}/${error}`).digest("hex").slice(0, 16),
    application: name,
    cluster,
    revision,
    generation: state?.desired?.generation ?? 0,
    snapshot: "",
    trigger: "push",
    ...projectNote({ project }),
    correlationId,
    phase: "Failed",
    startedAt: now,
    finishedAt: now,
    health: state?.health ?? { status: "Unknown", message: "" },
    counts: noCounts,
    errors: [error],
    notes: [],
    attempt: 1,
    retryable: false,
  };
}
