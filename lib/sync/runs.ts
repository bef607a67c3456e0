import { createHash } from "node:crypto";
import type { CallOptions } from "../model/call.ts";
import type { ApplicationState, SyncBatch, SyncTrigger } from "../model/sync.ts";
import type { SyncStarter } from "../queue/queue.ts";
import { projectOf } from "./projects.ts";

/** True while a desired state has had no run. */
export function isDue({ desired, lastSync }: ApplicationState): boolean {
  return desired !== undefined && desired.generation > (lastSync?.generation ?? 0);
}

/** What a run remembers of an application is up to 4 KB of a step's result, which may have 256 KB. */
const mostPerRun = 50;

/** One batch a cluster and project, or several where one would be too large to be remembered. */
export function batchesOf(
  states: readonly ApplicationState[],
  { trigger, correlationId }: { readonly trigger: SyncTrigger; readonly correlationId: string },
): readonly SyncBatch[] {
  const together = Map.groupBy(states, ({ definition }) => JSON.stringify([definition.cluster, projectOf(definition)]));
  return [...together.values()].flatMap((members) =>
    Array.from({ length: Math.ceil(members.length / mostPerRun) }, (_, index): SyncBatch => {
      const part = members.slice(index * mostPerRun, (index + 1) * mostPerRun);
      const applications = part.map(({ application, desired }) => ({ name: application, generation: desired?.generation ?? 0 }));
      const { definition } = members[0]!;
      const [cluster, project] = [definition.cluster, projectOf(definition)];
      return { cluster, project, revision: part[0]?.desired?.revision ?? "", trigger, correlationId, applications };
    }),
  );
}

/** A name that is the same for the same work, so that starting it twice is one run: at most 64 of `[A-Za-z0-9-_]`. */
export function runName(batch: SyncBatch): string {
  const work = createHash("sha256").update(JSON.stringify(batch)).digest("hex").slice(0, 24);
  return `${batch.trigger}-${batch.revision.slice(0, 12)}-${work}`;
}

export interface StartRuns extends CallOptions {
  readonly trigger: SyncTrigger;
  readonly correlationId: string;
  /** Told of each run before it is started. */
  readonly begins?: (batch: SyncBatch) => void;
}

/** Starts what is to be synced of these applications. */
export async function startRuns(
  starter: SyncStarter,
  states: readonly ApplicationState[],
  { trigger, correlationId, begins, ...options }: StartRuns,
): Promise<void> {
  for (const batch of batchesOf(states, { trigger, correlationId })) {
    begins?.(batch);
    await starter.start(batch, { name: runName(batch), ...options });
  }
}
