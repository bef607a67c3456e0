import type { ClusterReader, PartialObject } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { additions, diffOwned, type FieldDifference } from "../diff/diff.ts";
import { maskSecrets } from "../diff/mask.ts";
import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { DriftKind, DriftRow } from "../model/drift.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { displayRef, type Manifest, type ResourceRef, resourceKey } from "../model/resource.ts";
import { foreignHash, ourFields } from "../ownership/fingerprint.ts";
import { isSuspect } from "../ownership/suspect.ts";
import { foreignWriters, managerOf } from "../ownership/writers.ts";
import { applyOptionsOf } from "../plan/options.ts";

export interface DetectRequest {
  /** Reads only: what finds drift cannot write. */
  readonly reader: ClusterReader;
  readonly application: string;
  readonly cluster: string;
  readonly entries: readonly InventoryEntry[];
  /** Metadata of live objects by `resourceKey`, from one LIST a kind. */
  readonly live: ReadonlyMap<string, PartialObject>;
  /** The object as it would be applied; asked only for suspects. */
  readonly desired: (ref: ResourceRef) => Promise<Manifest | undefined>;
  /** When the sweep looks, RFC 3339. */
  readonly now: string;
}

export interface Detected {
  readonly rows: readonly DriftRow[];
  /** Objects that metadata alone could not clear: each cost a dry run or a read. */
  readonly suspects: number;
  /** Objects whose values are right and whose fields belong to someone else: taken back by the next sync, without a row. */
  readonly takeBack: readonly ResourceRef[];
  /** Objects that could not be checked, and why. */
  readonly errors: readonly string[];
}

type Finding = Pick<Detected, "rows"> & { readonly suspect: boolean; readonly takeBack?: ResourceRef; readonly error?: string };

const clear: Finding = { rows: [], suspect: false };

/** Compares what an application owns with what is live: by metadata alone, and by a dry run only where that shows a change. */
export async function detectDrift(request: DetectRequest, options: CallOptions = {}): Promise<Detected> {
  const watched = request.entries.filter(({ uid, leaving, hook }) => uid !== "" && leaving !== true && hook !== true);
  const findings = await mapConcurrently(watched, { limit: 8, work: (entry) => checkEntry(entry, request, options) });
  return {
    rows: findings.flatMap(({ rows }) => rows),
    suspects: findings.filter(({ suspect }) => suspect).length,
    takeBack: findings.flatMap(({ takeBack }) => (takeBack ? [takeBack] : [])),
    errors: findings.flatMap(({ error }) => (error === undefined ? [] : [error])),
  };
}

async function checkEntry(entry: InventoryEntry, request: DetectRequest, options: CallOptions): Promise<Finding> {
  const seen = request.live.get(resourceKey(entry.ref));
  if (seen !== undefined && !isSuspect(entry, seen.metadata) && foreignHash(seen.metadata) === (entry.foreign ?? ""))
    return clear;
  try {
    return await examine(entry, { request, seen }, options);
  } catch (error) {
    if (!isDriftlessError(error, "apply")) throw error;
    return { rows: [], suspect: true, error: `${displayRef(entry.ref)}: ${error.message}` };
  }
}

/** An object missing from the list may only have lost our label: the API server is asked before it is called gone. */
async function examine(
  entry: InventoryEntry,
  { request, seen }: { readonly request: DetectRequest; readonly seen: PartialObject | undefined },
  options: CallOptions,
): Promise<Finding> {
  const live = await request.reader.get(entry.ref, options);
  const cleared = seen !== undefined && !isSuspect(entry, seen.metadata);
  const manifest = cleared ? undefined : await request.desired(entry.ref);
  if (isLeftAlone({ manifest, live })) return { rows: [], suspect: true };
  if (live === undefined) return { rows: [wholeObject("missing", entry.ref, request)], suspect: true };
  if (manifest === undefined)
    return { rows: additionRows({ entry, live, owned: ourFields(live.metadata) }, request), suspect: true };
  const desired = await request.reader.dryRunApply(manifest, { ...options, force: true });
  const owned = ourFields(desired.metadata);
  const changed = owned === undefined ? [] : diffOwned({ desired, live, owned });
  const rows = [
    ...fieldRows("changed", { ref: entry.ref, live, differences: changed }, request),
    ...additionRows({ entry, live, owned }, request),
  ];
  return changed.length === 0 ? { rows, suspect: true, takeBack: entry.ref } : { rows, suspect: true };
}

/** True for what no sync would write either, since an annotation says so: in Git, or in the cluster. */
function isLeftAlone({
  manifest,
  live,
}: {
  readonly manifest: Manifest | undefined;
  readonly live: Manifest | undefined;
}): boolean {
  const asked = manifest === undefined ? "always" : applyOptionsOf(manifest).apply;
  if (asked === "never" || (live !== undefined && applyOptionsOf(live).apply === "never")) return true;
  return asked === "if-absent" && live !== undefined;
}

/** `owned` is what is ours after an apply: what was taken from us is a change, and not an addition too. */
function additionRows(
  {
    entry,
    live,
    owned,
  }: { readonly entry: InventoryEntry; readonly live: Manifest; readonly owned: ReturnType<typeof ourFields> },
  request: DetectRequest,
): readonly DriftRow[] {
  if (foreignHash(live.metadata) === (entry.foreign ?? "")) return [];
  const foreign = foreignWriters(live.metadata).map(({ fields }) => fields);
  const differences = additions({ live, owned, foreign });
  return fieldRows("addition", { ref: entry.ref, live, differences }, request);
}

function fieldRows(
  kind: DriftKind,
  {
    ref,
    live,
    differences,
  }: { readonly ref: ResourceRef; readonly live: Manifest; readonly differences: readonly FieldDifference[] },
  request: DetectRequest,
): readonly DriftRow[] {
  return maskSecrets(ref, differences).map(({ path, ...values }) => {
    const writer = managerOf(live.metadata, path);
    return {
      ...wholeObject(kind, ref, request),
      field: path,
      ...values,
      manager: writer?.manager ?? "",
      operation: writer?.operation ?? "",
      // The server keeps no time for a write through the subresource scale: then it is when it was seen.
      changedAt: writer === undefined ? "" : writer.time || request.now,
    };
  });
}

function wholeObject(kind: DriftKind, ref: ResourceRef, { application, cluster, now }: DetectRequest): DriftRow {
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
    const row = { application: applicationOf(object), cluster, kind: "orphan" as const, ref: refOf(object), field: "" };
    return [{ ...row, manager: "", operation: "", changedAt: "", firstSeen: now, lastSeen: now, healedAt: "", healedBy: "" }];
  });
}

function isExtraneous({ metadata }: PartialObject): boolean {
  const options = metadata.annotations?.["argocd.argoproj.io/compare-options"] ?? "";
  return options.split(",").some((option) => option.trim() === "IgnoreExtraneous");
}
