import { DriftlessError, isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree } from "../model/tree.ts";
import type { Log } from "../telemetry/log.ts";
import type { ObjectCache } from "./cache.ts";
import { createGatherer } from "./gather.ts";
import type { SourceLimits } from "./limits.ts";
import { checkedBranch, checkedId, createObjectTree } from "./object-tree.ts";
import { type GitObject, rootOfCommit } from "./objects.ts";
import { readPack } from "./pack.ts";
import { type FetchRequest, fetchRequest, lsRefsRequest, readPackBytes, readRefs } from "./protocol.ts";
import { treesOf } from "./reachable.ts";
import { connect, type Remote, type RemoteDeps } from "./remote.ts";
import type { Source } from "./source.ts";

export interface SmartHttpDeps extends RemoteDeps {
  readonly cache: ObjectCache;
  readonly limits: SourceLimits;
  readonly log: Log;
}

type Objects = ReadonlyMap<string, GitObject>;
type Known = { readonly commit: string; readonly trees: Objects };
type OpenedTrees = { readonly root: string; readonly trees: Objects; readonly missing?: never };

/**
 * A repository behind Git's smart HTTP protocol, version 2. A commit is opened with all of its trees and no blobs;
 * blobs come by id, all that are asked for in one request.
 */
export function createSmartHttpSource(deps: SmartHttpDeps): Source {
  const { cache, limits, log } = deps;
  const name = `${deps.repository.origin}${deps.repository.pathname}`;
  const cached = (oid: string): GitObject | undefined => cache.get(oid);
  let remote: Remote | undefined;
  let lastOpened: string | undefined;

  const ask = async <T>(call: (remote: Remote) => Promise<T>, options: CallOptions): Promise<T> => {
    remote ??= await connect(deps, options);
    try {
      return await call(remote);
    } catch (error) {
      // What was learnt about the server may be why it failed: a moved repository, an upgraded host.
      remote = undefined;
      throw error;
    }
  };

  const fetch = (request: FetchRequest & { readonly known?: Objects | undefined }, options: CallOptions): Promise<Objects> =>
    ask(async (git) => {
      const { capabilities } = git;
      const bytes = await git.post(fetchRequest(request, capabilities), (body) => readPackBytes(body, limits), options);
      const objects = await readPack(
        bytes,
        { format: capabilities.format, limits, base: (oid) => request.known?.get(oid) },
        options,
      );
      for (const [oid, object] of objects) cache.set(oid, object);
      log.debug("source.fetched", { repository: name, wants: request.wants.length, objects: objects.size, bytes: bytes.length });
      return objects;
    }, options);

  const fetchTrees = async (commit: string, options: CallOptions, known?: Known): Promise<OpenedTrees> => {
    const request = { wants: [commit], haves: known === undefined ? [] : [known.commit], known: known?.trees, commitOnly: true };
    const fetched = await fetch(request, options);
    const opened = openTrees(commit, (oid) => fetched.get(oid) ?? known?.trees.get(oid), known?.trees);
    if (opened.missing !== undefined) throw incomplete(name, opened.missing);
    return opened;
  };

  /** What changed since the commit opened last, where that is still held; else, and when that does not fit together, all. */
  const fetchCommit = async (commit: string, options: CallOptions): Promise<OpenedTrees> => {
    const trees = lastOpened === undefined ? undefined : openTrees(lastOpened, cached).trees;
    if (lastOpened === undefined || trees === undefined) return fetchTrees(commit, options);
    try {
      return await fetchTrees(commit, options, { commit: lastOpened, trees });
    } catch (error) {
      const missing = isDriftlessError(error, "source") ? error.facts["missing"] : undefined;
      if (missing === undefined || missing === commit) throw error;
      return fetchTrees(commit, options);
    }
  };

  const fetchBlobs = createGatherer((wants, options) => fetch({ wants }, options));

  const blobs = async (oids: readonly string[], options: CallOptions): Promise<ReadonlyMap<string, Uint8Array>> => {
    const found = new Map(oids.map((oid) => [oid, cache.get(oid)] as const));
    const wants = oids.filter((oid) => found.get(oid) === undefined);
    const fetched: Objects = wants.length === 0 ? new Map() : await fetchBlobs(wants, options);
    return new Map(oids.map((oid) => [oid, blobBody(name, oid, found.get(oid) ?? fetched.get(oid))]));
  };

  const treeAt = (commit: string, root: string, trees: Objects): SourceTree => {
    lastOpened = commit;
    return createObjectTree({
      commit,
      root,
      reader: {
        blobs,
        async tree(oid) {
          const tree = trees.get(oid);
          if (tree === undefined) throw new DriftlessError("source", `commit ${commit} of ${name} has no tree ${oid}`);
          return tree.body;
        },
      },
    });
  };

  return {
    async head(branch, options = {}) {
      const ref = `refs/heads/${checkedBranch(branch)}`;
      const refs = await ask((git) => git.post(lsRefsRequest(ref, git.capabilities), readRefs, options), options);
      const oid = refs.get(ref);
      return oid === undefined ? undefined : checkedId(oid);
    },
    async open(commit, options = {}) {
      const held = openTrees(checkedId(commit), cached);
      const { root, trees } = held.missing === undefined ? held : await fetchCommit(commit, options);
      return treeAt(commit, root, trees);
    },
  };
}

/** A commit and all of its trees out of `get`, or the first object that is not there. */
function openTrees(
  commit: string,
  get: (oid: string) => GitObject | undefined,
  known?: Objects,
): OpenedTrees | { readonly missing: string; readonly root?: never; readonly trees?: never } {
  const object = get(commit);
  if (object === undefined) return { missing: commit };
  const root = rootOfCommit(commit, object);
  const { complete, missing } = treesOf(root, get, known);
  return complete === undefined ? { missing } : { root, trees: complete };
}

function blobBody(repository: string, oid: string, object: GitObject | undefined): Uint8Array {
  if (object === undefined) throw incomplete(repository, oid);
  if (object.type !== "blob") throw new DriftlessError("source", `${oid} of ${repository} is a ${object.type}, not a blob`);
  return object.body;
}

function incomplete(repository: string, oid: string): DriftlessError {
  return new DriftlessError("source", `${repository} left object ${oid} out of its answer`, {
    retryable: true,
    facts: { missing: oid },
  });
}
