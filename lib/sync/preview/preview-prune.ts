import { listLive } from "../../apply/live.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { CallOptions } from "../../model/call.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import type { PlannedAction, PlannedChange } from "../../model/plan.ts";
import { applicationLabel, type ResourceRef, resourceKey } from "../../model/resource.ts";
import { pruneGuard } from "../../plan/prune-guard.ts";
import { compareRefs } from "../../plan/stages.ts";
import type { Claims } from "../claims.ts";
import type { PreviewTarget } from "./preview-target.ts";

export interface PreviewPruneRequest {
  readonly target: Pick<PreviewTarget, "definition" | "removed">;
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
  const live = await liveOf(leaving, request, options);
  const heirs = removed ? claims.heirs(application) : [];
  const kept = new Map<string, string>();
  for (const { ref } of leaving) {
    const key = resourceKey(ref);
    const others = (names: readonly string[]) => [...new Set(names)].filter((name) => name !== application).join(" and ");
    const [by, later] = [others([...claims.wanting(key), ...heirs]), others(claims.pending(key))];
    if (live.get(key)?.metadata.labels?.[applicationLabel] !== application) continue;
    if (by !== "") kept.set(key, `it is kept for ${by}, which has not applied it yet`);
    else if (later !== "") kept.set(key, `${later} states it, and waits for leave`);
  }
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

/** What is live of the leaving entries. One that lost our label is not in the list, and must not be taken for gone. */
async function liveOf(
  leaving: readonly InventoryEntry[],
  { reader, target }: PreviewPruneRequest,
  options: CallOptions,
): Promise<Parameters<typeof pruneGuard>[0]["live"]> {
  const request = { reader, kinds: leaving.map(({ ref }) => ref), applications: [target.definition.name] };
  const { live } = await listLive(request, options);
  const unlisted = leaving.filter(({ ref }) => !live.has(resourceKey(ref)));
  const found = await mapConcurrently(unlisted, {
    limit: 8,
    work: async ({ ref }) => [resourceKey(ref), await reader.get(ref, options)] as const,
  });
  return new Map([...live, ...found.flatMap(([key, object]) => (object === undefined ? [] : [[key, object] as const]))]);
}
