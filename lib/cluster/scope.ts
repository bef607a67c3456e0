import { DriftlessError } from "../errors.ts";
import type { Project } from "../model/project.ts";
import { displayRef, type ResourceRef } from "../model/resource.ts";
import { matchesPattern } from "../projects/glob.ts";
import { objectRefusal } from "../projects/limits.ts";

/** Whose limits hold for the writes to a cluster. */
export interface ProjectScope {
  readonly project: Project;
  /** Name of the cluster in the configuration. */
  readonly cluster: string;
}

/**
 * Throws `refused` for an object that the project may not have. Asked once before anything is, with `namespaced` undefined, and
 * once more when the server has said whether the kind lives in namespaces.
 */
export function assertInScope(
  scope: ProjectScope | undefined,
  { ref, namespaced }: { readonly ref: ResourceRef; readonly namespaced: boolean | undefined },
): void {
  if (scope === undefined) return;
  const { project, cluster } = scope;
  const refusal = objectRefusal(project, { cluster, ref, namespaced });
  if (refusal === undefined) return;
  throw new DriftlessError("refused", refusal, { facts: { project: project.name, cluster, object: displayRef(ref) } });
}

/** Namespaces of a cluster that a project names, and the patterns by which it means others. */
export function namespacesOf({ project, cluster }: ProjectScope): {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
} {
  const here = project.destinations.filter((destination) => matchesPattern(destination.cluster, cluster));
  const all = [...new Set(here.map(({ namespace }) => namespace))];
  return {
    names: all.filter((text) => !text.includes("*") && text !== ""),
    patterns: all.filter((text) => text.includes("*")),
  };
}
