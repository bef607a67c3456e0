import type { ApplicationSource, ClusterCapabilities, RenderInputs } from "../model/application-source.ts";
import type { CallOptions } from "../model/call.ts";
import type { Manifest } from "../model/resource.ts";
import type { SourceTree } from "../model/tree.ts";

export interface RenderRequest {
  /** Name of the application: a chart's release, unless the source names another. */
  readonly application: string;
  /** Whose keys open files that are encrypted with SOPS; absent for somebody with keys of his own. */
  readonly project?: string;
  /** Namespace that charts are rendered for; "" is `default`. */
  readonly namespace: string;
  readonly sources: readonly RenderSource[];
  /** Asked by each chart that does not state the version of Kubernetes; one answer for all. Absent: Helm's own defaults. */
  readonly capabilities?: () => Promise<ClusterCapabilities>;
  /** True keeps the hooks of charts that only `helm test` would run, and that are never applied. Default false. */
  readonly testHooks?: boolean;
  /** Beginnings of the URLs from which Kustomize may take remote bases, pinned to a commit. */
  readonly remoteBases: readonly string[];
  /** Why something may not be read, asked before it is; then the render throws that as `refused`. Absent: all may be. */
  readonly refusalOf?: RefusalOfRead;
}

/** Without a path the whole repository, as a remote base. */
export type RefusalOfRead = (read: { readonly repository: string; readonly path?: string }) => string | undefined;

export interface RenderSource {
  readonly source: ApplicationSource;
  /** The commit of a source of Git; absent for a chart of a chart repository. */
  readonly tree?: SourceTree;
}

export type RendererKind = "directory" | "kustomize" | "helm";

/** What a render gave, and everything it read to give it. */
export interface Rendered {
  /** The renderers that the folders' contents chose, one for each source that is rendered. */
  readonly renderers: readonly RendererKind[];
  readonly objects: readonly Manifest[];
  readonly inputs: RenderInputs;
  readonly warnings: readonly string[];
}

/** Turns sources into objects, exactly as Kubernetes reads them. */
export interface Renderer {
  /** Throws `render` with the file, the line where known, and what to do. */
  render(request: RenderRequest, options?: CallOptions): Promise<Rendered>;
  /** Ends the helper, if one runs. */
  close(): Promise<void>;
}
