import { createHash } from "node:crypto";
import { DriftlessError } from "../errors.ts";
import type { TreeEntry } from "../model/tree.ts";

export type ObjectFormat = "sha1" | "sha256";
export type ObjectType = "commit" | "tree" | "blob" | "tag";

export interface GitObject {
  readonly type: ObjectType;
  readonly body: Uint8Array;
}

/** The commands of Git that move trees refuse these names too; whoever writes them wants to leave the folder. */
const forbiddenNames = new Set(["", ".", "..", ".git"]);
const longestName = 255;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** 40 or 64 lowercase hex digits. */
export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

export function formatOf(oid: string): ObjectFormat {
  return oid.length === 64 ? "sha256" : "sha1";
}

/** Bytes of one binary object id. */
export function idLength(format: ObjectFormat): 20 | 32 {
  return format === "sha256" ? 32 : 20;
}

/** The id that Git gives this object. */
export function objectId(object: GitObject, format: ObjectFormat = "sha1"): string {
  return createHash(format).update(`${object.type} ${object.body.length}\0`).update(object.body).digest("hex");
}

/** Root tree id of a commit's body. */
export function rootOfCommit(commit: string, object: GitObject): string {
  if (object.type !== "commit") throw new DriftlessError("source", `${commit} is a ${object.type}, not a commit`);
  const head = Buffer.from(object.body.subarray(0, 80)).toString("latin1");
  const root = /^tree ([0-9a-f]{40}|[0-9a-f]{64})\n/.exec(head)?.[1];
  if (root === undefined) throw new DriftlessError("source", `commit ${commit} names no tree`);
  return root;
}

/** Ids of the folders right below a tree. Throws `source` on bytes that are no tree. */
export function subtreeIds(tree: string, body: Uint8Array): readonly string[] {
  const ids: string[] = [];
  for (const { bytes, at, id, end } of rawEntries(tree, body)) {
    // Octal digits, in old trees padded: only a folder's mode (40000) starts with a four.
    if (bytes[bytes[at] === 0x30 ? at + 1 : at] === 0x34) ids.push(bytes.toString("hex", id, end));
  }
  return ids;
}

/** Where the parts of one entry stand: mode at `at`, a space, the name at `name`, a zero, the id from `id` to `end`. */
interface RawEntry {
  readonly bytes: Buffer;
  readonly at: number;
  readonly name: number;
  readonly id: number;
  readonly end: number;
}

function* rawEntries(tree: string, body: Uint8Array): Generator<RawEntry> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const length = idLength(formatOf(tree));
  for (let at = 0; at < bytes.length; ) {
    const name = bytes.indexOf(0x20, at) + 1;
    const id = bytes.indexOf(0, name) + 1;
    const end = id + length;
    if (name === 0 || id === 0 || end > bytes.length) throw new DriftlessError("source", `tree ${tree} is damaged`);
    yield { bytes, at, name, id, end };
    at = end;
  }
}

/** Entries of a tree by name, in its order, for use as paths: names that could leave the folder are refused with `source`. */
export function treeEntries(tree: string, body: Uint8Array): ReadonlyMap<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>();
  for (const { bytes, at, name: start, id, end } of rawEntries(tree, body)) {
    const name = safeName(tree, bytes.subarray(start, id - 1));
    if (entries.has(name)) throw refusedName(tree, name, "stands there twice");
    entries.set(name, {
      name,
      oid: bytes.toString("hex", id, end),
      type: typeOfMode(tree, name, bytes.toString("latin1", at, start - 1)),
    });
  }
  return entries;
}

function typeOfMode(tree: string, name: string, mode: string): TreeEntry["type"] {
  if (mode === "40000" || mode === "040000") return "directory";
  if (mode === "120000") return "symlink";
  if (mode === "160000") return "submodule";
  if (mode.startsWith("100")) return "file";
  throw refusedName(tree, name, `has the unknown mode ${mode}`);
}

function safeName(tree: string, bytes: Uint8Array): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch (cause) {
    throw new DriftlessError("source", `a name in tree ${tree} is not UTF-8: rename the file`, { cause });
  }
  if (forbiddenNames.has(name.toLowerCase()) || /[/\\]/.test(name)) throw refusedName(tree, name, "could lead out of its folder");
  if (bytes.length > longestName) throw refusedName(tree, `${name.slice(0, 40)}...`, `is longer than ${longestName} bytes`);
  return name;
}

function refusedName(tree: string, name: string, reason: string): DriftlessError {
  return new DriftlessError("source", `tree ${tree}: the entry ${JSON.stringify(name)} ${reason}; it is refused`);
}
