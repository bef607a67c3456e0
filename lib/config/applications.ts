import type { Application } from "../model/application.ts";
import { defaultProject, type Project } from "../model/project.ts";
import { roleOf } from "../projects/identity.ts";
import { destinationRefusal, sourceRefusals } from "../projects/limits.ts";
import { checkSources, sourcesOf } from "./application-sources.ts";
import type { Candidate, WrittenApplication } from "./candidates.ts";
import { longestList } from "./document.ts";
import { checkIgnored } from "./ignored-differences.ts";
import { checkSuspension, checkSync, checkWindows, suspensionOf, syncPolicyOf, windowsOf } from "./policies.ts";
import { nearestWord } from "./suggest.ts";
import { quote } from "./wording.ts";

export interface CandidatesCheck {
  /** Names; undefined where they are not all known. */
  readonly clusters: ReadonlySet<string> | undefined;
  /** As clusters. An application has to name one of these where there are any. */
  readonly projects: ReadonlySet<string> | undefined;
  /** Of an application file. */
  readonly onlyProject: string | undefined;
  /** Names of applications of other files. */
  readonly taken: ReadonlySet<string>;
  /** True once there are more findings than will be shown: a search for a near name costs as many steps as there are names. */
  readonly isEnough: () => boolean;
}

/** What no schema says: names that meet, references that lead nowhere, values that contradict the product. */
export function checkCandidates(candidates: readonly Candidate[], check: CandidatesCheck): void {
  reportDuplicates(candidates, check.taken);
  for (const candidate of candidates) {
    const { written, path, isGiven, add } = candidate;
    checkCluster(candidate, check);
    checkProject(candidate, check);
    checkSources(written, { path, isGiven, add });
    checkSync(written.sync, `${path}.sync`, add);
    checkWindows(written.syncWindows, `${path}.syncWindows`, { add, isEnough: check.isEnough });
    checkSuspension(written.suspend, `${path}.suspend`, add);
    checkIgnored(written.ignoreDifferences, `${path}.ignoreDifferences`, add);
  }
}

function reportDuplicates(candidates: readonly Candidate[], taken: ReadonlySet<string>): void {
  const first = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const { name } = candidate.written;
    if (name === undefined) continue;
    if (taken.has(name))
      candidate.add(`${candidate.path}.name`, `${quote(name)} is an application of another file already: names are unique`);
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, candidate);
    else candidate.add(`${candidate.path}.name`, `${quote(name)} is the name of ${placeOf(earlier)} already: names are unique`);
  }
}

function placeOf({ path, origin }: Candidate): string {
  return origin === "" ? path : `${path} for ${origin}`;
}

function checkCluster({ written: { cluster }, path, add }: Candidate, { clusters, isEnough }: CandidatesCheck): void {
  if (cluster === undefined || clusters === undefined || clusters.has(cluster)) return;
  const advice = isEnough() ? "" : `: ${nameAdvice(cluster, [...clusters], '"clusters"')}`;
  add(`${path}.cluster`, `there is no cluster ${quote(cluster)}${advice}`);
}

function checkProject(candidate: Candidate, { projects, onlyProject, isEnough }: CandidatesCheck): void {
  const { written, path, isGiven, add } = candidate;
  const { project } = written;
  if (project === undefined) {
    if (onlyProject === undefined && projects !== undefined && projects.size > 0 && !isGiven(`${path}.project`))
      add(path, `needs the key "project": since there are projects, every application names one of ${shown([...projects])}`);
  } else if (onlyProject !== undefined) {
    if (project !== onlyProject)
      add(`${path}.project`, `this file belongs to project ${onlyProject}: take ${quote(project)} out`);
  } else if (projects?.size === 0) {
    if (project !== defaultProject)
      add(`${path}.project`, `there is no project ${quote(project)}: add it to "projects", or take it out`);
  } else if (projects !== undefined && !projects.has(project)) {
    const advice = isEnough() ? "" : `: ${nameAdvice(project, [...projects], '"projects"')}`;
    add(`${path}.project`, `there is no project ${quote(project)}${advice}`);
  }
}

function nameAdvice(name: string, names: readonly string[], list: string): string {
  const near = nearestWord(name, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  return names.length === 0 ? `add it to ${list}` : `add it to ${list}, or name one of ${shown(names)}`;
}

function shown(names: readonly string[]): string {
  return `${names.slice(0, 10).join(", ")}${names.length > 10 ? ", ..." : ""}`;
}

/** What a project does not allow, each at its place. */
export function checkLimits(
  { path, isGiven, add }: Candidate,
  project: Project,
  { sources, cluster, namespace }: Application,
): void {
  for (const [index, source] of sources.entries()) {
    const at = isGiven(`${path}.sources`) ? `${path}.sources[${index}]` : path;
    if (source.kind === "chart") {
      for (const refusal of sourceRefusals(project, { repository: source.chart.repository }))
        add(`${at}.chart.repository`, refusal);
      continue;
    }
    const ofRepository = sourceRefusals(project, { repository: source.repository });
    for (const refusal of ofRepository) add(`${at}.repository`, refusal);
    if (ofRepository.length === 0) for (const refusal of sourceRefusals(project, source)) add(`${at}.path`, refusal);
  }
  const ofCluster = destinationRefusal(project, { cluster, namespace: "" });
  const ofNamespace = destinationRefusal(project, { cluster, namespace });
  if (ofCluster !== undefined) add(`${path}.cluster`, ofCluster);
  else if (ofNamespace !== undefined) add(`${path}.namespace`, ofNamespace);
  else if (project.identity === "role" && roleOf(project, cluster) === undefined)
    add(`${path}.cluster`, `project ${project.name} has no role for the cluster ${cluster}: add it to its roles`);
}

/** `windows` are those of the project, or of the document where there are no projects. */
export function applicationOf(
  written: WrittenApplication,
  {
    repository,
    project,
    windows,
  }: { readonly repository: string; readonly project: string; readonly windows: Application["syncWindows"] },
): Application {
  const { name, cluster, namespace = "", sync, drift, additions, ignoreDifferences, dependsOn, rollback, suspend } = written;
  return {
    name,
    project,
    sources: sourcesOf(written, repository),
    cluster,
    namespace,
    sync: syncPolicyOf(sync),
    drift,
    additions,
    ignoreDifferences,
    dependsOn,
    rollback,
    syncWindows: [...windows, ...windowsOf(written.syncWindows)],
    ...(suspend === undefined ? {} : { suspend: suspensionOf(suspend) }),
  };
}

/** True once there are more findings than will be shown. */
export function enoughOf(findings: readonly unknown[]): () => boolean {
  return () => findings.length >= longestList;
}
