import type { CallOptions } from "../model/call.ts";
import type { Manifest } from "../model/resource.ts";
import type { SourceTree } from "../model/tree.ts";

export interface RenderRequest {
  readonly tree: SourceTree;
  /** Folder to render. */
  readonly path: string;
}

/** What a render gave, and everything it read to give it. */
export interface Rendered {
  /** The renderer that the folder's content chose. */
  readonly renderer: "directory" | "kustomize";
  readonly objects: readonly Manifest[];
  /**
   * Every path that the render looked at, to the object id found there, or "" where nothing was: when none of
   * these changed, the render gives the same again. A listed folder stands with its tree id.
   */
  readonly inputs: { readonly [path: string]: string };
  readonly warnings: readonly string[];
}

/** Turns a folder of a commit into objects, exactly as Kubernetes reads them. */
export interface Renderer {
  /** Throws `render` with the file, the line where known, and what to do. */
  render(request: RenderRequest, options?: CallOptions): Promise<Rendered>;
  /** Ends the helper, if one runs. */
  close(): Promise<void>;
}
