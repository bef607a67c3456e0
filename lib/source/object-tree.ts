import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree, TreeEntry } from "../model/tree.ts";
import { isObjectId, treeEntries } from "./objects.ts";

/** Where the objects of one commit come from. */
export interface ObjectReader {
  /** Body of a tree; throws `source` when there is none. */
  tree(oid: string, options: CallOptions): Promise<Uint8Array>;
  /** Bodies of blobs, all of them, or `source` is thrown. */
  blobs(oids: readonly string[], options: CallOptions): Promise<ReadonlyMap<string, Uint8Array>>;
}

export interface ObjectTreeDeps {
  readonly commit: string;
  /** Id of the root tree. */
  readonly root: string;
  readonly reader: ObjectReader;
}

/** A commit's tree over its objects; each folder is parsed once. */
export function createObjectTree({ commit, root, reader }: ObjectTreeDeps): SourceTree {
  const parsed = new Map<string, readonly TreeEntry[]>();

  const list = async (oid: string, options: CallOptions = {}): Promise<readonly TreeEntry[]> => {
    const known = parsed.get(oid);
    if (known !== undefined) return known;
    const entries = treeEntries(oid, await reader.tree(checkedId(oid), options));
    parsed.set(oid, entries);
    return entries;
  };

  return {
    commit,
    list,
    async lookup(path, options) {
      let entry: TreeEntry | undefined = { name: "", oid: root, type: "directory" };
      for (const name of path === "" ? [] : path.split("/")) {
        if (entry?.type !== "directory") return undefined;
        const entries: readonly TreeEntry[] = await list(entry.oid, options);
        entry = entries.find((one) => one.name === name);
      }
      return entry;
    },
    async read(oids, options = {}) {
      const unique = [...new Set(oids.map(checkedId))];
      return unique.length === 0 ? new Map() : reader.blobs(unique, options);
    },
  };
}

/** Ids go into requests and paths: nothing else may. */
export function checkedId(oid: string): string {
  if (!isObjectId(oid))
    throw new DriftlessError("source", `${JSON.stringify(oid.slice(0, 80))} is not an object id (40 or 64 hex digits)`);
  return oid;
}

/** Branch names go into requests and paths: Git's own rules, as far as they matter there. */
export function checkedBranch(branch: string): string {
  const refused = branch.length > 250 || /[\s\p{Cc}~^:?*[\\]|\.\.|@\{|\/\/|^[/.-]|\/\.|[/.]$|\.lock(?:\/|$)|^@?$/u.test(branch);
  if (refused) throw new DriftlessError("config", `${JSON.stringify(branch.slice(0, 80))} is not a branch name`);
  return branch;
}
