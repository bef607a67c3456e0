import { type FileHandle, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { DriftlessError } from "../errors.ts";
import { applyDelta } from "./delta.ts";
import type { SourceLimits } from "./limits.ts";
import { formatOf, type GitObject, type ObjectFormat, type ObjectType, objectId } from "./objects.ts";
import { damagedPack, headerBytes, inflateEntry, readEntryHeader } from "./pack-entry.ts";
import { createPackIndex, type PackIndex } from "./pack-index.ts";
import { findRepository, type RepositoryFolder } from "./repository-folder.ts";

/** Git's object files and packs on disk. */
export interface ObjectStore {
  /** The object, its id checked against its body; undefined when the repository has none. */
  read(oid: string): Promise<GitObject | undefined>;
}

export interface ObjectStoreDeps {
  readonly folder: string;
  readonly limits: SourceLimits;
}

interface Opened extends RepositoryFolder {
  readonly packs: readonly Pack[];
}

interface Pack {
  /** Path without its ending. */
  readonly path: string;
  readonly index: PackIndex;
}

/** Reads only the parts of packs that hold the objects asked for. No file stays open between calls. */
export function createObjectStore({ folder, limits }: ObjectStoreDeps): ObjectStore {
  let opened: Opened | undefined;

  const reopen = async (): Promise<Opened> => {
    const repository = await findRepository(folder);
    const known = new Map(opened?.packs.map((pack) => [pack.path, pack]));
    const packs: Pack[] = [];
    for (const path of await packPaths(repository.objects))
      packs.push(known.get(path) ?? (await loadPack(path, repository.format)));
    opened = { ...repository, packs };
    return opened;
  };
  const find = async (oid: string, { objects, packs }: Opened): Promise<GitObject | undefined> => {
    for (const pack of packs) {
      const offset = pack.index.find(oid);
      if (offset !== undefined)
        return readPacked({ pack, offset, format: formatOf(oid), limits, readBase: (base) => read(base) });
    }
    for (const folderOfObjects of objects) {
      const object = await readLoose(join(folderOfObjects, oid.slice(0, 2), oid.slice(2)), limits);
      if (object !== undefined) return object;
    }
    return undefined;
  };
  // A repack moves objects while they are read: what is missing, or stood in a pack that is gone, is looked for once more.
  const read = async (oid: string): Promise<GitObject | undefined> => {
    let object = opened === undefined ? undefined : await find(oid, opened).catch(ignoreGone);
    object ??= await find(oid, await reopen()).catch(ignoreGone);
    object ??= await find(oid, await reopen());
    if (object !== undefined && objectId(object, formatOf(oid)) !== oid) {
      throw new DriftlessError("source", `object ${oid} of ${folder} is damaged; run git fsck`);
    }
    return object;
  };
  return { read };
}

async function packPaths(objects: readonly string[]): Promise<readonly string[]> {
  const lists = objects.map(async (folder) => {
    const names = await readdir(join(folder, "pack")).catch(() => []);
    return names.filter((name) => name.endsWith(".idx")).map((name) => join(folder, "pack", name.slice(0, -".idx".length)));
  });
  return (await Promise.all(lists)).flat();
}

async function loadPack(path: string, format: ObjectFormat): Promise<Pack> {
  return { path, index: createPackIndex(`${path}.idx`, await readFile(`${path}.idx`), format) };
}

async function readLoose(path: string, { expandedBytes }: SourceLimits): Promise<GitObject | undefined> {
  const deflated = await readFile(path).catch((error: unknown) => ignoreGone(error));
  if (deflated === undefined) return undefined;
  let bytes: Buffer;
  try {
    bytes = inflateSync(deflated, { maxOutputLength: expandedBytes });
  } catch (cause) {
    throw new DriftlessError("source", `${path} does not inflate, or is larger than ${expandedBytes} bytes`, { cause });
  }
  const end = bytes.indexOf(0);
  const [, type, size] = /^(commit|tree|blob|tag) (\d+)$/.exec(bytes.toString("latin1", 0, Math.max(0, end))) ?? [];
  const body = bytes.subarray(end + 1);
  if (type === undefined || Number(size) !== body.length) throw new DriftlessError("source", `${path} is damaged; run git fsck`);
  return { type: type as ObjectType, body };
}

interface PackedRead {
  readonly pack: Pack;
  readonly offset: number;
  readonly format: ObjectFormat;
  readonly limits: SourceLimits;
  readonly readBase: (oid: string) => Promise<GitObject | undefined>;
}

/** Follows a chain of deltas down to a whole object, then applies them on the way back. */
async function readPacked({ pack, offset, format, limits, readBase }: PackedRead): Promise<GitObject> {
  const file = await open(`${pack.path}.pack`);
  try {
    const deltas: Uint8Array[] = [];
    let at = offset;
    for (;;) {
      const { kind, body } = await readEntry(file, at, { format, limits });
      if ("type" in kind) return applyAll({ type: kind.type, body }, deltas);
      deltas.push(body);
      const base = "back" in kind ? at - kind.back : pack.index.find(kind.baseId);
      if (base === undefined && "baseId" in kind) {
        const object = await readBase(kind.baseId);
        if (object === undefined) throw damagedPack(`the base ${kind.baseId} of a delta is missing`);
        return applyAll(object, deltas);
      }
      if (base === undefined || base <= 0) throw damagedPack("a delta has an impossible base");
      at = base;
    }
  } finally {
    await file.close();
  }
}

function applyAll(base: GitObject, deltas: readonly Uint8Array[]): GitObject {
  return { type: base.type, body: deltas.reduceRight((body, delta) => applyDelta(body, delta), base.body) };
}

/** Most entries are small: the first read usually has them whole. */
const firstRead = 4096;

async function readEntry(
  file: FileHandle,
  offset: number,
  { format, limits }: { readonly format: ObjectFormat; readonly limits: SourceLimits },
) {
  let bytes = await readAt(file, offset, firstRead);
  const { kind, size, length } = readEntryHeader(bytes.subarray(0, headerBytes), format);
  if (size > limits.expandedBytes)
    throw new DriftlessError("source", `an object has ${size} bytes, more than ${limits.expandedBytes}`);
  // Deflate never needs more than this for what it cannot compress.
  const longest = length + size + Math.ceil(size / 1000) + 64;
  if (longest > bytes.length && bytes.length === firstRead) bytes = await readAt(file, offset, longest);
  return { kind, body: inflateEntry(bytes.subarray(length), size).body };
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function ignoreGone(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
