import type { ApplicationFile, Project } from "../../model/project.ts";
import { repositoryKey } from "../../model/repository.ts";
import { type Branch, branchKey } from "../../plan/affected.ts";
import type { StoredConfiguration, StoredFile } from "../../store/store.ts";

/** Where the platform repository keeps its configuration. */
export interface ConfigurationSource {
  readonly repository: string;
  readonly branch: string;
  readonly path: string;
}

/** A file that a project names, and whose applications are in that project. */
export interface TeamFile extends ApplicationFile {
  readonly project: string;
}

/** The files that the projects name, in their order. */
export function teamFiles(projects: readonly Project[]): readonly TeamFile[] {
  const files = projects.flatMap(({ name, applicationFiles }) => applicationFiles.map((file) => ({ ...file, project: name })));
  return [...new Map(files.map((file) => [fileKey(file), file])).values()];
}

/** One name for a file of a project, whichever of the repository's clone URLs names it. */
export function fileKey({ project, repository, targetRevision, path }: TeamFile): string {
  return JSON.stringify([project, repositoryKey(repository), targetRevision, path]);
}

/** For people: `apps.yaml of https://github.com/acme/shop (main)`. */
export function fileText({ repository, targetRevision, path }: ApplicationFile): string {
  return `${path} of ${repository} (${targetRevision})`;
}

/** True when a push to this branch may change the platform's own file. */
export function holdsConfiguration(from: ConfigurationSource, pushed: Branch): boolean {
  return repositoryKey(from.repository) === repositoryKey(pushed.repository) && from.branch === pushed.branch;
}

/** True when a file, or a folder that its generators ask for, lies on the branch. */
export function isReadFrom(file: Pick<StoredFile, "repository" | "targetRevision" | "directories">, pushed: Branch): boolean {
  const key = branchKey(pushed.repository, pushed.branch);
  return [file, ...file.directories].some(({ repository, targetRevision }) => branchKey(repository, targetRevision) === key);
}

/** Every branch that the configuration is read from, under its key. */
export function configurationBranches(
  from: ConfigurationSource,
  stored: Pick<StoredConfiguration, "files"> | undefined,
): ReadonlyMap<string, Branch> {
  const files = stored?.files ?? [];
  const places = [...files, ...files.flatMap(({ directories }) => directories)];
  const named = places.map(({ repository, targetRevision: branch }) => ({ repository, branch }));
  return new Map(
    [{ repository: from.repository, branch: from.branch }, ...named].map((at) => [branchKey(at.repository, at.branch), at]),
  );
}

/** The platform's own file as it is stored; without directories in rows of older versions. */
export function platformFile(from: ConfigurationSource, stored: StoredConfiguration | undefined): StoredFile {
  const { repository, branch: targetRevision, path } = from;
  const known = stored?.files?.find(({ project }) => project === "");
  const applications = known?.applications ?? stored?.configuration.applications.map(({ name }) => name) ?? [];
  return {
    project: "",
    repository,
    targetRevision,
    path,
    revision: stored?.revision ?? "",
    oid: stored?.oid ?? "",
    applications,
    directories: known?.directories ?? [],
    problem: "",
  };
}
