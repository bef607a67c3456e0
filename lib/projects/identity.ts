import type { Project, ProjectRole } from "../model/project.ts";
import { matchesPattern } from "./glob.ts";

/** The user of Kubernetes as whom applications of a project that impersonates come; rights are given to the user or the group. */
export interface ProjectUser {
  readonly username: string;
  readonly groups: readonly string[];
}

/** `driftless:PROJECT`, in the group `driftless:project:PROJECT`; the API server adds `system:authenticated`. */
export function projectUser(project: string): ProjectUser {
  return { username: `driftless:${project}`, groups: [`driftless:project:${project}`] };
}

/** The role that opens a cluster for a project; undefined when none of its roles does. The first that fits is taken. */
export function roleOf({ roles }: Pick<Project, "roles">, cluster: string): ProjectRole | undefined {
  return roles.find((role) => matchesPattern(role.cluster, cluster));
}
