import { readHealth } from "../../apply/read-health.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import { type Assessor, assessHealth, createAssessor } from "../../health/health.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Health, HealthCheckExpr } from "../../model/health.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import type { Log } from "../../telemetry/log.ts";
import { changeState } from "../application-state.ts";
import { basisOf, usableCleared } from "./sweep-cleared.ts";
import type { Sighting } from "./sweep-tracking.ts";

export interface RefreshHealthDeps {
  readonly stores: Pick<Stores, "applications">;
  readonly log: Log;
}

/** One application, as the sweep has seen it and as its row stands now. */
export interface Seen {
  readonly sighting: Sighting;
  readonly state: ApplicationState;
}

export interface HealthSweep {
  readonly id: string;
  readonly reader: ClusterReader;
  readonly healthCheckExprs: readonly HealthCheckExpr[];
}

export interface Refreshed {
  /** Applications whose health was another one. */
  readonly changed: readonly string[];
  readonly errors: readonly string[];
}

/** Applications whose objects are read together; so many bodies are held at once. */
const atOnce = 50;

/**
 * Looks at the health of what has changed since it was looked at last, by uid and resourceVersion, and writes it where it is
 * another one. While nothing changes, that costs no request; while a sync runs, its health is the sync's business.
 */
export function createRefreshHealth({ stores, log }: RefreshHealthDeps) {
  return async (all: readonly Seen[], sweep: HealthSweep, options: CallOptions): Promise<Refreshed> => {
    const due = all.filter(isDue);
    if (due.length === 0) return { changed: [], errors: [] };
    const { healthCheckExprs } = sweep;
    const assess = healthCheckExprs.length === 0 ? assessHealth : createAssessor(healthCheckExprs);
    const changed: string[] = [];
    const errors: string[] = [];
    for (let from = 0; from < due.length; from += atOnce) {
      try {
        changed.push(...(await refresh(due.slice(from, from + atOnce), { ...sweep, assess }, options)));
      } catch (error) {
        if (!isDriftlessError(error, "cluster", "apply")) throw error;
        errors.push(`health: ${messageOf(error)}`);
      }
    }
    return { changed, errors };
  };

  async function refresh(
    part: readonly Seen[],
    { id, reader, assess }: HealthSweep & { readonly assess: Assessor },
    options: CallOptions,
  ): Promise<readonly string[]> {
    const owned = part.map(({ sighting: { state, counted } }) => ({ application: state.application, refs: counted }));
    const found = await readHealth({ reader, owned, assess }, options);
    const changed = await mapConcurrently(part, {
      limit: 16,
      work: async (seen) => {
        const { application } = seen.state;
        const health = found.get(application)?.health;
        return health !== undefined && (await write(seen, health, { id }, options)) ? [application] : [];
      },
    });
    return changed.flat();
  }

  /** A row that somebody wrote since is newer than what was seen. */
  async function write(
    { state, sighting }: Seen,
    health: Health,
    { id }: { readonly id: string },
    options: CallOptions,
  ): Promise<boolean> {
    const { application, version, swept, health: before } = state;
    const differs = health.status !== before.status || health.message !== before.message;
    if (!differs && swept?.health === sighting.health) return false;
    const next = { health, swept: { basis: basisOf(state), health: sighting.health, cleared: usableCleared(state) } };
    const change = (stored: ApplicationState | undefined) => (stored?.version === version ? { ...stored, ...next } : undefined);
    const stands = await changeState(stores.applications, { application, known: state, change }, options);
    if (!differs || stands?.version !== version + 1) return false;
    log.info("sweep.health", { sweep: id, application, before: before.status, health: health.status, message: health.message });
    return true;
  }
}

/** Says in an application's row that nothing is known of it, and why; true where that was not said there yet. */
export function createTellUnknown({ stores, log }: RefreshHealthDeps) {
  return async (
    { state, reason }: { readonly state: ApplicationState; readonly reason: string },
    { id }: Pick<HealthSweep, "id">,
    options: CallOptions,
  ): Promise<boolean> => {
    const { application, version, health: before } = state;
    const health: Health = { status: "Unknown", message: reason };
    if (before.status === health.status && before.message === reason) return false;
    const change = (stored: ApplicationState | undefined) => (stored?.version === version ? { ...stored, health } : undefined);
    const stands = await changeState(stores.applications, { application, known: state, change }, options);
    if (stands?.version !== version + 1) return false;
    log.info("sweep.health", { sweep: id, application, before: before.status, health: health.status, message: reason });
    return true;
  };
}

function isDue({ state, sighting }: Seen): boolean {
  const { removed, lastSync, swept, health } = state;
  const runs = lastSync === undefined || lastSync.phase === "Running" || lastSync.phase === "Waiting";
  if (removed || runs || !sighting.isWhole || sighting.counted.length === 0) return false;
  return swept?.health !== sighting.health || mayMove(health);
}

/** Pods that fail, and an end of waiting, are not always seen in the objects themselves. */
function mayMove({ status }: Health): boolean {
  return status === "Progressing" || status === "Missing" || status === "Unknown";
}
