import { setTimeout as delay } from "node:timers/promises";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Project } from "../../model/project.ts";
import type { ResourceRef } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { isHeld } from "../../store/lease.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Edited, OwnedTarget } from "./owners.ts";

/** Looks at some objects of applications of one cluster, records what it finds, and starts the heal. */
export type SweepObjects = (
  sweep: {
    readonly id: string;
    readonly cluster: string;
    readonly states: readonly ApplicationState[];
    /** As the configuration states them. */
    readonly projects: readonly Project[];
    /** The objects that are looked at, by application. */
    readonly only: ReadonlyMap<string, readonly ResourceRef[]>;
  },
  options?: CallOptions,
) => Promise<{ readonly healing: readonly string[]; readonly skipped: readonly string[] }>;

export interface RevisitDeps {
  readonly stores: Pick<Stores, "applications" | "leases">;
  readonly sweepObjects: SweepObjects;
  readonly clock: Clock;
  readonly log: Log;
}

/** Objects of one application that are looked at; where more were edited, the next sweep sees the rest. */
const mostObjects = 100;
/** A run that holds an application is waited for, by a look at its lease every so many milliseconds: most end within. */
const pause = 250;
const patience = 10_000;

/** Has edited objects looked at; returns the applications that are healed, and those that a run held all the while. */
export function createRevisit({ stores, sweepObjects, clock, log }: RevisitDeps) {
  return async (
    { id, cluster, owned, projects }: Edited & Pick<Parameters<SweepObjects>[0], "projects">,
    options: CallOptions = {},
  ) => {
    const edited = owned.filter(({ target }) => target.edits.some(({ refusal }) => refusal === ""));
    const byApplication = Map.groupBy(edited, ({ application }) => application);
    const only = new Map([...byApplication].map(([name, members]) => [name, refsOf(members)]));
    const healing = new Set<string>();
    let busy: readonly string[] = [...only.keys()];
    for (let waited = 0; busy.length > 0 && waited <= patience; waited += pause) {
      if (waited > 0) await delay(pause, undefined, options);
      const { states, held } = await statesOf(busy, options);
      const swept = states.length === 0 ? nothing : await sweepObjects({ id, cluster, states, projects, only }, options);
      for (const name of swept.healing) healing.add(name);
      busy = [...held, ...swept.skipped];
    }
    if (busy.length > 0) log.warn("audit.busy", { cluster, applications: busy });
    return { healing: [...healing], busy };
  };

  /** What a run is at is not looked at: it could change meanwhile. */
  async function statesOf(names: readonly string[], options: CallOptions) {
    const all = await mapConcurrently(names, {
      limit: 32,
      work: async (name) => ({
        name,
        // The lease first: a state that is read after it was free is one that no run is about to change.
        lease: await stores.leases.get(name, options),
        state: await stores.applications.get(name, options),
      }),
    });
    const isBusy = ({ lease }: (typeof all)[number]): boolean => isHeld(lease, clock.now());
    return {
      states: all.flatMap((one) => (one.state === undefined || isBusy(one) ? [] : [one.state])),
      held: all.filter(isBusy).map(({ name }) => name),
    };
  }
}

const nothing = { healing: [], skipped: [] } as const;

function refsOf(owned: readonly OwnedTarget[]): readonly ResourceRef[] {
  return owned.slice(0, mostObjects).map(({ ref }) => ref);
}
