import type { Project } from "../../model/project.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { findProject } from "../../projects/find.ts";
import { projectOf } from "../projects.ts";

/** Applications of one cluster that are looked at as one identity. */
export interface IdentityGroup {
  /** Whose identity it is; "" for Driftless' own. */
  readonly project: string;
  readonly states: readonly ApplicationState[];
}

export interface IdentityGroups {
  readonly groups: readonly IdentityGroup[];
  /** Applications of projects that the configuration does not state, by project: nothing is done for them. */
  readonly unknown: ReadonlyMap<string, readonly ApplicationState[]>;
}

/** One group for all projects without an identity of their own, and one for each other project. */
export function groupByIdentity(states: readonly ApplicationState[], projects: readonly Project[]): IdentityGroups {
  const unknown = new Map<string, readonly ApplicationState[]>();
  const groups = new Map<string, readonly ApplicationState[]>();
  for (const [name, members] of Map.groupBy(states, ({ definition }) => projectOf(definition))) {
    const project = findProject({ projects }, name);
    if (project === undefined) {
      unknown.set(name, members);
      continue;
    }
    const identity = project.identity === "installation" ? "" : name;
    groups.set(identity, [...(groups.get(identity) ?? []), ...members]);
  }
  // A cluster without applications may have to be looked at for what prevents there.
  if (groups.size === 0 && unknown.size === 0) groups.set("", []);
  return { groups: [...groups].map(([project, members]) => ({ project, states: members })), unknown };
}

/** For the report and for rows. */
export function unknownProject(project: string): string {
  return `the configuration has no project ${project}: nothing is done for its applications`;
}
