import type { Application } from "../../model/application.ts";
import type { ClusterCapabilities } from "../../model/application-source.ts";
import type { CallOptions } from "../../model/call.ts";
import { canonicalJson, type JsonValue } from "../../model/json.ts";
import { defaultProject } from "../../model/project.ts";
import { branchKey } from "../../plan/affected.ts";
import type { RefusalOfRead, Renderer, RenderSource } from "../../render/renderer.ts";
import type { StoredRender, Stores } from "../../store/store.ts";
import { projectOf } from "../projects.ts";
import { changedInput, inputsAt } from "./opened-source.ts";

export interface RenderOnceDeps {
  readonly stores: Pick<Stores, "renders" | "snapshots" | "digest">;
  readonly renderer: Renderer;
}

export interface RenderOnceRequest {
  readonly application: Application;
  readonly sources: readonly RenderSource[];
  readonly remoteBases: readonly string[];
  /** Why the application's project does not let something be read; see `RenderRequest`. */
  readonly refusalOf: RefusalOfRead | undefined;
  /** What charts are told of the cluster; asked for at most once. */
  readonly capabilities: () => Promise<ClusterCapabilities>;
}

/** A stored render: its objects are in the snapshot. */
export interface RenderedOnce extends StoredRender {
  /** True when an earlier render of the same inputs, or one of another asker under way, served. */
  readonly reused: boolean;
}

/**
 * Renders what was not rendered before: the same sources with the same inputs are one render and one snapshot, whichever
 * application, branch or push asks, and two that ask at once share it.
 */
export function createRenderOnce(
  deps: RenderOnceDeps,
): (request: RenderOnceRequest, options?: CallOptions) => Promise<RenderedOnce> {
  const { stores, renderer } = deps;
  const underWay = new Map<string, Promise<RenderedOnce | undefined>>();

  return async (request, options = {}) => {
    const key = stores.digest(renderText(request));
    const commits = request.sources.map(({ tree }) => tree?.commit ?? "");
    const asked = [key, ...commits].join(" ");
    const running = underWay.get(asked);
    // Nothing may be awaited between this look and the entry below, or two that ask at once both find nothing.
    const shared = running === undefined ? undefined : await running;
    if (shared !== undefined && servesFor(shared, request)) return { ...shared, reused: true };
    const work = findOrRender(key, request, options);
    // A failure is its asker's own: the next one tries for itself.
    const outcome = work.catch(() => undefined);
    underWay.set(asked, outcome);
    try {
      return await work;
    } finally {
      if (underWay.get(asked) === outcome) underWay.delete(asked);
    }
  };

  async function findOrRender(key: string, request: RenderOnceRequest, options: CallOptions): Promise<RenderedOnce> {
    const known = await stores.renders.load(key, options);
    for (const stored of known) {
      if (!servesFor(stored, request) || (await changedInput(stored.inputs, request, options)) !== undefined) continue;
      return { ...stored, inputs: inputsAt(stored.inputs, request.sources), reused: true };
    }
    const { application, sources, remoteBases, capabilities, refusalOf } = request;
    const { name, namespace } = application;
    const limits = refusalOf === undefined ? {} : { refusalOf };
    const rendered = await renderer.render(
      { application: name, project: projectOf(application), namespace, sources, remoteBases, capabilities, ...limits },
      options,
    );
    const { objects, inputs, warnings, renderers } = rendered;
    const release = renderers.includes("helm") ? releaseOf(request) : "";
    const snapshot = await stores.snapshots.save(objects, options);
    const stored: StoredRender = { snapshot, inputs, warnings, release, objects: objects.length };
    await stores.renders.save(key, [stored, ...known], options);
    return { ...stored, reused: false };
  }
}

/** Only charts are told names: a folder rendered for two applications is one render. */
function servesFor({ release }: StoredRender, request: RenderOnceRequest): boolean {
  return release === "" || release === releaseOf(request);
}

function releaseOf({ application: { name, namespace, cluster } }: RenderOnceRequest): string {
  return `${cluster}/${namespace}/${name}`;
}

/** What decides a render besides files and names: a project, too, since its keys may open what another's do not. */
function renderText({ application, remoteBases }: RenderOnceRequest): string {
  const project = projectOf(application);
  const sources = application.sources.map((source) =>
    source.kind === "git" ? { ...source, repository: branchKey(source.repository, source.targetRevision) } : source,
  );
  const owner = project === defaultProject ? {} : { project };
  return canonicalJson({ sources, remoteBases, ...owner } as unknown as JsonValue);
}
