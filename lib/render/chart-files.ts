import type { TreeEntry } from "../model/tree.ts";
import { type CommitEntries, refuseEntry } from "./commit-entries.ts";
import type { FoundEntry } from "./helper-protocol.ts";
import { refusal } from "./refusal.ts";

export interface ChartFolder {
  readonly path: string;
  readonly listing: readonly TreeEntry[];
  readonly commit: CommitEntries;
}

interface ChartFile {
  /** Where the chart has it. */
  readonly path: string;
  /** Where it lies, behind links. */
  readonly real: string;
  readonly oid: string;
}

/** Every file of a chart: which of them count is for Helm to say. The folder's tree id, an input already, stands for all of them. */
export async function readChart(chart: ChartFolder): Promise<readonly FoundEntry[]> {
  const { path, commit } = chart;
  const files = await chartFiles(chart);
  const known = new Set(Object.keys(commit.inputs));
  const entries = await commit.readFiles(files.map(({ real, oid }) => ({ path: real, oid })));
  for (const { real } of files) {
    if (isBelow(path, real) && !known.has(real)) commit.forget(real);
  }
  return entries.map((entry, index) => ({ ...entry, path: files[index]?.path ?? entry.path }));
}

/** Whether a path lies in a folder; everything lies in "". */
export function isBelow(folder: string, path: string): boolean {
  return folder === "" || path.startsWith(`${folder}/`);
}

async function chartFiles({ path, listing, commit }: ChartFolder): Promise<readonly ChartFile[]> {
  const files: ChartFile[] = [];
  const visit = async (folder: string, entries: readonly TreeEntry[]): Promise<void> => {
    for (const entry of entries) await take(folder === "" ? entry.name : `${folder}/${entry.name}`, entry);
  };
  const take = async (at: string, entry: TreeEntry): Promise<void> => {
    if (entry.type === "submodule") throw refuseEntry(at, entry);
    if (entry.type === "file") files.push({ path: at, real: at, oid: entry.oid });
    else if (entry.type === "directory") await visit(at, await commit.listTree({ path: at, oid: entry.oid }));
    else {
      const { path: real, entry: found } = await commit.follow(at);
      if (found?.type === "file") files.push({ path: at, real, oid: found.oid });
      else if (found?.type === "directory") await takeFolder(at, { real, oid: found.oid });
    }
  };
  const takeFolder = async (at: string, { real, oid }: { readonly real: string; readonly oid: string }): Promise<void> => {
    if (at === real || isBelow(real, at)) {
      throw refusal(at, "the symbolic link leads to a folder that it lies in itself: put the files themselves there");
    }
    await visit(at, await commit.listTree({ path: at, oid }));
  };
  await visit(path, listing);
  return files;
}
