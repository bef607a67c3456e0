import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DriftlessError } from "../errors.ts";
import type { ObjectFormat } from "./objects.ts";

/** Where the parts of a repository stand on disk. */
export interface RepositoryFolder {
  /** The folder with `refs`, `packed-refs` and `config`: shared by all worktrees. */
  readonly common: string;
  /** `objects` folders: the repository's own, then those it borrows from. */
  readonly objects: readonly string[];
  readonly format: ObjectFormat;
}

const deepestAlternate = 5;

/** Finds Git's files in a working folder, a linked worktree or a bare repository. Throws `source` when there are none. */
export async function findRepository(folder: string): Promise<RepositoryFolder> {
  const common = await commonFolder(resolve(folder));
  if (common === undefined) throw new DriftlessError("source", `${folder} is not a Git repository`);
  const config = (await textAt(join(common, "config"))) ?? "";
  if (/^\s*refstorage\s*=\s*(?!files)/im.test(config)) {
    throw new DriftlessError(
      "source",
      `${folder} stores its refs as reftable, which is not read; serve it over HTTP or use --ref-format=files`,
    );
  }
  const format = /^\s*objectformat\s*=\s*sha256/im.test(config) ? "sha256" : "sha1";
  return { common, objects: await objectFolders(join(common, "objects"), 0), format };
}

/** Object id at the head of a branch, or undefined. */
export async function readBranch({ common }: RepositoryFolder, branch: string): Promise<string | undefined> {
  let ref = `refs/heads/${branch}`;
  for (let hops = 0; hops < 5; hops += 1) {
    const text = (await textAt(join(common, ref)))?.trim() ?? (await packedRef(common, ref));
    if (text === undefined || !text.startsWith("ref: ")) return text;
    ref = text.slice("ref: ".length);
    if (!ref.startsWith("refs/") || ref.includes("..")) return undefined;
  }
  return undefined;
}

async function packedRef(common: string, ref: string): Promise<string | undefined> {
  const lines = ((await textAt(join(common, "packed-refs"))) ?? "").split("\n");
  return lines.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}

async function commonFolder(folder: string): Promise<string | undefined> {
  for (const candidate of [join(folder, ".git"), folder]) {
    const target = /^gitdir: (.+)$/m.exec((await textAt(candidate)) ?? "")?.[1];
    const gitFolder = target === undefined ? candidate : resolve(folder, target);
    const shared = (await textAt(join(gitFolder, "commondir")))?.trim();
    const common = shared === undefined ? gitFolder : resolve(gitFolder, shared);
    if ((await isFolder(join(common, "objects"))) && (await textAt(join(common, "HEAD"))) !== undefined) return common;
  }
  return undefined;
}

async function objectFolders(objects: string, depth: number): Promise<readonly string[]> {
  if (depth > deepestAlternate) return [];
  const lines = ((await textAt(join(objects, "info/alternates"))) ?? "")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const borrowed = await Promise.all(lines.map((line) => objectFolders(resolve(objects, line), depth + 1)));
  return [objects, ...borrowed.flat()];
}

async function textAt(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : "";
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw new DriftlessError("source", `${path} could not be read: ${String(code)}`, { cause });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
