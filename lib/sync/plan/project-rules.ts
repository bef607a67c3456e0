import { DriftlessError } from "../../errors.ts";
import type { Application, Configuration } from "../../model/application.ts";
import type { RenderInputs } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import { canonicalJson, type JsonObject } from "../../model/json.ts";
import type { Project } from "../../model/project.ts";
import { type Manifest, type ResourceRef, refOf } from "../../model/resource.ts";
import { scopeOf, scopesOfDefinitions } from "../../plan/scopes.ts";
import { findProject, openProject } from "../../projects/find.ts";
import { applicationRefusals, objectRefusal, sourceRefusals } from "../../projects/limits.ts";
import type { RefusalOfRead } from "../../render/renderer.ts";
import type { SnapshotStore } from "../../store/store.ts";
import { ownNamespace } from "../batch/desired-steps.ts";
import { projectOf, projectsOf } from "../projects.ts";
import type { RenderedOnce } from "./render-once.ts";

const mostRefusals = 20;

/** Throws `refused`, before anything is fetched, for an application that its project does not allow as it is stated. */
export function refuseApplication(application: Application, project: Project | undefined): asserts project is Project {
  if (project === undefined) {
    const name = projectOf(application);
    throw refusal([`the configuration states no project ${name}: add it to "projects" of the platform's driftless.yaml`]);
  }
  const refusals = applicationRefusals(project, application);
  const isClosed = refusals.length > 0 && project.sourceRepos.length === 0;
  const note = `project ${project.name} allows no repository at all: its sourceRepos are empty, or it left the platform's driftless.yaml`;
  if (refusals.length > 0) throw refusal(isClosed ? [note, ...refusals] : refusals);
}

/** The applications that their projects allow as they are stated: of the others nothing is fetched, so nobody looks at their branches. */
export function allowedAsStated({ applications, projects: stated }: Configuration): readonly Application[] {
  const projects = projectsOf({ projects: stated });
  if (projects.length === 0) return applications;
  const known = new Map(projects.map((project) => [project.name, project]));
  return applications.filter((application) => {
    const project = known.get(projectOf(application));
    return project !== undefined && applicationRefusals(project, application).length === 0;
  });
}

/** Throws `refused` for a render that read, or gave, what its project does not allow. */
export async function refuseRendered(
  snapshots: Pick<SnapshotStore, "load">,
  {
    application,
    project,
    rendered,
  }: {
    readonly application: Application;
    readonly project: Project;
    readonly rendered: Pick<RenderedOnce, "inputs" | "snapshot">;
  },
  options: CallOptions,
): Promise<void> {
  if (isOpen(project)) return;
  const ofInputs = inputRefusals(project, { application, inputs: rendered.inputs });
  if (ofInputs.length > 0) throw refusal(ofInputs);
  refuseObjects(project, { application, objects: await snapshots.load(rendered.snapshot, options) });
}

/** Throws `refused` for objects that the project does not allow. */
export function refuseObjects(
  project: Project,
  { application, objects }: { readonly application: Application; readonly objects: readonly Manifest[] },
): void {
  if (isOpen(project)) return;
  const declared = scopesOfDefinitions(objects);
  const refusalOf = (object: Manifest): string | undefined => {
    const ref = refOf(object);
    const namespaced = scopeOf(ref) ?? declared.get(`${ref.group}/${ref.kind}`);
    return objectRefusal(project, { cluster: application.cluster, ref: placed(ref, { application, namespaced }), namespaced });
  };
  const own = ownNamespace({ target: application, removed: false }, objects);
  const refusals = [
    ...own.flatMap((namespace) => {
      const line = refusalOf(namespace);
      return line === undefined ? [] : [`${line}; \`createNamespace: true\` needs ${namespaceEntry} there`];
    }),
    ...objects.flatMap((object) => refusalOf(object) ?? []),
  ];
  if (refusals.length > 0) throw refusal(refusals);
}

/** As it stands in `clusterResourceWhitelist`. */
const namespaceEntry = '{ group: "", kind: Namespace }';

/** Where it would be, as far as that is known without the cluster. */
function placed(
  ref: ResourceRef,
  { application, namespaced }: { readonly application: Application; readonly namespaced: boolean | undefined },
): ResourceRef {
  if (namespaced === false) return { ...ref, namespace: "" };
  return ref.namespace === "" ? { ...ref, namespace: application.namespace } : ref;
}

/**
 * What a render may not read, told before it is read: what is wrong with a file can be told by its text, which an error would
 * show to whoever made another team's file part of a render. Undefined where all may be read.
 */
export function refusalOfReads(project: Project | undefined): RefusalOfRead | undefined {
  if (project === undefined || isOpen(project)) return undefined;
  return ({ repository, path }) => {
    const [line] = path === undefined ? sourceRefusals(project, { repository }) : pathRefusals(project, { repository, path });
    return line && readRefusal(line);
  };
}

function readRefusal(line: string): string {
  return `its render reads what it may not: ${line}`;
}

/** What lies below a folder that the project allows is allowed as well. */
function inputRefusals(
  project: Project,
  { application, inputs }: { readonly application: Application; readonly inputs: RenderInputs },
): readonly string[] {
  const ofGit = inputs.repositories.flatMap(({ repository, paths }) =>
    Object.entries(paths).flatMap(([path, id]) => (id === "" ? [] : pathRefusals(project, { repository, path }))),
  );
  const charts = new Set(
    application.sources.flatMap((source) => (source.kind === "chart" ? [`${source.chart.repository}/${source.chart.name}`] : [])),
  );
  const ofRemote = inputs.pinned.flatMap((pinned) => {
    // A chart is `REPOSITORY/NAME VERSION DIGEST`, and stands in the definition; a remote base is `REPOSITORY@COMMIT`.
    if (charts.has(pinned.split(" ")[0] ?? "")) return [];
    return sourceRefusals(project, { repository: pinned.replace(/@[0-9a-f]+$/, "") });
  });
  return [...ofGit, ...ofRemote].map(readRefusal);
}

function pathRefusals(
  project: Project,
  { repository, path }: { readonly repository: string; readonly path: string },
): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "");
  const around = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  if (around.some((folder) => sourceRefusals(project, { repository, path: folder }).length === 0)) return [];
  return sourceRefusals(project, { repository, path: parts.join("/") });
}

/** Names what a project allows, by name of the application's project; "" where no projects are stated. */
export function projectDigests(
  configuration: Configuration,
  digest: (text: string) => string,
): (application: Application) => string {
  const projects = projectsOf(configuration);
  const known = new Map<string, string>();
  return (application) => {
    const name = projectOf(application);
    const found = known.get(name) ?? digestOfProject(findProject({ projects }, name), digest);
    known.set(name, found);
    return found;
  };
}

/** Equal for equal limits, and for the same identity; "" where no projects are stated. */
export function digestOfProject(project: Project | undefined, digest: (text: string) => string): string {
  if (project === undefined) return "none";
  if (isOpen(project)) return "";
  const { description: _, syncWindows: _1, applicationFiles: _2, ...limits } = project;
  return digest(canonicalJson(limits as unknown as JsonObject));
}

/** True for the project that counts where none is stated. */
function isOpen(project: Project): boolean {
  return project === openProject || canonicalJson(project as unknown as JsonObject) === openText;
}

const openText = canonicalJson(openProject as unknown as JsonObject);

function refusal(lines: readonly string[]): DriftlessError {
  const all = [...new Set(lines)];
  const shown = all.slice(0, mostRefusals);
  if (all.length > mostRefusals) shown.push(`and ${all.length - mostRefusals} more`);
  return new DriftlessError("refused", shown.join("\n"));
}
