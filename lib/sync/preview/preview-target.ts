import type { Clusters } from "../../cluster/cluster.ts";
import { DriftlessError, isDriftlessError } from "../../errors.ts";
import type { Application } from "../../model/application.ts";
import { type GitSource, gitSources } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Manifest } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { SourceTree } from "../../model/tree.ts";
import { branchKey } from "../../plan/affected.ts";
import { findProject } from "../../projects/find.ts";
import type { Renderer } from "../../render/renderer.ts";
import type { Sources } from "../../source/source.ts";
import type { Stores } from "../../store/store.ts";
import type { Log } from "../../telemetry/log.ts";
import { unknownApplication } from "../application-state.ts";
import { openCapabilities } from "../plan/capabilities.ts";
import { openSources } from "../plan/opened-source.ts";
import { refuseEmpty, refuseMove } from "../plan/plan-application.ts";
import { refusalOfReads, refuseApplication, refuseObjects, refuseRendered } from "../plan/project-rules.ts";
import { createRenderOnce } from "../plan/render-once.ts";
import { projectOf, projectsOf } from "../projects.ts";

export interface PreviewTargetDeps {
  readonly stores: Pick<Stores, "applications" | "configuration" | "snapshots" | "renders" | "capabilities" | "syncs" | "digest">;
  readonly clusters: Pick<Clusters, "reader">;
  readonly sources: Sources;
  readonly renderer: Renderer;
  readonly log: Log;
}

/** The state that a plan is made of. */
export interface PreviewTarget {
  readonly definition: Application;
  /** Undefined for an application that was never planned. */
  readonly state: ApplicationState | undefined;
  /** True when it left the configuration: nothing is desired. */
  readonly removed: boolean;
  readonly revision: string;
  readonly snapshot: string;
  readonly objects: readonly Manifest[];
  readonly warnings: readonly string[];
}

export interface PreviewRequest {
  readonly application: string;
  /** A commit, or a branch; without it the state that waits for leave, else the desired one. */
  readonly revision?: string;
}

