import type { RevisionMessage } from "../../lib/model/delivery.ts";
import type { SyncBatch } from "../../lib/model/sync.ts";
import { createPlanRevision } from "../../lib/sync/plan/plan-revision.ts";
import { silentLog } from "../../lib/telemetry/log.ts";
import { type Fleet, fleetUrl } from "./fleet.ts";
import type { Installation } from "./installation.ts";
import type { Worker } from "./worker.ts";

/** Plans pushes to the fleet's one branch; what it starts is only written down. */
export interface Planner {
  planOn(worker: Worker): (message: RevisionMessage) => Promise<void>;
  /** Runs that were started since the last look; the same name twice is one run. */
  started(): readonly SyncBatch[];
}

export const fleetConfiguration = { repository: fleetUrl, branch: "main", path: "driftless.yaml" };

export function createPlanner({ storesOf, clock }: Installation, { sources, renderer }: Fleet): Planner {
  const queue: SyncBatch[] = [];
  const names = new Set<string>();
  return {
    planOn: (worker) =>
      createPlanRevision({
        stores: storesOf(worker),
        sources,
        renderer,
        capabilities: () => Promise.resolve({ kubeVersion: "v1.35.4", apiVersions: ["v1"] }),
        starter: {
          start: (batch, { name }) =>
            worker.call({ to: "history", name: `start ${name}` }, () => {
              if (!names.has(name)) queue.push(batch);
              names.add(name);
              return Promise.resolve();
            }),
        },
        configuration: fleetConfiguration,
        clock,
        log: silentLog,
      }),
    started: () => queue.splice(0),
  };
}
