import { mapConcurrently } from "../../cluster/concurrency.ts";
import { type Directories, type DirectoriesRequest, directoriesKey, directoriesWanted } from "../../config/directories.ts";
import { DriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationFile, Project } from "../../model/project.ts";
import type { SourceTree } from "../../model/tree.ts";
import { type Branch, branchKey } from "../../plan/affected.ts";
import type { Sources } from "../../source/source.ts";
import type { StoredFile } from "../../store/store.ts";
import { directoriesDigest, type FolderBudget, listDirectories } from "./list-directories.ts";

/** The branches that one reading of the configuration looks at, each asked for once. */
export interface ConfigurationBranches {
  /** Throws `source` for a branch that is not there. */
  readonly open: (branch: Branch) => Promise<SourceTree>;
  /** What became of each, under its `branchKey`: the commit, "" where there is none or it could not be opened. */
  readonly looked: () => ReadonlyMap<string, Branch & { readonly head: string }>;
}

export function openBranches(sources: Sources, options: CallOptions): ConfigurationBranches {
  const opened = new Map<string, Promise<SourceTree>>();
  const looked = new Map<string, Branch & { readonly head: string }>();

  const open = async (key: string, { repository, branch }: Branch): Promise<SourceTree> => {
    looked.set(key, { repository, branch, head: "" });
    const source = sources.source(repository);
    const head = await source.head(branch, options);
    if (head === undefined)
      throw new DriftlessError("source", `branch ${branch} of ${repository} does not exist`, { facts: { revision: "" } });
    const tree = await source.open(head, options);
    looked.set(key, { repository, branch, head });
    return tree;
  };

  return {
    open(branch) {
      const key = branchKey(branch.repository, branch.branch);
      const known = opened.get(key) ?? open(key, branch);
      opened.set(key, known);
      return known;
    },
    looked: () => looked,
  };
}

/** A file of the configuration at the head of its branch, with the folders that its generators ask for. */
export interface ReadFile {
  readonly text: string;
  readonly directories: Directories;
  readonly origin: Pick<StoredFile, "revision" | "oid" | "directories">;
}

/** What a file asks for, whether or not it could be answered: by a push there the file may become right. */
export type AskedDirectories = StoredFile["directories"];

export interface FileReader {
  /** True when the file, and the folders that it asks for on the pushed branch, are as they were last read. */
  readonly isSame: (file: StoredFile, pushed: Branch) => Promise<boolean>;
  /** Throws what cannot be read as `source`, and a file that is not there as `config`; `asks` is told before that. */
  readonly read: (
    file: ApplicationFile & { readonly limits?: Project | undefined },
    asks: (directories: AskedDirectories) => void,
  ) => Promise<ReadFile>;
}

/** One file's own, so that what it looks through is not another's loss. */
interface FileLists {
  readonly listings: Map<string, Promise<readonly string[]>>;
  readonly budget: FolderBudget;
}

export function createFileReader(branches: ConfigurationBranches, options: CallOptions): FileReader {
  const ofFiles = new Map<string, FileLists>();

  const listsOf = ({ repository, targetRevision, path }: ApplicationFile): FileLists => {
    const key = JSON.stringify([repository, targetRevision, path]);
    const known = ofFiles.get(key) ?? { listings: new Map(), budget: { folders: 0 } };
    ofFiles.set(key, known);
    return known;
  };

  const list = (request: DirectoriesRequest, { listings, budget }: FileLists): Promise<readonly string[]> => {
    const key = directoriesKey(request);
    const listing = async () => listDirectories(await branches.open(branchOf(request)), request, { ...options, budget });
    const known = listings.get(key) ?? listing();
    listings.set(key, known);
    return known;
  };

  const entryOf = async (file: ApplicationFile) => {
    const tree = await branches.open(branchOf(file));
    const { path, repository } = file;
    const entry = await tree.lookup(path, options);
    if (entry?.type === "file") return { tree, oid: entry.oid };
    throw new DriftlessError("config", `${path} is not a file at ${tree.commit.slice(0, 12)} of ${repository}`, {
      facts: { revision: tree.commit },
    });
  };

  return {
    async isSame(file, pushed) {
      const key = branchKey(pushed.repository, pushed.branch);
      const isPushed = (place: { readonly repository: string; readonly targetRevision: string }): boolean =>
        branchKey(place.repository, place.targetRevision) === key;
      if (isPushed(file) && (await entryOf(file)).oid !== file.oid) return false;
      for (const request of file.directories.filter(isPushed))
        if (directoriesDigest(await list(request, listsOf(file))) !== request.digest) return false;
      return true;
    },
    async read(file, asks) {
      const { tree, oid } = await entryOf(file);
      const text = new TextDecoder().decode((await tree.read([oid], options)).get(oid));
      const { limits: project, repository, path } = file;
      const wanted = directoriesWanted({ text, file: path, repository, ...(project === undefined ? {} : { project }) });
      asks(wanted.map((request) => ({ ...request, digest: "" })));
      const answers = await mapConcurrently(wanted, {
        limit: 8,
        work: async (request) => ({ request, paths: await list(request, listsOf(file)) }),
      });
      return {
        text,
        directories: new Map(answers.map(({ request, paths }) => [directoriesKey(request), paths])),
        origin: {
          revision: tree.commit,
          oid,
          directories: answers.map(({ request, paths }) => ({ ...request, digest: directoriesDigest(paths) })),
        },
      };
    },
  };
}

function branchOf({ repository, targetRevision }: { readonly repository: string; readonly targetRevision: string }): Branch {
  return { repository, branch: targetRevision };
}
