import type { Application, Configuration } from "../model/application.ts";
import { canonicalJson, type JsonObject } from "../model/json.ts";
import { repositoryKey } from "../model/repository.ts";

/** The applications whose source is a branch of a repository, whichever of its clone URLs names it. */
export function selectApplications(
  { applications }: Configuration,
  { repository, branch }: { readonly repository: string; readonly branch: string },
): readonly Application[] {
  const key = repositoryKey(repository);
  return applications.filter(
    (application) => application.targetRevision === branch && repositoryKey(application.repository) === key,
  );
}

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

/** An application's definition as text; equal definitions have equal texts, whatever the order of their keys. */
export function definitionText(application: Application): string {
  return canonicalJson(application as unknown as JsonObject);
}
