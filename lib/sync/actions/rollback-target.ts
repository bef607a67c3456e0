import type { ApplicationState, SyncRecord } from "../../model/sync.ts";
import { projectOf } from "../projects.ts";

/** A state that was synced with success, and that one can go back to. */
export type RollbackTarget = Pick<SyncRecord, "revision" | "snapshot" | "finishedAt">;

/** What one can go back to by name, newest first, a revision once; the desired state itself is left out. The history is newest first. */
export function rollbackTargets(all: readonly SyncRecord[], state: ApplicationState): readonly RollbackTarget[] {
  const { desired } = state;
  const good = ownHistory(all, state).filter((sync) => isGood(sync) && sync.snapshot !== desired?.snapshot);
  const newest = new Map<string, RollbackTarget>();
  for (const sync of good) if (!newest.has(sync.revision)) newest.set(sync.revision, sync);
  return [...newest.values()];
}

/**
 * What stood before the desired state. A rollback takes back what was stacked since, so that the next one goes further back and
 * never forth again:
 *
 *     synced     A  B  C            stack  A B C      before C: B
 *     rollback            B         stack  A B        before B: A
 *     synced                 D      stack  A B D      before D: B
 */
export function targetBefore(all: readonly SyncRecord[], state: ApplicationState): RollbackTarget | undefined {
  const stack: RollbackTarget[] = [];
  const good = new Set<string>();
  const stacked = (sync: RollbackTarget, isRollback: boolean): void => {
    const at = stack.findLastIndex(({ snapshot }) => snapshot === sync.snapshot);
    if (isRollback && at >= 0) stack.length = at;
    if (stack.at(-1)?.snapshot === sync.snapshot) stack.pop();
    stack.push(sync);
  };
  for (const sync of ownHistory(all, state).toReversed()) {
    if (sync.snapshot === "") continue;
    if (isGood(sync)) good.add(sync.snapshot);
    stacked(sync, sync.trigger === "rollback");
  }
  const { desired, rejected } = state;
  if (desired !== undefined && stack.at(-1)?.snapshot !== desired.snapshot) {
    stacked({ ...desired, finishedAt: "" }, rejected !== undefined);
  }
  return stack.findLast(({ snapshot }) => good.has(snapshot) && snapshot !== desired?.snapshot);
}

/** What another project had under this name is not this one's to bring back: its manifests may hold its secrets. */
function ownHistory(history: readonly SyncRecord[], { definition }: ApplicationState): readonly SyncRecord[] {
  return history.filter((sync) => projectOf(sync) === projectOf(definition));
}

function isGood({ phase, snapshot }: SyncRecord): boolean {
  return phase === "Succeeded" && snapshot !== "";
}
