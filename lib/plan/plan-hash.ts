import { createHash } from "node:crypto";
import { canonicalJson } from "../model/json.ts";
import type { PlannedAction } from "../model/plan.ts";
import { type ResourceRef, resourceKey } from "../model/resource.ts";

/** One change as an approval means it; `uid` of the live object, "" where there is none. */
export interface HashedChange {
  readonly action: PlannedAction;
  readonly ref: ResourceRef;
  readonly uid: string;
}

export interface HashedPlan {
  readonly application: string;
  readonly cluster: string;
  readonly revision: string;
  readonly snapshot: string;
  /** In any order. */
  readonly changes: readonly HashedChange[];
}

/**
 * 16 hex digits over what an approval allows: another revision, snapshot, change or deleted object has another hash. Fields
 * are left out: the snapshot says what they become, and what an autoscaler does meanwhile takes no approval away.
 */
export function planHash({ application, cluster, revision, snapshot, changes }: HashedPlan): string {
  const lines = changes.map(({ action, ref, uid }) => [action, resourceKey(ref), endsObject(action) ? uid : ""]);
  return digestOf([[application, cluster, revision, snapshot], sorted(lines)]).slice(0, 16);
}

/** 64 hex digits over objects that are to be deleted, by key and uid, in any order: equal only for the very same live objects. */
export function pruneDigest(entries: readonly { readonly ref: ResourceRef; readonly uid: string }[]): string {
  return digestOf(sorted(entries.map(({ ref, uid }) => [resourceKey(ref), uid])));
}

/** Only a delete is of one very object; the others are of whatever has the name. */
function endsObject(action: PlannedAction): boolean {
  return action === "delete" || action === "recreate";
}

function sorted(lines: readonly (readonly string[])[]): readonly string[] {
  return lines.map((line) => canonicalJson(line)).sort();
}

function digestOf(value: Parameters<typeof canonicalJson>[0]): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
