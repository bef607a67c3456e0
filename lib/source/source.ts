import type { CallOptions } from "../model/call.ts";
import type { SourceTree } from "../model/tree.ts";

/** A Git repository: the head of a ref, trees and blobs by id. */
export interface Source {
  /** Commit id at the head of a branch; undefined when the branch does not exist. */
  head(branch: string, options?: CallOptions): Promise<string | undefined>;
  /** Opens one commit. Throws `source` when the repository has no such commit. */
  open(commit: string, options?: CallOptions): Promise<SourceTree>;
}

/** Opens the source of a repository URL or local path. */
export interface Sources {
  source(repository: string): Source;
}
