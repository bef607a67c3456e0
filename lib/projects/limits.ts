import type { Application } from "../model/application.ts";
import type { AllowedKind, Project } from "../model/project.ts";
import { displayRef, type ResourceRef } from "../model/resource.ts";
import { matchesPath, matchesPattern } from "./glob.ts";
import { matchesRepository } from "./repositories.ts";

/** An object that is to be written, in a cluster. */
export interface ObjectAsked {
  readonly cluster: string;
  readonly ref: ResourceRef;
  /** Whether objects of the kind live in namespaces; undefined where that is not known yet, and then a refusal is certain. */
  readonly namespaced: boolean | undefined;
}

/** Why a project does not allow an application as it is stated, a line each; none when it does. Its objects are another question. */
export function applicationRefusals(project: Project, application: Application): readonly string[] {
  const { cluster, namespace, sources } = application;
  const refusals = sources.flatMap((source) => {
    if (source.kind === "git") return sourceRefusals(project, source);
    return sourceRefusals(project, { repository: source.chart.repository });
  });
  const destination = destinationRefusal(project, { cluster, namespace });
  return [...new Set([...refusals, ...(destination === undefined ? [] : [destination])])];
}

/** A path is given for what lies in Git. */
export function sourceRefusals(
  project: Project,
  { repository, path }: { readonly repository: string; readonly path?: string },
): readonly string[] {
  const isKnown = project.sourceRepos.some((pattern) => matchesRepository(pattern, repository));
  if (!isKnown) return [`project ${project.name} does not allow the repository ${repository}: add it to its sourceRepos`];
  if (path === undefined || project.paths.some((glob) => matchesPath(glob, path))) return [];
  return [`project ${project.name} does not allow the path ${path === "" ? "." : path}: add it to its paths`];
}

/** "" as namespace asks for the cluster alone. */
export function destinationRefusal(
  project: Project,
  { cluster, namespace }: { readonly cluster: string; readonly namespace: string },
): string | undefined {
  return placeRefusal(project, cluster, namespace === "" ? undefined : namespace);
}

/** Without a namespace it is the cluster alone. */
function placeRefusal({ name, destinations }: Project, cluster: string, namespace: string | undefined): string | undefined {
  const here = destinations.filter((destination) => matchesPattern(destination.cluster, cluster));
  if (here.length === 0) return `project ${name} does not allow the cluster ${cluster}: add it to its destinations`;
  if (namespace === undefined || here.some((destination) => matchesPattern(destination.namespace, namespace))) return undefined;
  const what = namespace === "" ? "objects without a namespace in" : `the namespace ${namespace} of`;
  return `project ${name} does not allow ${what} cluster ${cluster}: add it to its destinations`;
}

/** Why a project does not allow an object; undefined when it does. */
export function objectRefusal(project: Project, { cluster, ref, namespaced: told }: ObjectAsked): string | undefined {
  const isNamespace = ref.group === "" && ref.kind === "Namespace";
  const namespaced = isNamespace ? false : told;
  const destination = placeRefusal(project, cluster, isNamespace ? ref.name : namespaceOf(ref, namespaced));
  if (destination !== undefined) return `${displayRef(ref)}: ${destination}`;
  const inNamespace = namespaced === false ? false : allowsInNamespace(project, ref);
  const inCluster = namespaced === true ? false : project.clusterResourceWhitelist.some((allowed) => fits(allowed, ref));
  if (inNamespace || inCluster) return undefined;
  const lists = namespaced === false ? "clusterResourceWhitelist" : "namespaceResourceWhitelist and namespaceResourceBlacklist";
  return `${displayRef(ref)}: project ${project.name} does not allow ${kindText(ref)}: see its ${lists}`;
}

/** A Namespace counts as the place itself: whoever may write it decides over all in it. Undefined asks for the cluster alone. */
function namespaceOf({ namespace }: ResourceRef, namespaced: boolean | undefined): string | undefined {
  if (namespaced === false) return undefined;
  return namespaced === undefined && namespace === "" ? undefined : namespace;
}

function allowsInNamespace(project: Project, ref: ResourceRef): boolean {
  const isIn = (list: readonly AllowedKind[]): boolean => list.some((allowed) => fits(allowed, ref));
  return isIn(project.namespaceResourceWhitelist) && !isIn(project.namespaceResourceBlacklist);
}

function fits(allowed: AllowedKind, { group, kind, name }: ResourceRef): boolean {
  return matchesPattern(allowed.group, group) && matchesPattern(allowed.kind, kind) && matchesPattern(allowed.name, name);
}

function kindText({ group, kind }: ResourceRef): string {
  return group === "" ? kind : `${kind} of ${group}`;
}
