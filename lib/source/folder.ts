import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { SourceTree, TreeEntry } from "../model/tree.ts";

/**
 * A folder as it stands on disk, committed or not; `commit` is "". Ids are places on the disk, so that only what is looked at
 * is read, however much lies beside it. `.git` is left out, and links are not followed.
 */
export function createFolderTree(folder: string): SourceTree {
  const top = resolve(folder);
  return {
    commit: "",
    async lookup(path) {
      const place = await placeOf(top, path);
      if (place === undefined) return undefined;
      const type = typeOf(await onDisk(place, () => lstat(place)));
      return type === undefined ? undefined : { name: path.slice(path.lastIndexOf("/") + 1), oid: place, type };
    },
    async list(place) {
      const children = await onDisk(place, () => readdir(place, { withFileTypes: true }));
      const entries = children.flatMap((child): readonly TreeEntry[] => {
        const type = child.name === ".git" ? undefined : typeOf(child);
        return type === undefined ? [] : [{ name: child.name, oid: join(place, child.name), type }];
      });
      return entries.sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
    },
    async read(places, { signal }: CallOptions = {}) {
      const bodies = new Map<string, Uint8Array>();
      for (const place of places) {
        signal?.throwIfAborted();
        bodies.set(place, await onDisk(place, () => bodyAt(place)));
      }
      return bodies;
    },
  };
}

/** Undefined for what no commit can hold: sockets, devices, pipes. */
function typeOf(found: Dirent | Stats): TreeEntry["type"] | undefined {
  if (found.isDirectory()) return "directory";
  if (found.isSymbolicLink()) return "symlink";
  return found.isFile() ? "file" : undefined;
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

async function bodyAt(place: string): Promise<Uint8Array> {
  return (await lstat(place)).isSymbolicLink() ? readlink(place, { encoding: "buffer" }) : readFile(place);
}

/** Git sorts a folder as if its name ended with a slash. */
function sortKey({ name, type }: TreeEntry): Buffer {
  return Buffer.from(type === "directory" ? `${name}/` : name);
}

async function onDisk<T>(place: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new DriftlessError("source", `${place} could not be read: ${code}`, { cause });
  }
}
