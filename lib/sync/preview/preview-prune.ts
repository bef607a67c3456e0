import type { ClusterReader } from "../../cluster/cluster.ts";
import type { CallOptions } from "../../model/call.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import type { PlannedAction, PlannedChange } from "../../model/plan.ts";
import { type ResourceRef, resourceKey } from "../../model/resource.ts";
import { pruneGuard } from "../../plan/prune-guard.ts";
import { compareRefs } from "../../plan/stages.ts";
import type { Claims } from "../claims.ts";
import { keptForOthers, keptText, liveLeaving } from "../leaving.ts";
import type { PreviewTarget } from "./preview-target.ts";

export interface PreviewPruneRequest {
  readonly target: Pick<PreviewTarget, "definition" | "removed" | "state" | "snapshot">;
  readonly reader: ClusterReader;
  /** The whole inventory, the leaving entries marked. */
  readonly entries: readonly InventoryEntry[];
  readonly claims: Claims;
  /** Digest of the deletes that somebody approved; "" when nobody did. */
  readonly approved: string;
}

export interface PreviewedPrune {
  /** In prune order; deletes and what is kept. */
  readonly changes: readonly PlannedChange[];
  /** What is to be deleted, also while the guard blocks it. */
  readonly deletes: readonly InventoryEntry[];
  /** Why the guard would delete nothing; "" when it would. */
  readonly blocked: string;
}

/** What the prune of a sync would delete and keep, as the guard decides. */
export async function previewPrune(request: PreviewPruneRequest, options: CallOptions): Promise<PreviewedPrune> {
  const { target, entries, claims, approved } = request;
  const { definition, removed } = target;
  const { name: application, sync: policy } = definition;
  const leaving = entries.filter((entry) => entry.leaving === true);
  if (leaving.length === 0) return { changes: [], deletes: [], blocked: "" };
  const live = await liveLeaving(leaving, { reader: request.reader, application }, options);
  const others = keptForOthers(leaving, { claims: claimsOfOthers(claims, target), live, application });
  const kept = new Map(others.map((each) => [resourceKey(each.entry.ref), keptText(each)]));
  const free = leaving.filter(({ ref }) => !kept.has(resourceKey(ref)));
  const guard = pruneGuard({ leaving: free, inventoryCount: entries.length, policy, removed, approved, application, live });
  for (const { ref, reason } of guard.skipped) kept.set(resourceKey(ref), reason);
  const dropped = new Set(guard.drop.map(({ ref }) => resourceKey(ref)));
  // While it blocks, the guard names no deletes: they are what it neither keeps nor drops.
  const deletes = leaving.filter(({ ref }) => !kept.has(resourceKey(ref)) && !dropped.has(resourceKey(ref)));
  const planned = (action: PlannedAction, ref: ResourceRef, reason: string): PlannedChange => ({
    action,
    ref,
    fields: [],
    reason,
  });
  const changes = [
    ...deletes.map(({ ref }) => planned("delete", ref, "")),
    ...leaving.flatMap(({ ref }) => {
      const reason = kept.get(resourceKey(ref));
      return reason === undefined ? [] : [planned("keep", ref, reason)];
    }),
  ];
  return { changes: changes.sort((a, b) => compareRefs(b.ref, a.ref)), deletes, blocked: guard.blocked };
}

/** What others want; of the application itself only that its newest commit, which is not the one that is looked at, says nothing. */
function claimsOfOthers(claims: Claims, { definition, state, snapshot }: PreviewPruneRequest["target"]): Claims {
  const isStored = (state?.pending ?? state?.desired)?.snapshot === snapshot;
  const others = (names: readonly string[]) => names.filter((name) => name !== definition.name);
  return {
    wanting: (leaving) => others(claims.wanting(leaving)),
    pending: (leaving) => others(claims.pending(leaving)),
    unplanned: claims.unplanned,
    unrendered: (leaving) => (isStored ? claims.unrendered(leaving) : others(claims.unrendered(leaving))),
  };
}
