import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "../lib/telemetry/clock.ts";

export interface CachedBuild {
  /** First part of the name of the entry's folder, and of each line of progress. */
  readonly name: string;
  /** Makes what is not there; what is half made it takes away itself. */
  readonly build: () => Promise<void>;
  readonly progress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const progressEveryMs = 10_000;
const entryKeptMs = 30 * 24 * 3600 * 1000;
/** A lock older than this belongs to a build that was killed, whoever has its process id now. */
const lockKeptMs = 30 * 60 * 1000;

/** Where what is built once is kept, outside the repository: `driftless` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "driftless");
}

/**
 * Builds `file` unless it is there, in one process at a time; returns its path. Its folder is the entry, named
 * `<name>-<16 hex digits>`; entries of the same name that nobody used for 30 days are removed.
 */
export async function buildOnce(file: string, cached: CachedBuild): Promise<string> {
  const entry = dirname(file);
  const lock = join(entry, "building");
  await mkdir(entry, { recursive: true });
  let told = false;
  while (!(await exists(file))) {
    if (await takeLock(lock)) {
      try {
        if (!(await exists(file))) await cached.build();
      } finally {
        await rm(lock, { force: true });
      }
      await removeOldEntries(cached.name, entry);
      return file;
    }
    if (!told) cached.progress?.(`${cached.name}: another process builds it; waiting`);
    told = true;
    await wait(250, undefined, { signal: cached.signal });
  }
  // Marks the entry as used, so that it is not removed for its age.
  const now = systemClock.now();
  await utimes(entry, now, now);
  return file;
}

/** Tells every 10 seconds that it goes on, and at the end how long it took. */
export async function withTicks(
  { name, progress }: { readonly name: string; readonly progress: (line: string) => void },
  work: () => Promise<void>,
): Promise<void> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  const ticking = setInterval(() => progress(`${name}: still building, ${seconds()} s`), progressEveryMs);
  try {
    await work();
    progress(`${name}: built in ${seconds()} s`);
  } finally {
    clearInterval(ticking);
  }
}

/** True when this process may build; a lock whose process is gone is taken over. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
  const [holder, made] = await Promise.all([
    readFile(lock, "utf8").catch(() => undefined),
    stat(lock).then(
      (found) => found.mtimeMs,
      () => undefined,
    ),
  ]);
  if (holder === undefined || made === undefined) return false;
  const age = systemClock.now().getTime() - made;
  // An empty lock is one that its owner is about to fill.
  const gone = holder === "" ? age > 5000 : !isAlive(Number(holder));
  if (gone || age > lockKeptMs) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

async function removeOldEntries(name: string, current: string): Promise<void> {
  const cache = dirname(current);
  const pattern = /^(.*)-[0-9a-f]{16}$/;
  for (const entry of await readdir(cache)) {
    const path = join(cache, entry);
    if (path === current || pattern.exec(entry)?.[1] !== name) continue;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && systemClock.now().getTime() - found.mtimeMs > entryKeptMs)
      await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
