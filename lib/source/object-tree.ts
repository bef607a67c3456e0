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

/** Of tree bodies that are still held: the folders that two commits have in common are parsed once. */
const parsed = new WeakMap<Uint8Array, ReadonlyMap<string, TreeEntry>>();

/** A commit's tree over its objects; each folder is parsed once. */
export function createObjectTree({ commit, root, reader }: ObjectTreeDeps): SourceTree {
  const folder = async (oid: string, options: CallOptions): Promise<ReadonlyMap<string, TreeEntry>> => {
    const body = await reader.tree(checkedId(oid), options);
    const entries = parsed.get(body) ?? treeEntries(oid, body);
    parsed.set(body, entries);
    return entries;
  };

  /** Entries by the path of their folder, of what was looked up so far; undefined for what is no folder. */
  const folders = new Map<string, Promise<ReadonlyMap<string, TreeEntry> | undefined>>();

  const folderAt = (path: string, options: CallOptions): Promise<ReadonlyMap<string, TreeEntry> | undefined> => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    const opening = openFolder(path, options);
    folders.set(path, opening);
    // What one caller gave up, the next one may want.
    opening.catch(() => folders.delete(path));
    return opening;
  };

  const openFolder = async (path: string, options: CallOptions): Promise<ReadonlyMap<string, TreeEntry> | undefined> => {
    const entry = await lookup(path, options);
    return entry?.type === "directory" ? folder(entry.oid, options) : undefined;
  };

  const lookup = async (path: string, options: CallOptions): Promise<TreeEntry | undefined> => {
    if (path === "") return { name: "", oid: root, type: "directory" };
    const slash = path.lastIndexOf("/");
    if (slash === 0) return undefined;
    return (await folderAt(slash < 0 ? "" : path.slice(0, slash), options))?.get(path.slice(slash + 1));
  };

  return {
    commit,
    lookup: (path, options = {}) => lookup(path, options),
    list: async (oid, options = {}) => [...(await folder(oid, options)).values()],
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
