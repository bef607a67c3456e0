import type { DirectoryOptions } from "../model/application-source.ts";
import type { TreeEntry } from "../model/tree.ts";
import { type CommitEntries, refuseEntry } from "./commit-entries.ts";
import { compileGlobs } from "./glob.ts";
import type { FoundEntry } from "./helper-protocol.ts";
import { chartName, isManifestName, kustomizationNames, listingDigest, listingInput } from "./inputs.ts";
import { refusal } from "./refusal.ts";
import type { FolderRequest, SourceJob } from "./source-job.ts";

const everyManifest: DirectoryOptions = { recurse: false, include: [], exclude: [] };

/** The manifests of a plain folder. */
export async function directoryJob({ path, commit, listing, source }: FolderRequest): Promise<SourceJob> {
  const options = source.directory ?? everyManifest;
  const found = await filesOf({ path, listing, commit, options });
  if (!options.recurse) {
    // Folders below don't count, nor do files of other kinds: the tree's id would change with them.
    commit.forget(path);
    commit.note(listingInput(path), listingDigest(listing));
  }
  const entries = await readFound(commit, found);
  return { renderer: "directory", request: { op: "render", renderer: "directory", path, entries } };
}

/** A file, and the object to read for it: a link's is that of the file behind it. */
interface FoundFile {
  readonly path: string;
  readonly real: { readonly path: string; readonly oid: string };
}

interface Folder {
  readonly path: string;
  readonly listing: readonly TreeEntry[];
  readonly commit: CommitEntries;
  readonly options: DirectoryOptions;
}

async function filesOf({ path, listing, commit, options }: Folder): Promise<readonly FoundFile[]> {
  const included = options.include.length === 0 ? () => true : compileGlobs(options.include, "directory.include");
  const excluded = compileGlobs(options.exclude, "directory.exclude");
  const from = path === "" ? 0 : path.length + 1;
  const files: FoundFile[] = [];
  const visit = async (folder: string, entries: readonly TreeEntry[]): Promise<void> => {
    for (const entry of entries) {
      const at = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const relative = at.slice(from);
      if (entry.name.startsWith(".") || excluded(relative)) continue;
      if (entry.type === "submodule") throw refuseEntry(at, entry);
      if (entry.type === "directory") {
        if (options.recurse) await visit(at, await commit.listTree({ path: at, oid: entry.oid }));
      } else if (included(relative)) {
        refuseOtherRenderers(at, entry.name);
        if (isManifestName(entry.name)) files.push({ path: at, real: await realFile(commit, at, entry) });
      }
    }
  };
  await visit(path, listing);
  return files;
}

async function realFile(commit: CommitEntries, path: string, { type, oid }: TreeEntry): Promise<FoundFile["real"]> {
  if (type === "file") return { path, oid };
  const followed = await commit.follow(path);
  if (followed.entry?.type === "file") return { path: followed.path, oid: followed.entry.oid };
  throw refusal(path, "is a symbolic link to a folder, which is not followed: exclude it, or take the folder by `recurse`");
}

async function readFound(commit: CommitEntries, files: readonly FoundFile[]): Promise<readonly FoundEntry[]> {
  const entries = await commit.readFiles(files.map(({ real }) => real));
  return entries.map((entry, index) => ({ ...entry, path: files[index]?.path ?? entry.path }));
}

/** What another renderer reads would be refused as a manifest, with words that don't help. */
function refuseOtherRenderers(path: string, name: string): void {
  const kind = kustomizationNames.includes(name) ? "kustomization" : name === chartName ? "chart" : undefined;
  if (kind === undefined) return;
  throw refusal(path, `is no manifest: make this ${kind} an application of its own, without \`directory\`, or exclude it here`);
}
