import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Progress } from "./progress.ts";

/** Seconds that an application waits for others, unless its own timeout is longer. */
const longestWait = 3600;

export interface DependenciesDeps {
  readonly stores: Pick<Stores, "applications">;
  readonly clock: Clock;
}

/** What an application still waits for; `isOver` says that it has waited long enough. */
export interface Unmet {
  readonly reason: string;
  readonly isOver: boolean;
}

/** Tells what an application has to wait for: what it depends on is not synced to its newest state, or not healthy. */
export function createDependencies({ stores, clock }: DependenciesDeps) {
  return {
    /**
     * Undefined when it may begin. Healing and rollbacks wait for nobody: they bring back what was there already; nor does a
     * removal, since what depended on it is what has to go first.
     */
    async unmet(state: ApplicationState, { trigger, heldSince }: Progress): Promise<Unmet | undefined> {
      const { dependsOn, sync } = state.definition;
      if (dependsOn.length === 0 || state.removed || trigger === "heal" || trigger === "rollback") return undefined;
      const others = await Promise.all(dependsOn.map(async (name) => ({ name, state: await stores.applications.get(name) })));
      const waiting = others.flatMap((other) => (isReady(other.state) ? [] : [`${other.name} (${standing(other.state)})`]));
      if (waiting.length === 0) return undefined;
      const seconds = Math.max(longestWait, sync.timeout);
      const isOver = heldSince !== undefined && clock.now().getTime() >= Date.parse(heldSince) + seconds * 1000;
      const reason = `waits for ${waiting.join(", ")}`;
      return isOver ? { reason: `${reason}; gave up after ${seconds} s`, isOver } : { reason, isOver };
    },
  };
}

function isReady(state: ApplicationState | undefined): boolean {
  if (state?.desired === undefined || state.removed || state.planError !== "") return false;
  const { desired, lastSync, health } = state;
  if (lastSync?.generation !== desired.generation || lastSync.phase !== "Succeeded") return false;
  return health.status === "Healthy" || health.status === "Suspended";
}

function standing(state: ApplicationState | undefined): string {
  if (state === undefined) return "not there yet";
  if (state.removed) return "removed";
  if (state.planError !== "") return "its last plan failed";
  if (state.desired === undefined) return state.pending === undefined ? "not rendered yet" : "waits for leave";
  const { phase, generation } = state.lastSync ?? {};
  if (generation !== state.desired.generation) return "not synced yet";
  return phase === "Succeeded" ? state.health.status : (phase ?? "not synced yet");
}
