import type { Project } from "../model/project.ts";
import { matchesPath } from "../projects/glob.ts";
import { sourceRefusals } from "../projects/limits.ts";
import { checkNode } from "./check.ts";
import { type ConfigurationFile, readDocument } from "./document.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import { configurationSchema } from "./schema.ts";

type WrittenSet = ValueOf<typeof configurationSchema>["applicationSets"][number];
type WrittenGit = NonNullable<WrittenSet["generators"][number]["git"]>;

/** The folders that one git generator asks for. */
export interface DirectoriesRequest {
  /** Clone URL, or path of a local repository. */
  readonly repository: string;
  /** Branch. */
  readonly targetRevision: string;
  /** Globs; a folder that one of them names is asked for. */
  readonly include: readonly string[];
  /** Globs; a folder that one of them names is left out. */
  readonly exclude: readonly string[];
}

/** Paths of folders, by `directoriesKey`; a request without an answer keeps the whole file from being valid. */
export type Directories = ReadonlyMap<string, readonly string[]>;

/** The same for two requests that ask for the same. */
export function directoriesKey({ repository, targetRevision, include, exclude }: DirectoriesRequest): string {
  return JSON.stringify([repository, targetRevision, include, exclude]);
}

/** True for a folder that is asked for; never for the root, nor for what lies in a folder whose name begins with a dot. */
export function wantsDirectory({ include, exclude }: DirectoriesRequest, path: string): boolean {
  const folders = path.split("/").filter((folder) => folder !== "");
  if (folders.length === 0 || folders.some((folder) => folder.startsWith("."))) return false;
  return include.some((glob) => matchesPath(glob, path)) && !exclude.some((glob) => matchesPath(glob, path));
}

/** How many lists of folders one file may ask for. */
export const mostRequests = 100;

/**
 * What the git generators of a file ask for, each once; nothing for a file that cannot be read. Of an application file, what its
 * project does not allow is left out.
 */
export function directoriesWanted({
  text,
  repository,
  project,
}: ConfigurationFile & { readonly project?: Project }): readonly DirectoriesRequest[] {
  const read = readDocument(text);
  if ("findings" in read) return [];
  const requests = requestsOf(checkNode(read.node, configurationSchema).value?.applicationSets ?? [], repository);
  if (requests.length > mostRequests) return [];
  return project === undefined ? requests : requests.filter((request) => requestRefusals(project, request).length === 0);
}

/** Each once, of generators in a matrix too. */
export function requestsOf(
  sets: readonly (Partially<WrittenSet> | undefined)[],
  repository: string,
): readonly DirectoriesRequest[] {
  const generators = sets.flatMap((set) => set?.generators ?? []);
  const simple = generators.flatMap((generator) => [generator, ...(generator?.matrix?.generators ?? [])]);
  const requests = simple.flatMap((generator) =>
    generator?.git === undefined ? [] : (requestOf(generator.git, repository) ?? []),
  );
  return [...new Map(requests.map((request) => [directoriesKey(request), request])).values()];
}

/** Undefined where something about it is wrong. */
export function requestOf(written: Partially<WrittenGit>, repository: string): DirectoriesRequest | undefined {
  const { targetRevision, directories = [] } = written;
  const globs = directories.map((directory) => directory?.path);
  if (targetRevision === undefined || globs.includes(undefined)) return undefined;
  const globsOf = (exclude: boolean): readonly string[] =>
    directories.flatMap((directory) => (directory?.exclude === exclude ? (directory.path ?? []) : []));
  return { repository: written.repository ?? repository, targetRevision, include: globsOf(false), exclude: globsOf(true) };
}

/** Why a project does not let its file look into a repository. */
export function requestRefusals(project: Project, { repository }: DirectoriesRequest): readonly string[] {
  return sourceRefusals(project, { repository });
}
