import { createHash } from "node:crypto";
import type { LiveObjects } from "../../apply/live.ts";
import type { Detected } from "../../drift/detect.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { canonicalJson, type JsonValue } from "../../model/json.ts";
import { type ObjectMeta, resourceKey } from "../../model/resource.ts";
import type { ApplicationState, Cleared, Swept } from "../../model/sync.ts";
import { fingerprintOf, foreignHash } from "../../ownership/fingerprint.ts";
import { isSuspect } from "../../ownership/suspect.ts";

type ClearedObjects = Swept["cleared"];

/** Above this an application's row is no place for them: what is left out is looked at again. */
const mostCleared = 200;

/**
 * True when metadata proves that an object is as the last apply left it, with nothing in it from others, or as a close look once
 * found it to be as it should. An unchanged resourceVersion is proof by itself.
 */
export function isAsKnown(entry: InventoryEntry, metadata: ObjectMeta, cleared: Cleared | undefined): boolean {
  const { uid, resourceVersion } = metadata;
  const isAlone = (entry.foreign ?? "") === "";
  if (isAlone && uid === entry.uid && resourceVersion === entry.resourceVersion) return true;
  const then = cleared?.applied === entry.resourceVersion ? cleared : undefined;
  if (then !== undefined && uid === then.uid && resourceVersion === then.resourceVersion) return true;
  if (!isSuspect(entry, metadata) && foreignHash(metadata) === "") return true;
  if (then === undefined || then.fingerprint === "") return false;
  return !isSuspect({ ...entry, ...then }, metadata) && foreignHash(metadata) === then.foreign;
}

/** What is desired, and what counts as drift: where that changed, what was cleared has to be looked at again. */
export function basisOf({ desired, definition }: Pick<ApplicationState, "desired" | "definition">): string {
  const { drift, additions, ignoreDifferences } = definition;
  const told = canonicalJson([desired?.snapshot ?? "", drift, additions, ignoreDifferences as unknown as JsonValue]);
  return createHash("sha256").update(told).digest("hex").slice(0, 16);
}

/** What was cleared before, as far as it still counts. */
export function usableCleared(state: ApplicationState): ClearedObjects {
  return state.swept === undefined || state.swept.basis !== basisOf(state) ? {} : state.swept.cleared;
}

/**
 * What is to be kept after a look: what was cleared now, and what was cleared before and has not been suspect since. Undefined
 * where that is what the state has already.
 */
export function clearedAfter(
  state: ApplicationState,
  {
    entries,
    suspects,
    detected: { cleared, clearedAsSeen },
    live,
  }: {
    readonly entries: readonly InventoryEntry[];
    readonly suspects: readonly InventoryEntry[];
    readonly detected: Pick<Detected, "cleared" | "clearedAsSeen">;
    readonly live: LiveObjects;
  },
): ClearedObjects | undefined {
  const before = usableCleared(state);
  if (cleared.length + clearedAsSeen.length === 0 && Object.keys(before).length === 0) return undefined;
  const owned = new Map(entries.map((entry) => [resourceKey(entry.ref), entry]));
  const again = new Set(suspects.map(({ ref }) => resourceKey(ref)));
  const kept = Object.entries(before).filter(
    ([key, { applied }]) => !again.has(key) && owned.get(key)?.resourceVersion === applied,
  );
  const asSeen = new Set(clearedAsSeen.map(resourceKey));
  const fresh = [...cleared, ...clearedAsSeen].flatMap((ref) => {
    const key = resourceKey(ref);
    const [entry, metadata] = [owned.get(key), live.get(key)?.metadata];
    return entry === undefined || metadata === undefined
      ? []
      : [[key, clearedObject(entry, metadata, { asSeen: asSeen.has(key) })] as const];
  });
  const after = Object.fromEntries([...kept, ...fresh].slice(0, mostCleared));
  return canonicalJson(after as unknown as JsonValue) === canonicalJson(before as unknown as JsonValue) ? undefined : after;
}

/** Without a fingerprint nothing but the same resourceVersion proves anything. */
function clearedObject(
  { resourceVersion: applied }: InventoryEntry,
  metadata: ObjectMeta,
  { asSeen }: { readonly asSeen: boolean },
): Cleared {
  const { uid = "", resourceVersion = "", generation } = metadata;
  const { fingerprint = "", appliedAt = "" } = fingerprintOf(metadata) ?? {};
  const seen = {
    applied,
    uid,
    resourceVersion,
    fingerprint: asSeen ? "" : fingerprint,
    appliedAt,
    foreign: foreignHash(metadata),
  };
  return generation === undefined ? seen : { ...seen, generation };
}
