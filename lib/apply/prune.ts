import { setTimeout as delay } from "node:timers/promises";
import type { ClusterWriter } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { applicationLabel, type Manifest } from "../model/resource.ts";
import type { Change } from "../model/sync.ts";
import { pruneStages } from "../plan/stages.ts";

export interface PruneResult {
  /** `pruned` for what was deleted now, `failed` for what the server would not delete. */
  readonly changes: readonly Change[];
  /** Entries whose object is gone: they leave the inventory. */
  readonly gone: readonly InventoryEntry[];
  /** Deleted, and still there: dependents or finalizers are at work. */
  readonly terminating: readonly { readonly entry: InventoryEntry; readonly finalizers: readonly string[] }[];
}

/** `deleted` says that it was deleted now, and not by an earlier call whose end is still awaited. */
type Fate =
  | { readonly kind: "gone"; readonly entry: InventoryEntry; readonly deleted: boolean }
  | {
      readonly kind: "terminating";
      readonly entry: InventoryEntry;
      readonly deleted: boolean;
      readonly finalizers: readonly string[];
    }
  | { readonly kind: "failed"; readonly entry: InventoryEntry; readonly error: string };

export interface PruneRequest {
  readonly writer: ClusterWriter;
  /** Whose the objects are: one that carries another name, or none, by the time of its delete is left alone. */
  readonly application: string;
  readonly entries: readonly InventoryEntry[];
}

/** How often, and at what pause in milliseconds, it is looked whether an object is gone before the run pauses instead. */
const looks = { most: 10, pause: 100 };

/**
 * Deletes objects in the reverse of the apply order, each only if it still is the object that we know by its uid, and
 * then looks whether it is really gone: a refused or unfinished delete is never forgotten.
 */
export async function pruneObjects(request: PruneRequest, options: CallOptions = {}): Promise<PruneResult> {
  const fates: Fate[] = [];
  for (const stage of pruneStages(request.entries)) {
    fates.push(...(await mapConcurrently(stage, { limit: 8, work: (entry) => pruneObject(entry, request, options) })));
  }
  return {
    gone: fates.flatMap((fate) => (fate.kind === "gone" ? [fate.entry] : [])),
    changes: fates.flatMap((fate): Change[] => {
      if (fate.kind === "failed") return [{ action: "failed", ref: fate.entry.ref, error: fate.error }];
      return fate.deleted ? [{ action: "pruned", ref: fate.entry.ref }] : [];
    }),
    terminating: fates.flatMap((fate) =>
      fate.kind === "terminating" ? [{ entry: fate.entry, finalizers: fate.finalizers }] : [],
    ),
  };
}

async function pruneObject(entry: InventoryEntry, { writer, application }: PruneRequest, options: CallOptions): Promise<Fate> {
  try {
    const before = await writer.get(entry.ref, options);
    if (before === undefined || !isOurs(entry, before, application)) return { kind: "gone", entry, deleted: false };
    const uid = before.metadata.uid ?? "";
    const deleted =
      before.metadata.deletionTimestamp === undefined && (await writer.delete(entry.ref, { ...options, uid })) === "deleted";
    for (let look = 1; ; look++) {
      const after = await writer.get(entry.ref, options);
      if (after === undefined || after.metadata.uid !== uid) return { kind: "gone", entry, deleted };
      if (look === looks.most) return { kind: "terminating", entry, deleted, finalizers: after.metadata.finalizers ?? [] };
      await delay(looks.pause, undefined, options);
    }
  } catch (error) {
    if (!isDriftlessError(error, "apply", "refused")) throw error;
    return { kind: "failed", entry, error: messageOf(error) };
  }
}

/** False when someone deleted it and made another of the same name, or another application took it over just now. */
function isOurs(entry: InventoryEntry, { metadata }: Manifest, application: string): boolean {
  const isSame = entry.uid === "" || metadata.uid === entry.uid;
  return isSame && metadata.labels?.[applicationLabel] === application;
}

/** For people, after the object's name: why it is still there though it was deleted. */
export function terminatingText(finalizers: readonly string[]): string {
  return `is still being deleted (finalizers: ${finalizers.join(", ") || "none"})`;
}
