import type { CallOptions } from "./call.ts";

/** One entry of a Git tree. Modes are Git's: a file, an executable, a symbolic link, a folder, a submodule. */
export interface TreeEntry {
  readonly name: string;
  /** Object id, 40 (SHA-1) or 64 (SHA-256) hex digits. */
  readonly oid: string;
  readonly type: "file" | "symlink" | "directory" | "submodule";
}

/** One commit of a repository, opened for reading. Paths are relative to the root, with `/`, no leading or trailing slash; "" is the root. */
export interface SourceTree {
  readonly commit: string;
  /** The entry at a path; undefined when there is none. The root is a directory named "". Never follows symbolic links. */
  lookup(path: string, options?: CallOptions): Promise<TreeEntry | undefined>;
  /** Entries of the folder with this object id, in Git's order. */
  list(oid: string, options?: CallOptions): Promise<readonly TreeEntry[]>;
  /** Bodies of blobs by object id, fetched together; throws `source` when one is missing. */
  read(oids: readonly string[], options?: CallOptions): Promise<ReadonlyMap<string, Uint8Array>>;
}
