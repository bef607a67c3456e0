import { createHash } from "node:crypto";
import type { FieldSet } from "../model/field-set.ts";
import { canonicalJson, type JsonValue } from "../model/json.ts";
import type { ObjectMeta } from "../model/resource.ts";
import { foreignEntries, ourEntry } from "./entries.ts";
import { ownedFields } from "./field-set.ts";

/**
 * Our own entry of managedFields: `fingerprint` is 32 hex digits over the fields it lists, `appliedAt` its time.
 * Equal fingerprints mean that every field we set still has the value we set. Undefined when the object has no such entry.
 */
export function fingerprintOf(metadata: ObjectMeta): { readonly fingerprint: string; readonly appliedAt: string } | undefined {
  const entry = ourEntry(metadata);
  if (entry === undefined) return undefined;
  return { fingerprint: hashOf(entry.fieldsV1 ?? {}), appliedAt: entry.time ?? "" };
}

/** The fields that we own; undefined when the object has no entry of ours. */
export function ourFields(metadata: ObjectMeta): FieldSet | undefined {
  const entry = ourEntry(metadata);
  return entry === undefined ? undefined : ownedFields(entry.fieldsV1 ?? {});
}

/**
 * 32 hex digits over the names and fields of all foreign writers; "" when there is none. It changes when somebody adds or gives
 * up fields, but not when a writer sets another value in a field it already has: that moves only its time.
 */
export function foreignHash(metadata: ObjectMeta): string {
  const writers = foreignEntries(metadata)
    .map(({ entry, fieldsV1 }) => canonicalJson([entry.manager ?? "", entry.operation ?? "", entry.subresource ?? "", fieldsV1]))
    .sort();
  return writers.length === 0 ? "" : hashOf(writers);
}

function hashOf(value: JsonValue): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 32);
}
