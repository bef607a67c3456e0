import type { Shares } from "../model/field-set.ts";
import type { JsonObject } from "../model/json.ts";
import type { ManagedFieldsEntry, ObjectMeta } from "../model/resource.ts";
import { foreignEntries, isOurs } from "./entries.ts";
import { ownedFields } from "./field-set.ts";
import { difference, union } from "./field-sets.ts";
import { ourFields } from "./fingerprint.ts";

/** Who owns what of an object, where some managers are ignored by name. */
export function sharesOf(metadata: ObjectMeta, ignored: ReadonlySet<string>): Shares {
  const entries = (metadata.managedFields ?? []).filter((entry) => !isOurs(entry));
  const isIgnored = ({ manager = "" }: ManagedFieldsEntry) => ignored.has(manager);
  const rest = foreignEntries(metadata)
    .filter(({ entry }) => !isIgnored(entry))
    .reduce<JsonObject>((fields, { fieldsV1 }) => union(fields, fieldsV1), {});
  return {
    ours: ourFields(metadata),
    others: entries.map(({ fieldsV1 = {} }) => ownedFields(fieldsV1)),
    ignored: entries.filter(isIgnored).map(({ fieldsV1 = {} }) => ownedFields(difference(fieldsV1, rest))),
  };
}
