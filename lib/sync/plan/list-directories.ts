import { hash } from "node:crypto";
import { type DirectoriesRequest, wantsDirectory } from "../../config/directories.ts";
import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { SourceTree } from "../../model/tree.ts";

/** More than the generators of a file mean: a glob that goes astray must not read a whole repository. */
const mostFolders = 20_000;

/** How much the lists of one file have looked through, all together: many of them would hold up everybody's configuration. */
export interface FolderBudget {
  folders: number;
}

/** Paths of the folders that a generator asks for, sorted; throws `source` where that would take too long. */
export async function listDirectories(
  tree: SourceTree,
  request: DirectoriesRequest,
  { budget = { folders: 0 }, ...options }: CallOptions & { readonly budget?: FolderBudget } = {},
): Promise<readonly string[]> {
  const found = new Set<string>();

  const walk = async (folder: { readonly path: string; readonly oid: string }, deeper: number): Promise<void> => {
    if (++budget.folders > mostFolders) throw tooMany(request);
    if (wantsDirectory(request, folder.path)) found.add(folder.path);
    if (deeper === 0) return;
    for (const { name, oid, type } of await tree.list(folder.oid, options)) {
      if (type !== "directory" || name.startsWith(".")) continue;
      await walk({ path: folder.path === "" ? name : `${folder.path}/${name}`, oid }, deeper - 1);
    }
  };

  for (const glob of new Set(request.include)) {
    const { base, deeper } = reachOf(glob);
    const entry = await tree.lookup(base, options);
    if (entry?.type === "directory") await walk({ path: base, oid: entry.oid }, deeper);
  }
  return [...found].sort();
}

/** Equal for equal folders. */
export function directoriesDigest(paths: readonly string[]): string {
  return hash("sha256", paths.join("\n"), "base64").slice(0, 24);
}

/** The folder below which everything lies that a glob may mean, and how many levels below it. */
function reachOf(glob: string): { readonly base: string; readonly deeper: number } {
  const parts = glob.split("/").filter((part) => part !== "" && part !== ".");
  const first = parts.findIndex((part) => part.includes("*"));
  const literal = first < 0 ? parts : parts.slice(0, first);
  const deeper = parts.includes("**") ? Number.POSITIVE_INFINITY : parts.length - literal.length;
  return { base: literal.join("/"), deeper };
}

function tooMany({ repository, targetRevision, include }: DirectoriesRequest): DriftlessError {
  return new DriftlessError(
    "source",
    `${include.join(", ")} means more than ${mostFolders} folders of ${repository} (${targetRevision}) to look through, those of the file's other lists included: begin it with the names of folders`,
  );
}
