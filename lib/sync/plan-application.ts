import { createHash } from "node:crypto";
import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import type { Application } from "../model/application.ts";
import type { ClusterCapabilities, GitSource, RenderInputs } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { ApplicationState, SyncRecord } from "../model/sync.ts";
import type { SourceTree } from "../model/tree.ts";
import { definitionText } from "../plan/affected.ts";
import type { Renderer } from "../render/renderer.ts";
import type { Stores } from "../store/store.ts";
import { type Clock, timestamp } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { changeState } from "./application-state.ts";
import { changedInput, type Heads, openSources, revisionOf } from "./opened-source.ts";
import { noCounts } from "./progress.ts";
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
  readonly correlationId: string;
}

/** `unchanged`: nothing that its render reads is different; `planned`: its desired state is new; `failed`: it stays as it was. */
export type PlanOutcome =
  | { readonly outcome: "unchanged" | "planned"; readonly application: string; readonly state: ApplicationState }
  | { readonly outcome: "failed"; readonly application: string; readonly error: string };

/** Decides by tree ids whether an application has to be rendered, renders it, and stores the new desired state. */
export function createPlanApplication(
  deps: PlanApplicationDeps,
): (request: PlanRequest, options?: CallOptions) => Promise<PlanOutcome> {
  const { stores, clock, log } = deps;
  const renderOnce = createRenderOnce(deps);

  return async (request, options = {}) => {
    const { application, state, remoteBases, correlationId } = request;
    let revision = "";
    try {
      const sources = await openSources(application, request.open);
      revision = revisionOf(sources);
      refuseMove(request);
      const definitionDigest = stores.digest(definitionText(application));
      const heads = { sources, capabilities: () => request.capabilities(application.cluster) };
      const reason = await reasonToRender({ state, heads, definitionDigest }, options);
      if (reason === undefined && state !== undefined) return { outcome: "unchanged", application: application.name, state };
      log.info("plan.render", { application: application.name, revision, reason, correlationId });
      const rendered = await renderOnce({ application, remoteBases, ...heads }, options);
      refuseEmpty(application, rendered);
      return await store(request, { rendered, revision, definitionDigest }, options);
    } catch (error) {
      if (!isDriftlessError(error, "source", "render", "config", "cluster", "not-found") || error.retryable) throw error;
      await recordFailure(request, { error: messageOf(error), revision }, options);
      return { outcome: "failed", application: application.name, error: messageOf(error) };
    }
  };

  async function store(
    { application, correlationId }: PlanRequest,
    {
      rendered,
      revision,
      definitionDigest,
    }: { readonly rendered: RenderedOnce; readonly revision: string; readonly definitionDigest: string },
    options: CallOptions,
  ): Promise<PlanOutcome> {
    const { snapshot } = rendered;
    let isNew = false;
    const written = await changeState(
      stores.applications,
      {
        application: application.name,
        change: (stored) => {
          isNew = stored?.desired?.snapshot !== snapshot || stored.definitionDigest !== definitionDigest || stored.removed;
          const generation = (stored?.desired?.generation ?? 0) + 1;
          const desired = isNew ? { generation, revision, snapshot, plannedAt: timestamp(clock) } : stored?.desired;
          return {
            ...(stored ?? {
              application: application.name,
              health: { status: "Unknown", message: "not synced yet" },
              drifted: 0,
              additions: 0,
            }),
            definition: application,
            removed: false,
            definitionDigest,
            inputs: rendered.inputs,
            planError: "",
            plannedRevision: revision,
            ...(desired ? { desired } : {}),
          };
        },
      },
      options,
    );
    for (const warning of rendered.warnings) log.warn("plan.warning", { application: application.name, warning, correlationId });
    log.info(isNew ? "plan.changed" : "plan.same", {
      application: application.name,
      revision,
      objects: rendered.objects,
      reused: rendered.reused,
      correlationId,
    });
    return { outcome: isNew ? "planned" : "unchanged", application: application.name, state: written as ApplicationState };
  }

  /** A failed plan leaves the desired state, the inventory and the cluster as they were, and says so in a row of its own. */
  async function recordFailure(
    { application, correlationId }: PlanRequest,
    { error, revision }: { readonly error: string; readonly revision: string },
    options: CallOptions,
  ): Promise<void> {
    const now = timestamp(clock);
    const failure = (state: ApplicationState | undefined): SyncRecord => ({
      id: createHash("sha256").update(`${application.name}/${revision}/${error}`).digest("hex").slice(0, 16),
      application: application.name,
      cluster: application.cluster,
      revision,
      generation: state?.desired?.generation ?? 0,
      snapshot: "",
      trigger: "push",
      correlationId,
      phase: "Failed",
      startedAt: now,
      finishedAt: now,
      health: state?.health ?? { status: "Unknown", message: "" },
      counts: noCounts,
      errors: [error],
      retryable: false,
    });
    let known = false;
    const state = await changeState(
      stores.applications,
      {
        application: application.name,
        change: (stored) => {
          known = stored?.planError === error && stored.plannedRevision === revision;
          if (known) return undefined;
          return {
            ...(stored ?? {
              application: application.name,
              health: failure(stored).health,
              inputs: nothingRead,
              definitionDigest: "",
              drifted: 0,
              additions: 0,
            }),
            // What was applied is where it was applied, whatever a refused definition says.
            definition: stored?.desired === undefined ? application : { ...application, cluster: stored.definition.cluster },
            removed: stored?.removed ?? false,
            planError: error,
            plannedRevision: revision,
          };
        },
      },
      options,
    );
    if (!known) await stores.syncs.put(failure(state), options);
    log.warn("plan.failed", { application: application.name, revision, error, correlationId });
  }
}

/** Why an application has to be rendered; undefined when nothing that its last render read has changed. */
async function reasonToRender(
  {
    state,
    heads,
    definitionDigest,
  }: { readonly state: ApplicationState | undefined; readonly heads: Heads; readonly definitionDigest: string },
  options: CallOptions,
): Promise<string | undefined> {
  if (state?.desired === undefined) return "never rendered";
  if (state.removed) return "back in the configuration";
  if (state.planError !== "") return "the last plan failed";
  if (state.definitionDigest !== definitionDigest) return "its definition changed";
  const changed = await changedInput(state.inputs, heads, options);
  return changed === undefined ? undefined : `${changed} changed`;
}

/** The inputs of an application that has not been rendered, or not since it was removed. */
export const nothingRead: RenderInputs = { repositories: [], pinned: [], cluster: "" };

/** Objects left behind in the old cluster would be orphans: the move has to go through a removal, which prunes them. */
function refuseMove({ application: { name, cluster }, state }: PlanRequest): void {
  const owner = state?.desired === undefined ? undefined : state.definition.cluster;
  if (owner === undefined || owner === cluster) return;
  const todo =
    state?.removed === true
      ? `it still keeps objects in cluster ${owner} (driftless status says which): delete them there, and push again after the next sweep`
      : "remove it from driftless.yaml first, so that its objects are pruned there, and add it again with the next push";
  throw new DriftlessError("config", `application ${name} moved from cluster ${owner} to ${cluster}: ${todo}`);
}

function refuseEmpty({ sources, sync }: Application, { objects }: RenderedOnce): void {
  if (objects > 0 || sync.allowEmpty) return;
  const [only] = sources;
  const path = only?.kind === "git" ? only.path : undefined;
  const what = sources.length > 1 || path === undefined ? "the application" : path === "" ? "the root folder" : path;
  throw new DriftlessError(
    "render",
    `${what} holds no objects; correct \`path\`, or set \`sync.allowEmpty: true\` if that is meant`,
  );
}
