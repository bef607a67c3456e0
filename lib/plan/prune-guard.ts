import type { SyncPolicy } from "../model/application.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { applicationLabel, displayRef, type ObjectMeta, type ResourceRef, resourceKey } from "../model/resource.ts";
import type { Change } from "../model/sync.ts";
import type { LiveObject } from "./live-object.ts";
import { pruneDigest } from "./plan-hash.ts";
import { compareRefs } from "./stages.ts";

/** A prune of more objects than this, and of more than this share of the inventory, is not done. */
const budget = { objects: 10, share: 0.2 };

export interface PruneGuardRequest {
  readonly application: string;
  /** Entries that the desired state has no more. */
  readonly leaving: readonly InventoryEntry[];
  /** How many objects the application owned before, the leaving ones included. */
  readonly inventoryCount: number;
  readonly policy: Pick<SyncPolicy, "prune">;
  /** True when the application itself left the configuration. */
  readonly removed: boolean;
  /** Digest of the deletes that somebody approved, whatever their number; "" when nobody did. */
  readonly approved: string;
  /** Live objects by `resourceKey`; one that is not in it counts as gone, so it has to be complete for the leaving entries. */
  readonly live: ReadonlyMap<string, LiveObject>;
}

export interface PruneVerdict {
  /** To be deleted, in prune order; empty when blocked. */
  readonly prune: readonly InventoryEntry[];
  /** To be taken out of the inventory without a delete: gone, replaced, or in other hands. */
  readonly drop: readonly InventoryEntry[];
  /** What stays in the cluster, and why. */
  readonly skipped: readonly Extract<Change, { readonly action: "skipped" }>[];
  /** Why nothing is pruned, and what to do about it; "" when the prune may go on. */
  readonly blocked: string;
}

type Fate =
  | { readonly fate: "prune" }
  | { readonly fate: "drop"; readonly reason: string }
  | { readonly fate: "keep"; readonly reason: string };

/** Decides about each object that left the desired state. Kept ones stay in the inventory, so each sync speaks of them again. */
export function pruneGuard(request: PruneGuardRequest): PruneVerdict {
  const judged = [...request.leaving]
    .sort((a, b) => compareRefs(b.ref, a.ref))
    .map((entry) => ({ entry, decision: fateOf(entry, request) }));
  const prune = judged.flatMap(({ entry, decision }) => (decision.fate === "prune" ? [entry] : []));
  const blocked = request.approved !== "" && request.approved === pruneDigest(prune) ? "" : overBudget(prune, request);
  return {
    prune: blocked === "" ? prune : [],
    drop: judged.flatMap(({ entry, decision }) => (decision.fate === "drop" ? [entry] : [])),
    skipped: judged.flatMap(({ entry, decision }) =>
      decision.fate === "prune" || decision.reason === "" ? [] : [{ action: "skipped", ref: entry.ref, reason: decision.reason }],
    ),
    blocked,
  };
}

function fateOf(entry: InventoryEntry, { application, policy, removed, live }: PruneGuardRequest): Fate {
  const metadata = live.get(resourceKey(entry.ref))?.metadata;
  if (metadata === undefined) return { fate: "drop", reason: "" };
  const foreign = inOtherHands(entry, { metadata, application });
  if (foreign !== undefined) return { fate: "drop", reason: foreign };
  if (!policy.prune) return { fate: "keep", reason: "the application has `sync.prune: false`" };
  const kept = keptByAnnotation(metadata, removed) ?? keptByKind(entry.ref);
  return kept === undefined ? { fate: "prune" } : { fate: "keep", reason: kept };
}

/** Why the live object is not this application's to delete; undefined when it is. */
function inOtherHands(
  entry: InventoryEntry,
  { metadata, application }: { readonly metadata: ObjectMeta; readonly application: string },
): string | undefined {
  const owner = metadata.labels?.[applicationLabel];
  if (owner !== application) {
    return owner === undefined ? `it no longer carries the label ${applicationLabel}` : `it belongs to application ${owner} now`;
  }
  if (entry.uid !== "" && metadata.uid !== entry.uid) return "someone deleted it and created another of the same name";
  const [parent] = (metadata.ownerReferences ?? []) as readonly { readonly kind?: string; readonly name?: string }[];
  return parent === undefined
    ? undefined
    : `it is owned by ${parent.kind ?? "an object"} ${parent.name ?? ""}, which decides about it`;
}

/** Annotations by which people ask to keep an object, in the words of Argo CD, Flux and Helm. */
function keptByAnnotation({ annotations = {} }: ObjectMeta, removed: boolean): string | undefined {
  const options = (annotations["argocd.argoproj.io/sync-options"] ?? "").split(",").map((option) => option.trim());
  const keeping = ["Prune=false", "Prune=confirm", ...(removed ? ["Delete=false", "Delete=confirm"] : [])];
  const option = keeping.find((candidate) => options.includes(candidate));
  if (option !== undefined) return `its annotation argocd.argoproj.io/sync-options says ${option}`;
  if (annotations["kustomize.toolkit.fluxcd.io/prune"]?.toLowerCase() === "disabled") {
    return "its annotation kustomize.toolkit.fluxcd.io/prune says disabled";
  }
  if (annotations["helm.sh/resource-policy"]?.trim().toLowerCase() === "keep")
    return "its annotation helm.sh/resource-policy says keep";
  return undefined;
}

/** Deleting one of these deletes what is in it, within a tenth of a second. */
function keptByKind(ref: ResourceRef): string | undefined {
  const isNamespace = ref.group === "" && ref.kind === "Namespace";
  const isDefinition = ref.group === "apiextensions.k8s.io" && ref.kind === "CustomResourceDefinition";
  if (!isNamespace && !isDefinition) return undefined;
  const content = isNamespace ? "everything in it" : "every object of its kind";
  return `deleting it would delete ${content}; if that is meant, run kubectl delete ${isNamespace ? "namespace" : "crd"} ${ref.name}`;
}

function overBudget(prune: readonly InventoryEntry[], { application, inventoryCount, removed }: PruneGuardRequest): string {
  const count = prune.length;
  if (count <= budget.objects || (!removed && count <= inventoryCount * budget.share)) return "";
  const examples = prune.slice(0, 3).map(({ ref }) => displayRef(ref));
  const which = `${count} of ${inventoryCount} objects of application ${application} would be deleted (${examples.join(", ")}, ...)`;
  const limit = removed
    ? `a removed application may lose at most ${budget.objects} by itself`
    : `at most ${budget.objects} objects, or ${budget.share * 100} %, are deleted by one sync`;
  return `${which}, and ${limit}; nothing was deleted. If it is meant, look at it with \`driftless plan ${application}\` and approve its hash; if not, revert the commit`;
}
