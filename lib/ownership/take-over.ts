import { isJsonObject, type JsonObject } from "../model/json.ts";
import type { GroupVersionKind, ManagedFieldsEntry, ObjectMeta } from "../model/resource.ts";
import { isOurs, ourEntry } from "./entries.ts";
import { difference, isLeaf, overlaps, union } from "./field-sets.ts";

/** Names under which objects were deployed before, by apply or by update. No controller of the cluster, no autoscaler, no hand edit. */
const deployers: ReadonlySet<string> = new Set([
  "argocd-application-controller",
  "argocd-controller",
  "helm",
  "helm-controller",
  "kubectl",
  "kubectl-client-side-apply",
  "kubectl-create",
  "kubectl-replace",
  "kustomize-controller",
]);

/** The server's own name for what was there before anybody applied: all of it, whoever set it. */
const unknownOwner = "before-first-apply";

export interface TakeOver {
  /** What `metadata.managedFields` becomes. */
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** Managers whose share becomes ours, each once. */
  readonly from: readonly string[];
}

export interface TakeOverOptions {
  /** Leaves with the former deployer what it stated and we do not: then that stays in the object. Default false. */
  readonly keepUnstated?: boolean;
}

/**
 * An object's shares with those of its former deployers joined to ours, so that the next apply removes what they stated and we
 * do not, and a later one what we state no more. Undefined when there is none to join, or when we have not applied it yet.
 *
 * A share of another version than ours stands for ours alone for that moment: the next apply converts it and adds the rest. Of
 * what nobody knows the owner, only what we state too becomes ours alone.
 */
export function takeOver(metadata: ObjectMeta, { keepUnstated = false }: TakeOverOptions = {}): TakeOver | undefined {
  const ours = ourEntry(metadata);
  const entries = metadata.managedFields ?? [];
  if (ours === undefined) return undefined;
  const joins = (entry: ManagedFieldsEntry) => !keepUnstated && isDeployer(entry);
  const former = entries.filter((entry) => joins(entry) || shares(entry, ours));
  if (former.length === 0) return undefined;
  const joined = oneVersion(former.filter(joins), ours);
  return {
    managedFields: entries.flatMap((entry) => {
      if (isOurs(entry)) return [withShares(entry, joined)];
      if (joined.includes(entry)) return [];
      return former.includes(entry) && !joins(entry) ? without(entry, ours) : [entry];
    }),
    from: [...new Set(former.map(({ manager = "" }) => manager))],
  };
}

/** Labels of a Namespace steer what others do in it, and an application may bring one without stating any. */
export function keepsUnstated({ group, kind }: Pick<GroupVersionKind, "group" | "kind">): boolean {
  return group === "" && kind === "Namespace";
}

/** Those of our version, or else the first: shares of two versions cannot be joined. */
function oneVersion(entries: readonly ManagedFieldsEntry[], ours: ManagedFieldsEntry): readonly ManagedFieldsEntry[] {
  const same = entries.filter(({ apiVersion }) => apiVersion === ours.apiVersion);
  return same.length > 0 ? same : entries.slice(0, 1);
}

function withShares(ours: ManagedFieldsEntry, joined: readonly ManagedFieldsEntry[]): ManagedFieldsEntry {
  const apiVersion = joined[0]?.apiVersion ?? ours.apiVersion;
  const base = apiVersion === ours.apiVersion ? (ours.fieldsV1 ?? {}) : {};
  const fieldsV1 = joined.reduce((fields, entry) => union(fields, stated(entry)), base);
  return { ...ours, ...(apiVersion === undefined ? {} : { apiVersion }), fieldsV1 };
}

function isDeployer({ manager = "", subresource = "" }: ManagedFieldsEntry): boolean {
  return subresource === "" && deployers.has(manager);
}

/** True when a deployer, or the server for one, owns something that we own too. */
function shares(entry: ManagedFieldsEntry, ours: ManagedFieldsEntry): boolean {
  if (!isDeployer(entry) && entry.manager !== unknownOwner) return false;
  return entry.apiVersion === ours.apiVersion && overlaps(entry.fieldsV1 ?? {}, ours.fieldsV1 ?? {});
}

function without(entry: ManagedFieldsEntry, ours: ManagedFieldsEntry): readonly ManagedFieldsEntry[] {
  const fieldsV1 = difference(entry.fieldsV1 ?? {}, ours.fieldsV1 ?? {});
  return isLeaf(fieldsV1) ? [] : [{ ...entry, fieldsV1 }];
}

/** A deployer's fields but for what is never a deployer's to state: who owns the object, and how it is. */
function stated({ fieldsV1 = {} }: ManagedFieldsEntry): JsonObject {
  const { "f:status": _status, "f:metadata": metadata, ...fields } = fieldsV1;
  if (!isJsonObject(metadata)) return fields;
  const { "f:ownerReferences": _owners, ...rest } = metadata;
  return { ...fields, "f:metadata": rest };
}
