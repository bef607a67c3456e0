import { DriftlessError, isDriftlessError, messageOf } from "../../errors.ts";
import type { Application } from "../../model/application.ts";
import type { ClusterCapabilities, GitSource } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Project } from "../../model/project.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { SourceTree } from "../../model/tree.ts";
import { definitionText } from "../../plan/definition.ts";
import type { Renderer } from "../../render/renderer.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { changeState } from "../application-state.ts";
import { changedInput, type Heads, openSources, revisionOf } from "./opened-source.ts";
import { createPlanFailure } from "./plan-failure.ts";
import { afterLook, afterRender, type Planned, type Rendering } from "./planned-state.ts";
import { digestOfProject, refusalOfReads, refuseApplication, refuseRendered } from "./project-rules.ts";
import { createRenderOnce, type RenderedOnce } from "./render-once.ts";

export interface PlanApplicationDeps {
  readonly stores: Pick<Stores, "applications" | "renders" | "snapshots" | "syncs" | "digest">;
  readonly renderer: Renderer;
  readonly clock: Clock;
  readonly log: Log;
}

export interface PlanRequest {
  readonly application: Application;
  readonly state: ApplicationState | undefined;
  /** Opens the head of a source's branch, or throws why it cannot be read. */
  readonly open: (source: GitSource) => Promise<SourceTree>;
  /** What charts are told of a cluster; asked only when one wants to know. */
  readonly capabilities: (cluster: string) => Promise<ClusterCapabilities>;
  readonly remoteBases: readonly string[];
  /** Undefined where the configuration does not state it. */
  readonly project: Project | undefined;
  readonly correlationId: string;
}

/**
 * `unchanged`: nothing that its render reads is different; `planned`: its desired state is new; `held`: a state was rendered
 * that is not to be synced now; `failed`: it stays as it was.
 */
export type PlanOutcome =
  | { readonly outcome: "unchanged" | "planned"; readonly application: string; readonly state: ApplicationState }
  | { readonly outcome: "held"; readonly application: string; readonly state: ApplicationState; readonly reason: string }
  | { readonly outcome: "failed"; readonly application: string; readonly error: string };

/** Decides by tree ids whether an application has to be rendered, renders it, and stores the new desired state, or that it waits. */
export function createPlanApplication(
  deps: PlanApplicationDeps,
): (request: PlanRequest, options?: CallOptions) => Promise<PlanOutcome> {
  const { stores, clock, log } = deps;
  const renderOnce = createRenderOnce(deps);
  const recordFailure = createPlanFailure(deps);

  return async (request, options = {}) => {
    const { application, state, remoteBases, correlationId } = request;
    let revision = "";
    try {
      refuseApplication(application, request.project);
      const sources = await openSources(application, request.open);
      revision = revisionOf(sources);
      refuseMove(request);
      const definitionDigest = stores.digest(definitionText(application));
      const heads = { sources, capabilities: () => request.capabilities(application.cluster) };
      const projectDigest = digestOfProject(request.project, stores.digest);
      const reason = await reasonToRender({ state, heads, definitionDigest, projectDigest }, options);
      if (reason === undefined && state !== undefined) return await look(request, state, options);
      log.info("plan.render", { application: application.name, revision, reason, correlationId });
      const began = clock.now().getTime();
      const rendered = await renderOnce(
        { application, remoteBases, refusalOf: refusalOfReads(request.project), ...heads },
        options,
      );
      if (!rendered.reused) {
        const durationMs = clock.now().getTime() - began;
        log.info("plan.rendered", { application: application.name, objects: rendered.objects, durationMs, correlationId });
      }
      refuseEmpty(application, rendered);
      await refuseRendered(stores.snapshots, { application, project: request.project, rendered }, options);
      return await store(request, { rendered, revision, definitionDigest, projectDigest }, options);
    } catch (error) {
      if (!isDriftlessError(error, "source", "render", "config", "cluster", "refused", "not-found") || error.retryable)
        throw error;
      const refused = error.code === "refused";
      await recordFailure({ definition: application, error: messageOf(error), refused, revision, correlationId }, options);
      return { outcome: "failed", application: application.name, error: messageOf(error) };
    }
  };

  /** Nothing is rendered; policies may be others now, and what waited may go on by them. */
  async function look(
    { application, correlationId }: PlanRequest,
    known: ApplicationState,
    options: CallOptions,
  ): Promise<PlanOutcome> {
    const { name } = application;
    const change = (stored: ApplicationState | undefined) => stored && afterLook(stored, application, clock.now());
    const state = (await changeState(stores.applications, { application: name, known, change }, options)) ?? known;
    const { desired } = state;
    if (desired === undefined || desired.generation === known.desired?.generation)
      return { outcome: "unchanged", application: name, state };
    log.info("plan.released", { application: name, revision: desired.revision, correlationId });
    return { outcome: "planned", application: name, state };
  }

  async function store(
    { application: definition, state: known, correlationId }: PlanRequest,
    {
      rendered,
      ...digests
    }: { readonly rendered: RenderedOnce } & Pick<Rendering, "revision" | "definitionDigest" | "projectDigest">,
    options: CallOptions,
  ): Promise<PlanOutcome> {
    const { name: application } = definition;
    const { inputs, snapshot, warnings, objects, reused } = rendered;
    const { revision } = digests;
    const rendering: Rendering = { definition, inputs, snapshot, ...digests };
    let verdict = "same" as Planned["verdict"];
    const change = (stored: ApplicationState | undefined) => {
      const planned = afterRender(stored, rendering, clock.now());
      verdict = planned.verdict;
      return planned.state;
    };
    const state = (await changeState(
      stores.applications,
      { application, change, ...(known === undefined ? {} : { known }) },
      options,
    )) as ApplicationState;
    for (const warning of warnings) log.warn("plan.warning", { application, warning, correlationId });
    const told = { application, revision, objects, reused, correlationId };
    switch (verdict) {
      case "changed":
        log.info("plan.changed", told);
        return { outcome: "planned", application, state };
      case "same":
        log.info("plan.same", told);
        return { outcome: "unchanged", application, state };
      case "held": {
        const reason = state.pending?.reason ?? "";
        log.info("plan.held", { ...told, reason });
        return { outcome: "held", application, state, reason };
      }
      case "rejected": {
        const reason = rejectedText(state);
        log.info("plan.rejected", { ...told, reason });
        return { outcome: "held", application, state, reason };
      }
      default:
        return verdict satisfies never;
    }
  }
}

