import { DriftlessError, isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree } from "../model/tree.ts";
import { type CommitEntries, openCommitEntries, type ReadBudget } from "./commit-entries.ts";
import type { FoundEntry } from "./helper-protocol.ts";
import type { RefusalOfRead } from "./renderer.ts";

/** Opens one commit of another repository. */
export type OpenRemote = (repository: string, commit: string, options?: CallOptions) => Promise<SourceTree>;

export interface RemoteBasesDeps {
  readonly openRemote?: OpenRemote | undefined;
  /** Beginnings of URLs that are allowed. */
  readonly allowed: readonly string[];
  readonly budget: ReadBudget;
  readonly refusalOf?: RefusalOfRead | undefined;
  readonly options: CallOptions;
}

export interface RemoteBases {
  /** Answers lookups of paths below the remote folder from the commits that they name. */
  find(paths: readonly string[]): Promise<readonly FoundEntry[]>;
  /** What was opened: `URL@COMMIT`. */
  readonly pinned: readonly string[];
}

/** Where the helper looks for the files of a remote base: a folder that no commit can have, repository in base64, commit. */
const remotePath = /^((?:.*\/)?\.git\/remote\/([\w-]+)\/([0-9a-f]{40}|[0-9a-f]{64}))(?:\/(.*))?$/s;

/** Whether a path lies in a remote base, not in the commit itself. */
export function isRemotePath(path: string): boolean {
  return `/${path}/`.includes("/.git/");
}

/** The remote bases of one render, each commit opened once. */
export function createRemoteBases({ openRemote, allowed, budget, refusalOf, options }: RemoteBasesDeps): RemoteBases {
  const opened = new Map<string, Promise<CommitEntries>>();

  const open = (repository: string, commit: string): Promise<CommitEntries> => {
    const name = `${repository}@${commit}`;
    const known = opened.get(name);
    if (known !== undefined) return known;
    if (!isAllowed(repository, allowed) || openRemote === undefined) {
      throw new DriftlessError("render", `${repository} is remote; this render may not open it: add it to remoteBases`);
    }
    const refused = refusalOf?.({ repository });
    if (refused !== undefined) throw new DriftlessError("refused", refused);
    const entries = openRemote(repository, commit, options).then((tree) => openCommitEntries(tree, { ...options, budget }));
    opened.set(name, entries);
    return entries;
  };

  const findIn = async (place: RemotePlace, paths: readonly string[]): Promise<readonly FoundEntry[]> => {
    const base = await open(place.repository, place.commit);
    const below = (path: string): string => (path === "" ? place.root : `${place.root}/${path}`);
    const found = await base.find(paths).catch((error: unknown) => {
      if (!isDriftlessError(error)) throw error;
      throw new DriftlessError(error.code, `${place.repository}@${place.commit.slice(0, 7)}: ${error.message}`, {
        cause: error,
        retryable: error.retryable,
      });
    });
    return found.map((entry) =>
      entry.type === "link"
        ? { ...entry, path: below(entry.path), target: below(entry.target) }
        : { ...entry, path: below(entry.path) },
    );
  };

  return {
    async find(paths) {
      const places = new Map<string, { readonly place: RemotePlace; readonly paths: string[] }>();
      const nowhere: FoundEntry[] = [];
      for (const path of paths) {
        const found = remotePlace(path);
        if (found === undefined) nowhere.push({ path, type: "none" });
        else {
          const asked = places.get(found.place.root) ?? { place: found.place, paths: [] };
          places.set(found.place.root, asked);
          asked.paths.push(found.inside);
        }
      }
      const found = await Promise.all([...places.values()].map((asked) => findIn(asked.place, asked.paths)));
      return [...nowhere, ...found.flat()];
    },
    get pinned() {
      return [...opened.keys()].sort();
    },
  };
}

/** One commit of another repository, and the folder that stands for it. */
interface RemotePlace {
  readonly root: string;
  readonly repository: string;
  readonly commit: string;
}

function remotePlace(path: string): { readonly place: RemotePlace; readonly inside: string } | undefined {
  const [, root, name, commit, inside = ""] = remotePath.exec(path) ?? [];
  if (root === undefined || name === undefined || commit === undefined) return undefined;
  return { place: { root, repository: Buffer.from(name, "base64url").toString("utf8"), commit }, inside };
}

/** The helper holds whole URLs to the list; what it asks for is held to the repositories in it once more. */
function isAllowed(repository: string, allowed: readonly string[]): boolean {
  const plain = (url: string): string => `${url.replace(/\/+$/, "").replace(/\.git$/, "")}/`;
  return allowed.some((beginning) => {
    const below = plain(beginning.replace(/^https:\/\/raw\.githubusercontent\.com\//, "https://github.com/"));
    return plain(repository).startsWith(below) || below.startsWith(plain(repository));
  });
}
