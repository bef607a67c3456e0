import type { JsonObject } from "../model/json.ts";
import { fieldManager, type ManagedFieldsEntry, type ObjectMeta } from "../model/resource.ts";
import { isClusterManager, withoutClusterFields } from "./cluster-writers.ts";

/** Our own share of an object: what we applied, under our name, to the object itself. */
export function ourEntry(metadata: ObjectMeta): ManagedFieldsEntry | undefined {
  return metadata.managedFields?.find(isOurs);
}

export function isOurs(entry: ManagedFieldsEntry): boolean {
  return entry.manager === fieldManager && entry.operation === "Apply" && (entry.subresource ?? "") === "";
}

/** Entries of those who are neither we nor a status writer nor part of the cluster, with the fields that count. */
export function foreignEntries(
  metadata: ObjectMeta,
): readonly { readonly entry: ManagedFieldsEntry; readonly fieldsV1: JsonObject }[] {
  return (metadata.managedFields ?? []).flatMap((entry) => {
    if (isOurs(entry) || entry.subresource === "status" || isClusterManager(entry.manager ?? "")) return [];
    const fieldsV1 = withoutClusterFields(entry.fieldsV1 ?? {});
    return fieldsV1 === undefined ? [] : [{ entry, fieldsV1 }];
  });
}
