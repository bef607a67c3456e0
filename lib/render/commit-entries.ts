import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree, TreeEntry } from "../model/tree.ts";
import { type FoundEntry, fileEntry } from "./helper-protocol.ts";

/** What one render may read in all. */
const maxInput = 10 * 1024 * 1024;

/** The names under which Kustomize looks for its file, in a folder that it is sent to. */
export const kustomizationNames: readonly string[] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

const lfsPointer = Buffer.from("version https://git-lfs.github.com/spec/");

/** The commit as one render sees it: every look is written down, every byte counted. */
export interface CommitEntries {
  readonly inputs: { readonly [path: string]: string };
  /** Looks at paths; a folder is answered together with the kustomizations in it. Throws `render` for links, submodules and LFS pointers. */
  find(paths: readonly string[]): Promise<readonly FoundEntry[]>;
  /** Reads files that a listing has already told. */
  readFiles(files: readonly { readonly path: string; readonly oid: string }[]): Promise<readonly FoundEntry[]>;
  /** Lists a folder; its tree id becomes an input. */
  list(path: string): Promise<readonly TreeEntry[]>;
}

export function openCommitEntries(tree: SourceTree, options: CallOptions = {}): CommitEntries {
  const inputs = Object.create(null) as { [path: string]: string };
  let bytesRead = 0;

  const readFiles: CommitEntries["readFiles"] = async (files) => {
    if (files.length === 0) return [];
    const bodies = await tree.read([...new Set(files.map(({ oid }) => oid))], options);
    return files.map(({ path, oid }) => {
      const content = bodies.get(oid);
      if (content === undefined)
        throw new DriftlessError("source", `${path}: object ${oid} was not delivered`, { retryable: true });
      if (inputs[path] === undefined) bytesRead += content.byteLength; // a render that is tried again reads again
      inputs[path] = oid;
      if (bytesRead > maxInput) throw refusal(path, `the files of this application take more than ${maxInput >> 20} MiB`);
      if (lfsPointer.equals(content.subarray(0, lfsPointer.length))) {
        throw refusal(path, "the file is a Git LFS pointer, its content is not in the commit: store manifests without LFS");
      }
      return fileEntry({ path, content });
    });
  };

  const absent = async (path: string): Promise<FoundEntry> => {
    await refuseLinkAbove(tree, path, options);
    inputs[path] = "";
    return { path, type: "none" };
  };

  const find: CommitEntries["find"] = async (paths) => {
    const entries = await Promise.all(paths.map(async (path) => ({ path, entry: await tree.lookup(path, options) })));
    const found: FoundEntry[] = [];
    const files: { path: string; oid: string }[] = [];
    const inside: string[] = [];
    for (const { path, entry } of entries) {
      if (entry === undefined) found.push(await absent(path));
      else if (entry.type === "file") files.push({ path, oid: entry.oid });
      else if (entry.type === "directory") {
        // A folder is no input of its own: the kustomizations in it are, found or not.
        found.push({ path, type: "directory" });
        if (!kustomizationNames.includes(entry.name)) inside.push(...kustomizationNames.map((name) => `${path}/${name}`));
      } else throw refuseEntry(path, entry);
    }
    const [read, more] = await Promise.all([readFiles(files), inside.length > 0 ? find(inside) : []]);
    return [...found, ...read, ...more];
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
    return tree.list(entry.oid, options);
  };

  return { inputs, find, readFiles, list };
}

/** The error for something that is in the way, with the path first. */
function refusal(path: string, message: string): DriftlessError {
  return new DriftlessError("render", `${path || "the repository's root"}: ${message}`, { facts: { file: path } });
}

export function refuseEntry(path: string, entry: TreeEntry): DriftlessError {
  return entry.type === "symlink"
    ? refusal(path, "symbolic links are not followed: put the file itself there")
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
