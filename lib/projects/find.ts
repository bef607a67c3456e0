import type { Configuration } from "../model/application.ts";
import { defaultProject, type Project } from "../model/project.ts";

const all = [{ group: "*", kind: "*", name: "*" }];

/** What counts where the configuration states no projects. */
export const openProject: Project = {
  name: defaultProject,
  description: "",
  sourceRepos: ["*"],
  paths: ["**"],
  destinations: [{ cluster: "*", namespace: "*" }],
  clusterResourceWhitelist: all,
  namespaceResourceWhitelist: all,
  namespaceResourceBlacklist: [],
  identity: "installation",
  roles: [],
  syncWindows: [],
  applicationFiles: [],
};

/** A project of the configuration; undefined for one that it does not state, and then nothing is allowed. */
export function findProject({ projects }: Pick<Configuration, "projects">, name: string): Project | undefined {
  const stated = projects.find((project) => project.name === name);
  if (stated !== undefined || projects.length > 0) return stated;
  return name === defaultProject ? openProject : undefined;
}
