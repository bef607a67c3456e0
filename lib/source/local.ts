import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { ObjectCache } from "./cache.ts";
import type { SourceLimits } from "./limits.ts";
import { createObjectStore } from "./object-store.ts";
import { checkedBranch, checkedId, createObjectTree } from "./object-tree.ts";
import { type GitObject, type ObjectType, rootOfCommit } from "./objects.ts";
import { findRepository, readBranch } from "./repository-folder.ts";
import type { Source } from "./source.ts";

export interface LocalDeps {
  /** A working folder, a linked worktree or a bare repository. */
  readonly folder: string;
  readonly cache: ObjectCache;
  readonly limits: SourceLimits;
}

/** A repository on this machine's disk, read from Git's own files; only commits count, not what is checked out. */
export function createLocalSource({ folder, cache, limits }: LocalDeps): Source {
  const store = createObjectStore({ folder, limits });

  const object = async (oid: string, type: ObjectType, options: CallOptions): Promise<GitObject> => {
    options.signal?.throwIfAborted();
    const found = cache.get(oid) ?? (await store.read(oid));
    if (found === undefined) throw new DriftlessError("source", `${folder} has no object ${oid}`, { facts: { missing: oid } });
    if (found.type !== type) throw new DriftlessError("source", `${oid} of ${folder} is a ${found.type}, not a ${type}`);
    cache.set(oid, found);
    return found;
  };

  return {
    async head(branch) {
      const oid = await readBranch(await findRepository(folder), checkedBranch(branch));
      return oid === undefined ? undefined : checkedId(oid);
    },
    async open(commit, options = {}) {
      const root = rootOfCommit(commit, await object(checkedId(commit), "commit", options));
      return createObjectTree({
        commit,
        root,
        reader: {
          tree: async (oid, call) => (await object(oid, "tree", call)).body,
          async blobs(oids, call) {
            const bodies = new Map<string, Uint8Array>();
            for (const oid of oids) bodies.set(oid, (await object(oid, "blob", call)).body);
            return bodies;
          },
        },
      });
    },
  };
}
