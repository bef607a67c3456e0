import type { Dirent } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree, TreeEntry } from "../model/tree.ts";
import { objectId, treeEntries } from "./objects.ts";

/** What stands at one place of the disk, with the mode that Git would give it. */
interface Scanned {
  readonly entry: TreeEntry;
  readonly mode: string;
}

export interface FolderOptions {
  /** Files and folders that one tree may have. Default 20,000. */
  readonly maxEntries?: number;
}

/**
 * A folder as it stands on disk, committed or not; `commit` is "". Object ids are those that `git add` would give, so a
 * folder is read whole once its id is asked for. As in Git, `.git` and empty folders are left out, and links are not followed.
 */
export function createFolderTree(folder: string, { maxEntries = 20_000 }: FolderOptions = {}): SourceTree {
  const top = resolve(folder);
  const listings = new Map<string, readonly TreeEntry[]>();
  const places = new Map<string, string>();
  let scannedEntries = 0;

  const scan = async (path: string, options: CallOptions): Promise<Scanned | undefined> => {
    options.signal?.throwIfAborted();
    scannedEntries += 1;
    if (scannedEntries > maxEntries) {
      throw new DriftlessError("source", `${folder} holds more than ${maxEntries} files: name a folder further down`);
    }
    const status = await lstat(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (status.isDirectory()) return scanFolder(path, name, options);
    if (!status.isFile() && !status.isSymbolicLink()) return undefined;
    const oid = objectId({ type: "blob", body: await bodyAt(path) });
    places.set(oid, path);
    if (status.isSymbolicLink()) return { entry: { name, oid, type: "symlink" }, mode: "120000" };
    return { entry: { name, oid, type: "file" }, mode: (status.mode & 0o100) === 0 ? "100644" : "100755" };
  };

  const scanFolder = async (path: string, name: string, options: CallOptions): Promise<Scanned | undefined> => {
    const found: Scanned[] = [];
    for (const child of await readdir(path, { withFileTypes: true })) {
      const scanned = isOutside(child) ? undefined : await scan(join(path, child.name), options);
      if (scanned !== undefined) found.push(scanned);
    }
    if (found.length === 0 && path !== top) return undefined;
    found.sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
    const body = Buffer.concat(
      found.map(({ entry, mode }) => Buffer.concat([Buffer.from(`${mode} ${entry.name}\0`), Buffer.from(entry.oid, "hex")])),
    );
    const oid = objectId({ type: "tree", body });
    listings.set(oid, [...treeEntries(oid, body).values()]);
    return { entry: { name, oid, type: "directory" }, mode: "40000" };
  };

  return {
    commit: "",
    async lookup(path, options = {}) {
      const place = await placeOf(top, path);
      scannedEntries = 0;
      const entry = place === undefined ? undefined : (await onDisk(place, () => scan(place, options)))?.entry;
      return path === "" && entry !== undefined ? { ...entry, name: "" } : entry;
    },
    async list(oid) {
      const entries = listings.get(oid);
      if (entries === undefined)
        throw new DriftlessError("source", `${folder} has no folder with the id ${oid}; look its path up first`);
      return entries;
    },
    async read(oids, { signal } = {}) {
      const bodies = new Map<string, Uint8Array>();
      for (const oid of oids) {
        signal?.throwIfAborted();
        const place = places.get(oid);
        if (place === undefined)
          throw new DriftlessError("source", `${folder} has no file with the id ${oid}; look its path up first`);
        const body = await onDisk(place, () => bodyAt(place));
        if (objectId({ type: "blob", body }) !== oid) {
          throw new DriftlessError("source", `${place} changed while it was read`, { retryable: true });
        }
        bodies.set(oid, body);
      }
      return bodies;
    },
  };
}

/** Where a path stands on disk; undefined when a part of it is missing, is a link or leads out. */
async function placeOf(top: string, path: string): Promise<string | undefined> {
  let place = top;
  for (const name of path === "" ? [] : path.split("/")) {
    if (["", ".", "..", ".git"].includes(name) || /[\\\0]/.test(name)) return undefined;
    const status = await onDisk(place, () => lstat(place));
    if (!status.isDirectory()) return undefined;
    place = join(place, name);
    if ((await lstat(place).catch(() => undefined)) === undefined) return undefined;
  }
  return place;
}

async function bodyAt(path: string): Promise<Uint8Array> {
  return (await lstat(path)).isSymbolicLink() ? readlink(path, { encoding: "buffer" }) : readFile(path);
}

function isOutside(child: Dirent): boolean {
  return child.name === ".git";
}

/** Git sorts a folder as if its name ended with a slash. */
function sortKey({ entry }: Scanned): Buffer {
  return Buffer.from(entry.type === "directory" ? `${entry.name}/` : entry.name);
}

async function onDisk<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof DriftlessError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new DriftlessError("source", `${path} could not be read: ${code}`, { cause });
  }
}
