import type { Project } from "../../model/project.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { openProject } from "../../projects/find.ts";
import { projectOf } from "../projects.ts";

export interface LeftProjects {
  /** As the platform's own file has them now. */
  readonly stated: readonly Project[];
  /** As they were in force; undefined when there was no configuration. */
  readonly before: readonly Project[] | undefined;
  readonly states: () => Promise<readonly ApplicationState[]>;
}

/**
 * The projects in force. One that left stays until nothing is left of its applications, without a repository that it allows:
 * what they have can be pruned, as whom and where it was applied, and nothing new comes of it.
 */
export async function withLeftProjects({ stated, before, states }: LeftProjects): Promise<readonly Project[]> {
  if (before === undefined) return stated;
  const names = new Set(inForce(stated).map(({ name }) => name));
  const left = inForce(before).filter(({ name }) => !names.has(name));
  if (left.length === 0) return stated;
  const used = new Set(
    (await states()).flatMap(({ definition, pending }) => [definition, pending?.definition ?? definition].map(projectOf)),
  );
  const kept = left.filter(({ name }) => used.has(name));
  if (kept.length === 0) return stated;
  return [...inForce(stated), ...kept.map((project) => ({ ...project, sourceRepos: [], applicationFiles: [] }))];
}

function inForce(projects: readonly Project[]): readonly Project[] {
  return projects.length === 0 ? [openProject] : projects;
}
