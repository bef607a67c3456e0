import type { PartialObject } from "../cluster/cluster.ts";
import type { FieldDifference } from "../diff/diff.ts";
import { maskSecrets } from "../diff/mask.ts";
import type { DriftKind, DriftRow } from "../model/drift.ts";
import type { Manifest, ResourceRef } from "../model/resource.ts";
import { managerOf } from "../ownership/writers.ts";

/** What all rows of one look at an application have in common. */
export interface RowContext {
  readonly application: string;
  readonly cluster: string;
  /** When the sweep looks, RFC 3339. */
  readonly now: string;
}

/** A row a field, the values of Secrets masked. */
export function fieldRows(
  kind: DriftKind,
  {
    ref,
    live,
    differences,
  }: { readonly ref: ResourceRef; readonly live: Manifest; readonly differences: readonly FieldDifference[] },
  context: RowContext,
): readonly DriftRow[] {
  return maskSecrets(ref, differences).map(({ path, ...values }) => {
    const writer = managerOf(live.metadata, path);
    return {
      ...wholeObject(kind, ref, context),
      field: path,
      ...values,
      manager: writer?.manager ?? "",
      operation: writer?.operation ?? "",
      // The server keeps no time for a write through the subresource scale: then it is when it was seen.
      changedAt: writer === undefined ? "" : writer.time || context.now,
    };
  });
}

/** The one row of an object that is there, or is not. */
export function wholeObject(kind: DriftKind, ref: ResourceRef, { application, cluster, now }: RowContext): DriftRow {
  const unknown = { manager: "", operation: "", changedAt: "" };
  return { application, cluster, kind, ref, field: "", ...unknown, firstSeen: now, lastSeen: now, healedAt: "", healedBy: "" };
}

/**
 * Live objects that carry our label and that no inventory knows. What a controller made of an owned object is not one, nor
 * what says so itself.
 */
export function orphanRows(request: {
  readonly live: ReadonlyMap<string, PartialObject>;
  readonly owned: ReadonlySet<string>;
  readonly applicationOf: (object: PartialObject) => string;
  readonly refOf: (object: PartialObject) => ResourceRef;
  readonly cluster: string;
  readonly now: string;
}): readonly DriftRow[] {
  const { live, owned, applicationOf, refOf, cluster, now } = request;
  return [...live].flatMap(([key, object]) => {
    const { ownerReferences = [], deletionTimestamp } = object.metadata;
    if (owned.has(key) || ownerReferences.length > 0 || deletionTimestamp !== undefined || isExtraneous(object)) return [];
    return [wholeObject("orphan", refOf(object), { application: applicationOf(object), cluster, now })];
  });
}

function isExtraneous({ metadata }: PartialObject): boolean {
  const options = metadata.annotations?.["argocd.argoproj.io/compare-options"] ?? "";
  return options.split(",").some((option) => option.trim() === "IgnoreExtraneous");
}
