import type { ClusterWriter } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import type { Manifest, ResourceRef } from "../model/resource.ts";
import type { Change } from "../model/sync.ts";
import { pruneStages } from "../plan/stages.ts";

export interface PruneResult {
  /** `pruned` for what is gone for good, `failed` for what the server would not delete. */
  readonly changes: readonly Change[];
  /** Entries whose object is gone: they leave the inventory. */
  readonly gone: readonly InventoryEntry[];
  /** Deleted, and still there: dependents or finalizers are at work. */
  readonly terminating: readonly { readonly ref: ResourceRef; readonly finalizers: readonly string[] }[];
}

type Fate =
  | { readonly kind: "gone"; readonly entry: InventoryEntry }
  | { readonly kind: "terminating"; readonly entry: InventoryEntry; readonly finalizers: readonly string[] }
  | { readonly kind: "failed"; readonly entry: InventoryEntry; readonly error: string };

/**
 * Deletes objects in the reverse of the apply order, each only if it still is the object that we know by its uid, and
 * then looks whether it is really gone: a refused or unfinished delete is never forgotten.
 */
export async function pruneObjects(
  { writer, entries }: { readonly writer: ClusterWriter; readonly entries: readonly InventoryEntry[] },
  options: CallOptions = {},
): Promise<PruneResult> {
  const fates: Fate[] = [];
  for (const stage of pruneStages(entries)) {
    fates.push(...(await mapConcurrently(stage, { limit: 8, work: (entry) => pruneObject(entry, writer, options) })));
  }
  const gone = fates.flatMap((fate) => (fate.kind === "gone" ? [fate.entry] : []));
  return {
    gone,
    changes: [
      ...gone.map(({ ref }): Change => ({ action: "pruned", ref })),
      ...fates.flatMap((fate): Change[] =>
        fate.kind === "failed" ? [{ action: "failed", ref: fate.entry.ref, error: fate.error }] : [],
      ),
    ],
    terminating: fates.flatMap((fate) =>
      fate.kind === "terminating" ? [{ ref: fate.entry.ref, finalizers: fate.finalizers }] : [],
    ),
  };
}

async function pruneObject(entry: InventoryEntry, writer: ClusterWriter, options: CallOptions): Promise<Fate> {
  try {
    const before = await writer.get(entry.ref, options);
    if (before === undefined || isAnother(entry, before)) return { kind: "gone", entry };
    if (before.metadata.deletionTimestamp === undefined) {
      await writer.delete(entry.ref, { ...options, uid: before.metadata.uid ?? "" });
    }
    const after = await writer.get(entry.ref, options);
    if (after === undefined || after.metadata.uid !== before.metadata.uid) return { kind: "gone", entry };
    return { kind: "terminating", entry, finalizers: after.metadata.finalizers ?? [] };
  } catch (error) {
    if (!isDriftlessError(error, "apply")) throw error;
    return { kind: "failed", entry, error: messageOf(error) };
  }
}

/** Someone deleted our object and made another of the same name: it is not ours to delete. */
function isAnother(entry: InventoryEntry, live: Manifest): boolean {
  return entry.uid !== "" && live.metadata.uid !== entry.uid;
}
