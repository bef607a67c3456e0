import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A folder of this machine that Git keeps. */
export interface WorkingTree {
  /** The folder that holds `.git`. */
  readonly root: string;
  /** URL of its remote `origin` by https, without credentials; undefined where there is none. */
  readonly origin: string | undefined;
  /** Paths of all folders that hold a file, committed or not; undefined where Git cannot be asked. */
  readonly folders: () => Promise<readonly string[] | undefined>;
}

/** Undefined for a folder that is in no repository. */
export async function workingTreeOf(folder: string): Promise<WorkingTree | undefined> {
  const root = rootOf(folder);
  if (root === undefined) return undefined;
  const ask = async (...args: readonly string[]): Promise<string | undefined> => {
    try {
      return (await execute("git", ["-C", root, ...args], { maxBuffer: 256 * 1024 * 1024 })).stdout;
    } catch {
      return undefined;
    }
  };
  const origin = (await ask("config", "--get", "remote.origin.url"))?.trim();
  return {
    root,
    origin: origin === undefined || origin === "" ? undefined : publicUrl(origin),
    async folders() {
      const [there, gone] = await Promise.all([
        ask("ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        ask("ls-files", "-z", "--deleted"),
      ]);
      if (there === undefined) return undefined;
      const deleted = new Set(gone?.split("\0"));
      return foldersOf(there.split("\0").filter((file) => !deleted.has(file)));
    },
  };
}

function rootOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** As the functions name it, who read by https only. */
function publicUrl(url: string): string {
  const [, host, path] = /^(?:ssh:\/\/)?[\w.-]+@([\w.-]+)(?::(?!\/\/)|\/)\/?(.+)$/.exec(url) ?? [];
  if (host !== undefined) return `https://${host}/${path}`;
  return url.replace(/^(https?:\/\/)[^/@]*@/i, "$1");
}

function foldersOf(files: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const file of files) {
    for (let at = file.lastIndexOf("/"); at > 0 && !folders.has(file.slice(0, at)); at = file.lastIndexOf("/", at - 1))
      folders.add(file.slice(0, at));
  }
  return [...folders];
}
