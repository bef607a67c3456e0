import type { FieldSet } from "../model/field-set.ts";
import type { ManagedFieldsEntry, ObjectMeta } from "../model/resource.ts";
import { foreignEntries, isOurs, ourEntry } from "./entries.ts";
import { ownedFields } from "./field-set.ts";

/** Who wrote: a manager as managedFields names it. All "" where the server says nothing. */
export interface FieldWriter {
  readonly manager: string;
  /** "Apply" or "Update". */
  readonly operation: string;
  /** "" for the object itself; `scale` for `kubectl scale` and autoscalers. */
  readonly subresource: string;
  /** When it last changed something (RFC 3339, whole seconds); "" for the scale subresource, whose entries have no time. */
  readonly time: string;
}

export interface ForeignWriter extends FieldWriter {
  /** What it owns, without status and without controllers' notes. */
  readonly fields: FieldSet;
}

/** Who else wrote to the object: neither we, nor a status writer, nor the cluster's own controllers. */
export function foreignWriters(metadata: ObjectMeta): readonly ForeignWriter[] {
  return foreignEntries(metadata).map(({ entry, fieldsV1 }) => ({ ...writerOf(entry), fields: ownedFields(fieldsV1) }));
}

/**
 * Who owns the field at a display path now: others before us, the newest first; an owner of the path itself before one of
 * something around or under it. A field that nobody owns was removed: then the newest foreign writer since our last apply,
 * or undefined, because a manager that owns nothing any more leaves no trace.
 */
export function managerOf(metadata: ObjectMeta, path: string): FieldWriter | undefined {
  const [owner] = ownersOf(metadata, path);
  if (owner !== undefined) return writerOf(owner);
  const ours = ourEntry(metadata)?.time ?? "";
  const remover = foreignEntries(metadata)
    .map(({ entry }) => entry)
    .filter((entry) => (entry.time ?? "") >= ours)
    .sort(newestFirst)[0];
  return remover === undefined ? undefined : writerOf(remover);
}

/** Who else owns the field at a display path, or something around or under it: whom a forced apply takes it from; undefined when nobody does. */
export function otherOwnerOf(metadata: ObjectMeta, path: string): FieldWriter | undefined {
  const [owner] = ownersOf(metadata, path).filter((entry) => !isOurs(entry));
  return owner === undefined ? undefined : writerOf(owner);
}

/** The best fit first, others before us, the newest first. */
function ownersOf(metadata: ObjectMeta, path: string): readonly ManagedFieldsEntry[] {
  return (metadata.managedFields ?? [])
    .filter((entry) => entry.subresource !== "status")
    .map((entry) => ({ entry, fit: fitOf(ownedFields(entry.fieldsV1 ?? {}), path) }))
    .filter(({ fit }) => fit > 0)
    .sort((a, b) => b.fit - a.fit || Number(isOurs(a.entry)) - Number(isOurs(b.entry)) || newestFirst(a.entry, b.entry))
    .map(({ entry }) => entry);
}

/** 3: owns the path; 2: owns an atomic value around it; 1: owns something under it; 0: nothing to do with it. */
function fitOf(fields: FieldSet, path: string): 0 | 1 | 2 | 3 {
  if (fields.path === path && fields.path !== "") return fields.owned ? 3 : 1;
  const child = fields.children.find((candidate) => isWithin(path, candidate.path));
  if (child !== undefined) return fitOf(child, path);
  return fields.owned && fields.children.length === 0 ? 2 : 0;
}

/** True when `path` is `around` or lies under it; the display form makes that a matter of prefixes. */
function isWithin(path: string, around: string): boolean {
  return path.startsWith(around) && (path.length === around.length || path[around.length] === "." || path[around.length] === "[");
}

function newestFirst(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const [left, right] = [a.time ?? "", b.time ?? ""];
  if (left === right) return 0;
  return left < right ? 1 : -1;
}

function writerOf(entry: ManagedFieldsEntry): FieldWriter {
  return {
    manager: entry.manager ?? "",
    operation: entry.operation ?? "",
    subresource: entry.subresource ?? "",
    time: entry.time ?? "",
  };
}
