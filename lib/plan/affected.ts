import { createHash } from "node:crypto";
import type { Application } from "../model/application.ts";
import { type ApplicationSource, type ClusterCapabilities, gitSources } from "../model/application-source.ts";
import { repositoryKey } from "../model/repository.ts";

/** The applications that have a source on this branch, whichever of the repository's clone URLs names it. */
export function readersOf(applications: readonly Application[], { repository, branch }: Branch): readonly Application[] {
  const wanted = repositoryKey(repository);
  const keys = new Map<string, string>();
  const keyOf = (url: string): string => {
    const key = keys.get(url) ?? repositoryKey(url);
    keys.set(url, key);
    return key;
  };
  return applications.filter(({ sources }) =>
    gitSources(sources).some((source) => source.targetRevision === branch && keyOf(source.repository) === wanted),
  );
}

/** Every branch that the applications read, under its key; of several clone URLs the first counts. */
export function branchesOf(applications: readonly Application[]): ReadonlyMap<string, Branch> {
  const branches = new Map<string, Branch>();
  for (const { repository, targetRevision } of applications.flatMap(({ sources }) => gitSources(sources))) {
    const key = branchKey(repository, targetRevision);
    if (!branches.has(key)) branches.set(key, { repository, branch: targetRevision });
  }
  return branches;
}

/** A branch that applications read. */
export interface Branch {
  readonly repository: string;
  readonly branch: string;
}

/** One name for a branch, whichever of the repository's clone URLs names it. */
export const branchKey = (repository: string, branch: string): string => `${repositoryKey(repository)}#${branch}`;

/**
 * The first path, by name, whose object id is not the one that the last render read; undefined when all are the same.
 * "" stands for "not there" on both sides; a path that `current` does not have is not there.
 */
export function firstChangedInput(
  planned: { readonly [path: string]: string },
  current: ReadonlyMap<string, string>,
): string | undefined {
  return Object.keys(planned)
    .sort()
    .find((path) => planned[path] !== (current.get(path) ?? ""));
}

/** Names what a cluster can do. */
export function capabilitiesDigest({ kubeVersion, apiVersions }: ClusterCapabilities): string {
  return createHash("sha256")
    .update([kubeVersion, ...apiVersions].join("\n"))
    .digest("hex");
}

/**
 * True when the two read a branch in common, a folder on whatever branch, or a chart in whatever version: then a change can move
 * an object from one to the other.
 */
export function sharesSource(one: Pick<Application, "sources">, other: Pick<Application, "sources">): boolean {
  const names = new Set(one.sources.flatMap(sourceNames));
  return other.sources.flatMap(sourceNames).some((name) => names.has(name));
}

function sourceNames(source: ApplicationSource): readonly string[] {
  if (source.kind === "chart") return [`${source.chart.repository}/${source.chart.name}`];
  const { repository, targetRevision, path = "" } = source;
  return [branchKey(repository, targetRevision), `${repositoryKey(repository)}:${path}`];
}
