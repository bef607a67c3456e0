import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceTree, TreeEntry } from "../../lib/model/tree.ts";

/** Path to content; a link is written `{ link: target }`, a submodule `{ submodule: commit }`. */
export type TreeFiles = {
  readonly [path: string]: string | Uint8Array | { readonly link: string } | { readonly submodule: string };
};

/** A tree in memory that counts what is asked of it. */
export interface MemoryTree extends SourceTree {
  /** Object ids of all blobs that were read. */
  readonly blobsRead: ReadonlySet<string>;
  oid(path: string): string;
}

interface Folder {
  readonly children: Map<string, Folder | Leaf>;
}
type Leaf = { readonly type: "file" | "symlink" | "submodule"; readonly oid: string };

const modes = { file: "100644", symlink: "120000", submodule: "160000", directory: "40000" };

/** A commit with these files, under the object ids that Git gives them. */
export function memoryTree(files: TreeFiles): MemoryTree {
  const blobs = new Map<string, Uint8Array>();
  const trees = new Map<string, readonly TreeEntry[]>();
  const top: Folder = { children: new Map() };
  for (const [path, content] of Object.entries(files)) insert(top, path.split("/"), leafOf(content, blobs));
  const rootOid = hashFolder(top, trees);
  const blobsRead = new Set<string>();

  const at = (path: string): TreeEntry | undefined => {
    let entry: TreeEntry | undefined = { name: "", oid: rootOid, type: "directory" };
    for (const name of path === "" ? [] : path.split("/")) {
      const above: TreeEntry | undefined = entry;
      entry = above?.type === "directory" ? trees.get(above.oid)?.find((child) => child.name === name) : undefined;
    }
    return entry;
  };

  return {
    commit: rootOid,
    blobsRead,
    oid: (path) => at(path)?.oid ?? "",
    lookup: async (path) => at(path),
    list: async (oid) => trees.get(oid) ?? [],
    read: async (oids) => {
      for (const oid of oids) blobsRead.add(oid);
      return new Map(oids.map((oid) => [oid, blobs.get(oid)!]));
    },
  };
}

/** All regular files below a folder on disk. */
export function filesBelow(folder: string): TreeFiles {
  const files: { [path: string]: Uint8Array } = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const full = join(entry.parentPath, entry.name);
    files[full.slice(folder.length + 1)] = readFileSync(full);
  }
  return files;
}

function leafOf(content: TreeFiles[string], blobs: Map<string, Uint8Array>): Leaf {
  if (typeof content === "object" && "submodule" in content) return { type: "submodule", oid: content.submodule };
  const link = typeof content === "object" && "link" in content;
  const text = link ? content.link : content;
  const body = typeof text === "string" ? Buffer.from(text) : text;
  const oid = gitHash("blob", body);
  blobs.set(oid, body);
  return { type: link ? "symlink" : "file", oid };
}

function insert(folder: Folder, [name = "", ...rest]: readonly string[], leaf: Leaf): void {
  if (rest.length === 0) {
    folder.children.set(name, leaf);
    return;
  }
  const known = folder.children.get(name);
  const child: Folder = known !== undefined && "children" in known ? known : { children: new Map() };
  folder.children.set(name, child);
  insert(child, rest, leaf);
}

function hashFolder(folder: Folder, trees: Map<string, readonly TreeEntry[]>): string {
  const entries: TreeEntry[] = [...folder.children].map(([name, child]) =>
    "children" in child ? { name, type: "directory", oid: hashFolder(child, trees) } : { name, type: child.type, oid: child.oid },
  );
  const sortName = (entry: TreeEntry): Buffer => Buffer.from(entry.type === "directory" ? `${entry.name}/` : entry.name);
  entries.sort((a, b) => Buffer.compare(sortName(a), sortName(b)));
  const body = entries.map(({ name, type, oid }) =>
    Buffer.concat([Buffer.from(`${modes[type]} ${name}\0`), Buffer.from(oid, "hex")]),
  );
  const oid = gitHash("tree", Buffer.concat(body));
  trees.set(oid, entries);
  return oid;
}

function gitHash(kind: "blob" | "tree", body: Uint8Array): string {
  return createHash("sha1").update(`${kind} ${body.byteLength}\0`).update(body).digest("hex");
}
