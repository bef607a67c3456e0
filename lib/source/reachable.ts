import { type GitObject, subtreeIds } from "./objects.ts";

/** All trees below a root, or the first one that is not there. */
export type ReachableTrees =
  | { readonly complete: ReadonlyMap<string, GitObject>; readonly missing?: never }
  | { readonly complete?: never; readonly missing: string };

/**
 * Walks every folder below `root`: the proof that a commit can be listed to its last leaf without another request. What is
 * in `known`, the trees of a commit that had this proof, is not walked again; all of these are in the answer too.
 */
export function treesOf(
  root: string,
  get: (oid: string) => GitObject | undefined,
  known: ReadonlyMap<string, GitObject> = new Map(),
): ReachableTrees {
  const complete = new Map(known);
  const pending = [root];
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    if (complete.has(oid)) continue;
    const object = get(oid);
    if (object?.type !== "tree") return { missing: oid };
    complete.set(oid, object);
    pending.push(...subtreeIds(oid, object.body));
  }
  return { complete };
}
