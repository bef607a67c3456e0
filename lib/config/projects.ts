import type { Project } from "../model/project.ts";
import { matchesPattern } from "../projects/glob.ts";
import type { Partially, ValueOf } from "./json-schema.ts";
import { checkWindows, windowsOf } from "./policies.ts";
import type { project } from "./project-schema.ts";
import { nearestWord } from "./suggest.ts";
import { quote } from "./wording.ts";

type WrittenProject = ValueOf<typeof project>;

export interface ProjectsCheck {
  /** Names of all clusters; undefined where they are not all known. */
  readonly clusters: ReadonlySet<string> | undefined;
  readonly isGiven: (path: string) => boolean;
  readonly add: (path: string, message: string) => void;
  readonly isEnough: () => boolean;
}

/** What the schema cannot say of projects: patterns that no cluster has, roles that nobody assumes, files that stand twice. */
export function checkProjects(projects: readonly (Partially<WrittenProject> | undefined)[], check: ProjectsCheck): void {
  const { add } = check;
  const files = new Map<string, string>();
  for (const [index, written] of projects.entries()) {
    const path = `projects[${index}]`;
    if (written === undefined) continue;
    checkClusters(written.destinations, `${path}.destinations`, check);
    checkClusters(written.roles, `${path}.roles`, check);
    checkRoles(written, path, check);
    checkWindows(written.syncWindows, `${path}.syncWindows`, check);
    for (const [place, file] of (written.applicationFiles ?? []).entries()) {
      const key = JSON.stringify([file?.repository, file?.targetRevision, file?.path]);
      const at = `${path}.applicationFiles[${place}]`;
      const earlier = files.get(key);
      if (earlier === undefined) files.set(key, at);
      else add(at, `is the file of ${earlier} already: a file belongs to one project`);
    }
  }
}

function checkRoles(written: Partially<WrittenProject>, path: string, { isGiven, add }: ProjectsCheck): void {
  const { identity, roles = [] } = written;
  if (identity === undefined) return;
  if (identity === "role" && roles.length === 0)
    add(
      isGiven(`${path}.roles`) ? `${path}.roles` : `${path}.identity`,
      'identity role needs "roles": the role for each cluster',
    );
  if (identity !== "role" && roles.length > 0)
    add(`${path}.roles`, `are assumed with "identity: role" only, and identity is ${identity}: change it, or take the roles out`);
}

function checkClusters(
  entries: readonly ({ readonly cluster?: string | undefined } | undefined)[] | undefined,
  path: string,
  { clusters, add, isEnough }: ProjectsCheck,
): void {
  if (clusters === undefined) return;
  const names = [...clusters];
  for (const [index, entry] of (entries ?? []).entries()) {
    const pattern = entry?.cluster;
    if (pattern === undefined || pattern === "*" || names.some((name) => matchesPattern(pattern, name))) continue;
    const near = isEnough() ? undefined : nearestWord(pattern, names);
    const advice =
      near === undefined ? 'write the name of an entry of "clusters", or a pattern of names' : `did you mean "${near}"?`;
    add(`${path}[${index}].cluster`, `there is no cluster ${quote(pattern)}: ${advice}`);
  }
}

/** `common` is the document, whose windows count for every project. */
export function projectOf(written: WrittenProject, common: { readonly syncWindows: WrittenProject["syncWindows"] }): Project {
  const { paths = ["**"], namespaceResourceWhitelist = [{ group: "*", kind: "*", name: "*" }], roles, ...rest } = written;
  return {
    ...rest,
    paths,
    namespaceResourceWhitelist,
    roles: roles.map(({ externalId = "", ...role }) => ({ ...role, externalId })),
    syncWindows: windowsOf([...common.syncWindows, ...written.syncWindows]),
  };
}
