import type { InventoryEntry } from "../model/inventory.ts";
import type { ObjectMeta } from "../model/resource.ts";
import { fingerprintOf, foreignHash } from "../ownership/fingerprint.ts";
import type { IgnoredFields } from "../paths/ignored-fields.ts";
import type { DesiredObject } from "./prepare.ts";

/**
 * What the inventory keeps of an object after an apply. A field that was left as it is for now, because somebody reverts it, is
 * drift still: then the entry has nothing by which live metadata could prove the object to be as it should.
 */
export function entryOf({ ref, digest }: DesiredObject, metadata: ObjectMeta, ignored?: IgnoredFields): InventoryEntry {
  const ours = fingerprintOf(metadata);
  const foreign = foreignHash(metadata);
  const isSettled = (ignored?.paths.length ?? 0) === 0;
  return {
    ref,
    digest,
    uid: metadata.uid ?? "",
    resourceVersion: isSettled ? (metadata.resourceVersion ?? "") : "",
    fingerprint: isSettled ? (ours?.fingerprint ?? "") : "",
    appliedAt: ours?.appliedAt ?? "",
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
    ...(foreign === "" ? {} : { foreign }),
  };
}