/** Finds what a plan is made of. Throws `not-found` for what does not exist, and what a render throws. */
export function createPreviewTarget(
  deps: PreviewTargetDeps,
): (request: PreviewRequest, options: CallOptions) => Promise<PreviewTarget> {
  const { stores, clusters, sources } = deps;
  const renderOnce = createRenderOnce(deps);

  return async ({ application, revision }, options) => {
    const state = await stores.applications.get(application, options);
    return revision === undefined ? stored(application, state, options) : rendered(application, { state, revision }, options);
  };

  async function stored(application: string, state: ApplicationState | undefined, options: CallOptions): Promise<PreviewTarget> {
    if (state === undefined) throw unknownApplication(application);
    const next = state.pending ?? state.desired;
    if (next === undefined) {
      throw new DriftlessError(
        "not-found",
        `nothing was rendered of ${application} yet: ${state.planError || "it is about to be"}`,
      );
    }
    const { revision, snapshot } = next;
    const objects = snapshot === "" ? [] : await stores.snapshots.load(snapshot, options);
    const warnings = storedWarnings(state, snapshot);
    const definition = state.pending?.definition ?? state.definition;
    if (!state.removed) await refuseStored(definition, objects, options);
    return { definition, state, removed: state.removed, revision, snapshot, objects, warnings };
  }

  /** What a sync would be refused is told before the cluster is asked. */
  async function refuseStored(definition: Application, objects: readonly Manifest[], options: CallOptions): Promise<void> {
    const projects = projectsOf((await stores.configuration.load(options))?.configuration);
    const project = findProject({ projects }, projectOf(definition));
    refuseApplication(definition, project);
    refuseObjects(project, { application: definition, objects });
  }

  async function rendered(
    name: string,
    { state, revision: asked }: { readonly state: ApplicationState | undefined; readonly revision: string },
    options: CallOptions,
  ): Promise<PreviewTarget> {
    const configuration = (await stores.configuration.load(options))?.configuration;
    const application = configuration?.applications.find((candidate) => candidate.name === name);
    if (configuration === undefined || application === undefined) {
      throw new DriftlessError("not-found", `the configuration in force has no application ${name}`);
    }
    const project = findProject({ projects: projectsOf(configuration) }, projectOf(application));
    refuseApplication(application, project);
    refuseMove({ application, state });
    const [first, ...others] = gitSources(application.sources);
    if (first === undefined) throw new DriftlessError("config", noGit(name));
    const commit = await commitOf(first, { name, asked, state }, options);
    const opened = await openSources(application, (source) =>
      isSameBranch(source, first) ? openCommit(first, commit, options) : openHead(source, options),
    );
    const ask = openCapabilities({ ...deps, capabilities: capabilitiesOf }, options);
    const request = {
      application,
      sources: opened,
      remoteBases: configuration.remoteBases,
      refusalOf: refusalOfReads(project),
      capabilities: () => ask(application.cluster),
    };
    const render = await renderOnce(request, options);
    refuseEmpty(application, render);
    await refuseRendered(stores.snapshots, { application, project, rendered: render }, options);
    const objects = await stores.snapshots.load(render.snapshot, options);
    const warnings = [...render.warnings, ...otherHeads(others.filter((source) => !isSameBranch(source, first)))];
    return { definition: application, state, removed: false, revision: commit, snapshot: render.snapshot, objects, warnings };
  }

  async function capabilitiesOf(cluster: string, options: CallOptions) {
    return (await clusters.reader(cluster, options)).capabilities(options);
  }

  async function openHead({ repository, targetRevision }: GitSource, options: CallOptions): Promise<SourceTree> {
    const source = sources.source(repository);
    const head = await source.head(targetRevision, options);
    if (head === undefined) throw new DriftlessError("source", `branch ${targetRevision} of ${repository} does not exist`);
    return source.open(head, options);
  }

  async function openCommit({ repository }: GitSource, commit: string, options: CallOptions): Promise<SourceTree> {
    try {
      return await sources.source(repository).open(commit, options);
    } catch (error) {
      if (!isDriftlessError(error, "source") || error.facts["missing"] !== commit) throw error;
      throw new DriftlessError("not-found", `${repository} has no commit ${commit}`, { cause: error });
    }
  }

  /** A Git server resolves no abbreviation: those of commits that Driftless knows of the application are taken. */
  async function commitOf(
    { repository, targetRevision }: GitSource,
    { name, asked, state }: { readonly name: string; readonly asked: string; readonly state: ApplicationState | undefined },
    options: CallOptions,
  ): Promise<string> {
    if (fullId.test(asked)) return asked.toLowerCase();
    const source = sources.source(repository);
    const head = await source.head(asked, options);
    if (head !== undefined) return head;
    const known = shortId.test(asked)
      ? [
          ...(await stores.syncs.list(name, { ...options, limit: 200 })).items.map(({ revision }) => revision),
          ...[state?.desired, state?.pending, state?.rejected, state?.lastHealthy].map((at) => at?.revision ?? ""),
          state?.plannedRevision ?? "",
          (await source.head(targetRevision, options)) ?? "",
        ]
      : [];
    const [found, ...more] = new Set(known.filter((commit) => commit.startsWith(asked.toLowerCase())));
    if (found !== undefined && more.length === 0) return found;
    throw new DriftlessError("not-found", found === undefined ? unknownRevision(repository, asked) : ambiguous(asked));
  }
}

const fullId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
const shortId = /^[0-9a-f]{4,63}$/i;

function unknownRevision(repository: string, asked: string): string {
  return `${repository} has no branch ${asked}, and no commit that Driftless knows begins like that: give all digits of the commit id (a tag cannot be looked up)`;
}

function ambiguous(asked: string): string {
  return `more than one commit begins with ${asked}: give more digits`;
}

function noGit(name: string): string {
  return `application ${name} takes nothing from Git, so it has no commits to plan; a plan without a revision is of the charts that driftless.yaml names`;
}

function isSameBranch(one: GitSource, other: GitSource): boolean {
  return branchKey(one.repository, one.targetRevision) === branchKey(other.repository, other.targetRevision);
}

function otherHeads(sources: readonly GitSource[]): readonly string[] {
  const branches = new Set(sources.map(({ repository, targetRevision }) => `${repository} ${targetRevision}`));
  return [...branches].map((branch) => `${branch} is read at its head: the revision is of the first source`);
}

function storedWarnings({ planError, pending, rejected }: ApplicationState, snapshot: string): readonly string[] {
  return [
    ...(planError === "" ? [] : [`the newest commit could not be rendered, so this is of the one before: ${planError}`]),
    ...(pending === undefined ? [] : [`it waits: ${pending.reason}`]),
    ...(rejected?.snapshot === snapshot ? [`it was rolled back by ${rejected.by}: ${rejected.reason}`] : []),
  ];
}
