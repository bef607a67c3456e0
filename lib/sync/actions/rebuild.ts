import { mapConcurrently } from "../../cluster/concurrency.ts";
import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import { timestamp } from "../../telemetry/clock.ts";
import { changeState } from "../application-state.ts";
import { withGeneration } from "../desired.ts";
import { isDue, startRuns } from "../runs.ts";
import type { ActionDeps, AskedBy } from "./action.ts";
import { whyRefused, whySuspended } from "./action-rules.ts";

export interface RebuildDeps extends ActionDeps {
  readonly stores: ActionDeps["stores"] & Pick<Stores, "configuration">;
}

export interface RebuildRequest extends AskedBy {
  readonly cluster: string;
}

export interface RebuildResult {
  readonly cluster: string;
  /** What is synced again, and at which generation. */
  readonly items: readonly { readonly application: string; readonly revision: string; readonly generation: number }[];
  /** What is not, and why. */
  readonly skipped: readonly { readonly application: string; readonly reason: string }[];
}

/**
 * Brings what is recorded of a cluster to it once more, as after its loss: every desired state one generation later, all runs at
 * once; each waits for what it depends on. Asked again before these have begun it only starts them.
 */
export function createRebuild(deps: RebuildDeps): (request: RebuildRequest, options?: CallOptions) => Promise<RebuildResult> {
  const { stores, starter, clock, log } = deps;

  return async ({ cluster, by, correlationId }, options = {}) => {
    const all = await stores.applications.list(options);
    const states = all.filter(({ definition }) => definition.cluster === cluster);
    if (states.length === 0) await refuseUnknown(cluster, all, options);
    const skipped = states.flatMap((state) => {
      const reason = whySkipped(state, clock.now());
      return reason === undefined ? [] : [{ application: state.application, reason }];
    });
    const again = await mapConcurrently(
      states.filter((state) => whySkipped(state, clock.now()) === undefined),
      { limit: 16, work: (state) => desireAgain(state, options) },
    );
    const due = again.filter((state) => state !== undefined);
    log.info("action.rebuild", { cluster, by, applications: due.length, skipped: skipped.length, correlationId });
    await startRuns(starter, due, { trigger: "rebuild", correlationId, ...options });
    const items = due.map(({ application, desired }) => ({
      application,
      revision: desired?.revision ?? "",
      generation: desired?.generation ?? 0,
    }));
    return { cluster, items, skipped };
  };

  function desireAgain(known: ApplicationState, options: CallOptions): Promise<ApplicationState | undefined> {
    const { application } = known;
    const change = (state: ApplicationState | undefined) => {
      if (state?.desired === undefined || isDue(state)) return undefined;
      // What waits for leave goes on waiting.
      return withGeneration(state, { ...state.desired, plannedAt: timestamp(clock) });
    };
    return changeState(stores.applications, { application, known, change }, options);
  }

  async function refuseUnknown(cluster: string, states: readonly ApplicationState[], options: CallOptions): Promise<void> {
    const stated = (await stores.configuration.load(options))?.configuration.clusters.map(({ name }) => name) ?? [];
    if (stated.includes(cluster)) return;
    const known = [...new Set([...stated, ...states.map(({ definition }) => definition.cluster)])].sort();
    throw new DriftlessError("not-found", `there is no cluster ${cluster}; there are: ${known.join(", ") || "none"}`);
  }
}

function whySkipped(state: ApplicationState, now: Date): string | undefined {
  return state.desired === undefined ? "it was never rendered" : (whyRefused(state) ?? whySuspended(state, now));
}
