import type { InventoryEntry } from "../model/inventory.ts";
import type { ObjectMeta } from "../model/resource.ts";
import { isOurs } from "./entries.ts";
import { fingerprintOf } from "./fingerprint.ts";

/**
 * True when live metadata does not prove that every field we set still has its value: another uid, a deletion that
 * has begun, another fingerprint, a later apply under our name, or a write that nobody in managedFields answers for.
 *
 * The last is what an apply under our own name in the very second of ours looks like, since times are whole seconds: the
 * object moved, and its fields and times are the same. A write that another entry answers for (its time is not before ours)
 * is no reason to suspect, or every Deployment would be suspect from its first status on.
 */
export function isSuspect(entry: InventoryEntry, metadata: ObjectMeta): boolean {
  if (entry.uid === "" || metadata.uid !== entry.uid) return true;
  if (metadata.resourceVersion === entry.resourceVersion) return false;
  if (metadata.deletionTimestamp !== undefined) return true;
  const ours = fingerprintOf(metadata);
  if (ours === undefined || ours.fingerprint !== entry.fingerprint || ours.appliedAt !== entry.appliedAt) return true;
  return !isExplained(entry, metadata);
}

/**
 * A moved generation means that the spec was written, so a status writer cannot explain it. The scale subresource leaves an
 * entry without a time: it may be the one.
 */
function isExplained(entry: InventoryEntry, metadata: ObjectMeta): boolean {
  const specMoved = entry.generation !== undefined && metadata.generation !== entry.generation;
  return (metadata.managedFields ?? []).some((other) => {
    const mayBeLater = other.time === undefined || other.time >= entry.appliedAt;
    return !isOurs(other) && mayBeLater && !(specMoved && other.subresource === "status");
  });
}
