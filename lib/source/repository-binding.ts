import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { RevisionMessage } from "../model/delivery.ts";
import { repositoryKey } from "../model/repository.ts";

/** Which repository a URL meant when it was first read: the host's numeric id, which a rename keeps and a successor has not. */
export interface RepositoryBindings {
  get(repository: string, options?: CallOptions): Promise<number | undefined>;
  /** Binds it unless it is bound; returns the id that stands. */
  bind(repository: string, id: number, options?: CallOptions): Promise<number>;
}

/**
 * Binds the repository of a delivery on first use, and throws `source`, not retryable, when the name belongs to another
 * one now. A message without an id (of a sweep, or a host that sends none) passes.
 */
export async function checkRepositoryId(
  bindings: RepositoryBindings,
  { repository, repositoryId }: Pick<RevisionMessage, "repository" | "repositoryId">,
  options?: CallOptions,
): Promise<void> {
  if (repositoryId === undefined) return;
  const bound = await bindings.bind(repository, repositoryId, options);
  if (bound !== repositoryId) throw replacedError({ repository, bound, found: repositoryId });
}

/** The name of a bound repository belongs to another one. */
export function replacedError(change: {
  readonly repository: string;
  readonly bound: number;
  readonly found: number;
}): DriftlessError {
  const key = repositoryKey(change.repository);
  return new DriftlessError(
    "source",
    `${key} is repository ${change.found} now, and was ${change.bound} when it was first read: another one has its name. ` +
      `It is not read. If that is meant, state its id under "repositories" in driftless.yaml (of the repository that holds that ` +
      `file: delete the row "repository#${key}" of the table); else use the URL of the first one`,
    { facts: { repository: key, boundId: change.bound, repositoryId: change.found } },
  );
}

/** The repository itself goes by another name: whoever takes the old one must not be read for it. */
export function renamedError(change: {
  readonly repository: string;
  /** `owner/name` as it is now; undefined where the host does not tell. */
  readonly name: string | undefined;
  readonly id: number | undefined;
}): DriftlessError {
  const key = repositoryKey(change.repository);
  const which = change.id === undefined ? "" : ` (repository ${change.id})`;
  const now = change.name === undefined ? "goes by another name now" : `is ${change.name} now`;
  return new DriftlessError(
    "source",
    `${key}${which} ${now}: it was renamed or transferred. It is not read by its old name: put its present URL into driftless.yaml`,
    { facts: { repository: key, ...(change.id === undefined ? {} : { repositoryId: change.id }) } },
  );
}
