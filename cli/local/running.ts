import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The installation that `npm start` runs on this machine, for the other commands to find. */
export interface Running {
  readonly pid: number;
  /** URL of its API. */
  readonly api: string;
  readonly kubeconfig: string;
  readonly kubectl: string;
  /** URL of its queue of moved branches. */
  readonly queueUrl?: string;
  /** File with the log lines of its functions. */
  readonly log?: string;
}

function fileOf(environment: NodeJS.ProcessEnv): string {
  const cache = environment["XDG_CACHE_HOME"];
  return join(cache === undefined || cache === "" ? join(homedir(), ".cache") : cache, "driftless", "running.json");
}

/** Undefined when none runs. */
export async function readRunning(environment: NodeJS.ProcessEnv): Promise<Running | undefined> {
  try {
    const running = JSON.parse(await readFile(fileOf(environment), "utf8")) as Running;
    process.kill(running.pid, 0);
    return running;
  } catch {
    return undefined;
  }
}

/** Says that it runs, unless another one that still runs has said so; returns what takes the word back. */
export async function announceRunning(running: Running, environment: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const file = fileOf(environment);
  if ((await readRunning(environment)) !== undefined) return () => Promise.resolve();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(running), { mode: 0o600 });
  return () => rm(file, { force: true });
}
