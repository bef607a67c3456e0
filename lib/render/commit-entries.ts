import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree, TreeEntry } from "../model/tree.ts";
import { type FoundEntry, fileEntry } from "./helper-protocol.ts";
import { kustomizationNames } from "./inputs.ts";
import { type FollowedPath, followPath } from "./links.ts";
import { refusal } from "./refusal.ts";

/** What one render may read in all. */
const maxInput = 10 * 1024 * 1024;

/** How many files and folders the listings of one render may hold in all. */
const maxEntries = 20_000;

const lfsPointer = Buffer.from("version https://git-lfs.github.com/spec/");

/** How much one render has read, of all trees together. */
export interface ReadBudget {
  bytes: number;
  entries: number;
}

export interface CommitEntriesOptions extends CallOptions {
  /** The application's folders: links in one may lead anywhere in it. */
  readonly homes?: readonly string[];
  /** Shared by the trees of one render. */
  readonly budget?: ReadBudget;
  /** Why a file may not be read, by the path behind all links. */
  readonly refusalOf?: (path: string) => string | undefined;
}

/** The commit as one render sees it: every look is written down, every byte counted. */
export interface CommitEntries {
  readonly inputs: { readonly [path: string]: string };
  readonly budget: ReadBudget;
  /**
   * Looks at paths; a folder is answered together with the kustomizations in it, a path behind symbolic links together with
   * those. Throws `render` for submodules, LFS pointers and links that lead astray.
   */
  find(paths: readonly string[]): Promise<readonly FoundEntry[]>;
  /** Reads files that a listing has already told, under the paths given. */
  readFiles(files: readonly { readonly path: string; readonly oid: string }[]): Promise<readonly FoundEntry[]>;
  /** Lists a folder; its tree id becomes an input. */
  list(path: string): Promise<readonly TreeEntry[]>;
  /** Lists a folder by its tree id, below one that is an input already. */
  listTree(folder: { readonly path: string; readonly oid: string }): Promise<readonly TreeEntry[]>;
  /** What stands at a path behind the links on the way, which become inputs. */
  follow(path: string): Promise<FollowedPath>;
  /** Takes a listed folder out of the inputs again, unless another source listed it too. */
  forget(path: string): void;
  /** Writes down an input that was found in another way. */
  note(path: string, id: string): void;
}

export function openCommitEntries(tree: SourceTree, given: CommitEntriesOptions = {}): CommitEntries {
  const { homes = [], budget = { bytes: 0, entries: 0 }, refusalOf, ...options } = given;
  const inputs = Object.create(null) as { [path: string]: string };
  const timesListed = new Map<string, number>();

  /** A link stays in the application, or in the base that it belongs to, or else beside or below itself. */
  const homeOf = (link: string): string => {
    const above = foldersAbove(link);
    const isBase = (folder: string): boolean => kustomizationNames.some((name) => inputs[join(folder, name)]);
    return above.find((folder) => homes.includes(folder)) ?? above.find(isBase) ?? above[0] ?? "";
  };

  const follow: CommitEntries["follow"] = async (path) => {
    const followed = await followPath({ tree, path, homeOf }, options);
    for (const link of followed.links) inputs[link.path] = link.oid;
    return followed;
  };

  const readFiles: CommitEntries["readFiles"] = async (files) => {
    if (files.length === 0) return [];
    for (const { path } of files) {
      const refused = refusalOf?.(path);
      if (refused !== undefined) throw new DriftlessError("refused", refused);
    }
    const bodies = await tree.read([...new Set(files.map(({ oid }) => oid))], options);
    return files.map(({ path, oid }) => {
      const content = bodies.get(oid);
      if (content === undefined)
        throw new DriftlessError("source", `${path}: object ${oid} was not delivered`, { retryable: true });
      if (inputs[path] === undefined) budget.bytes += content.byteLength; // a render that is tried again reads again
      inputs[path] = oid;
      if (budget.bytes > maxInput) throw refusal(path, `the files of this application take more than ${maxInput >> 20} MiB`);
      if (lfsPointer.equals(content.subarray(0, lfsPointer.length))) {
        throw refusal(path, "the file is a Git LFS pointer, its content is not in the commit: store manifests without LFS");
      }
      return fileEntry({ path, content });
    });
  };

  const find: CommitEntries["find"] = async (paths) => {
    const followed = await Promise.all(paths.map(follow));
    const found: FoundEntry[] = [];
    const files: { path: string; oid: string }[] = [];
    const inside: string[] = [];
    for (const { path, entry, links } of followed) {
      for (const link of links) found.push({ path: link.path, type: "link", target: link.target });
      if (entry === undefined) {
        inputs[path] = "";
        found.push({ path, type: "none" });
      } else if (entry.type === "file") files.push({ path, oid: entry.oid });
      else if (entry.type === "directory") {
        // A folder is no input of its own: the kustomizations in it are, found or not.
        found.push({ path, type: "directory" });
        if (!kustomizationNames.includes(entry.name)) inside.push(...kustomizationNames.map((name) => join(path, name)));
      } else throw refuseEntry(path, entry);
    }
    const [read, more] = await Promise.all([readFiles(files), inside.length > 0 ? find(inside) : []]);
    return [...found, ...read, ...more];
  };

  const listTree: CommitEntries["listTree"] = async ({ path, oid }) => {
    const entries = await tree.list(oid, options);
    budget.entries += entries.length;
    if (budget.entries > maxEntries) {
      throw refusal(path, `the folders of this application hold more than ${maxEntries.toLocaleString("en")} files and folders`);
    }
    return entries;
  };

  const list: CommitEntries["list"] = async (path) => {
    const entry = await tree.lookup(path, options);
    if (entry === undefined) {
      await refuseLinkAbove(tree, path, options);
      throw refusal(
        path,
        `the folder does not exist${tree.commit === "" ? "" : ` in commit ${tree.commit.slice(0, 7)}`}: correct the path`,
      );
    }
    if (entry.type === "file") throw refusal(path, "the application's path is a file: name the folder that holds it");
    if (entry.type !== "directory") throw refuseEntry(path, entry);
    inputs[path] = entry.oid;
    timesListed.set(path, (timesListed.get(path) ?? 0) + 1);
    return listTree({ path, oid: entry.oid });
  };

  return {
    inputs,
    budget,
    find,
    readFiles,
    list,
    listTree,
    follow,
    forget: (path) => {
      const times = (timesListed.get(path) ?? 0) - 1;
      timesListed.set(path, times);
      if (times <= 0) delete inputs[path];
    },
    note: (path, id) => {
      inputs[path] = id;
    },
  };
}

/** The folders that hold a path, the nearest first. */
function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, parts.length - 1 - index).join("/"));
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

export function refuseEntry(path: string, entry: TreeEntry): DriftlessError {
  return entry.type === "symlink"
    ? refusal(path, "the application's path leads over a symbolic link: name the folder behind it")
    : refusal(path, "submodules are not read: put the files into this repository");
}

/** A path below a link or a submodule is not simply absent. */
async function refuseLinkAbove(tree: SourceTree, path: string, options: CallOptions): Promise<void> {
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    const above = path.slice(0, end);
    const entry = await tree.lookup(above, options);
    if (entry === undefined) continue;
    if (entry.type === "symlink" || entry.type === "submodule") throw refuseEntry(above, entry);
    return;
  }
}