function rejectedText({ rejected }: ApplicationState): string {
  const { by = "", reason = "" } = rejected ?? {};
  return `it was rolled back by ${by}${reason === "" ? "" : ` (${reason})`}, and is not synced again`;
}

/** Why an application has to be rendered; undefined when nothing that its last render read has changed. */
async function reasonToRender(
  {
    state,
    heads,
    definitionDigest,
    projectDigest,
  }: { readonly state: ApplicationState | undefined; readonly heads: Heads } & Pick<
    Rendering,
    "definitionDigest" | "projectDigest"
  >,
  options: CallOptions,
): Promise<string | undefined> {
  if (state === undefined || (state.desired === undefined && state.pending === undefined)) return "never rendered";
  if (state.removed) return "back in the configuration";
  if (state.planError !== "") return "the last plan failed";
  if (state.definitionDigest !== definitionDigest) return "its definition changed";
  if ((state.projectDigest ?? "") !== projectDigest) return "its project changed";
  const changed = await changedInput(state.inputs, heads, options);
  return changed === undefined ? undefined : `${changed} changed`;
}

/** Throws `config` for a move between clusters: objects left behind in the old one would be orphans, so it goes through a removal, which prunes them. */
export function refuseMove({ application: { name, cluster }, state }: Pick<PlanRequest, "application" | "state">): void {
  const owner = state?.desired === undefined ? undefined : state.definition.cluster;
  if (owner === undefined || owner === cluster) return;
  const todo =
    state?.removed === true
      ? `it still keeps objects in cluster ${owner} (driftless status says which): delete them there, and push again after the next sweep`
      : "remove it from driftless.yaml first, so that its objects are pruned there, and add it again with the next push";
  throw new DriftlessError("config", `application ${name} moved from cluster ${owner} to ${cluster}: ${todo}`);
}

export function refuseEmpty({ sources, sync }: Application, { objects }: Pick<RenderedOnce, "objects">): void {
  if (objects > 0 || sync.allowEmpty) return;
  const [only] = sources;
  const path = only?.kind === "git" ? only.path : undefined;
  const what = sources.length > 1 || path === undefined ? "the application" : path === "" ? "the root folder" : path;
  throw new DriftlessError(
    "render",
    `${what} holds no objects; correct \`path\`, or set \`sync.allowEmpty: true\` if that is meant`,
  );
}
