import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const driftless = join(import.meta.dirname, "..", "..", "cli", "driftless.js");

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input; empty by default. */
  readonly input?: string;
}

/** `driftless` as a user runs it, in an environment that knows of no installation but what is given. */
export async function runDriftless(args: readonly string[], { environment = {}, input = "" }: RunOptions = {}): Promise<Ended> {
  const home = await mkdtemp(join(tmpdir(), "driftless-cli-"));
  try {
    const env = { PATH: process.env["PATH"] ?? "", HOME: home, XDG_CACHE_HOME: join(home, "cache"), ...environment };
    const child = spawn(process.execPath, [driftless, ...args], { env, timeout: 60_000 });
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { status, stdout, stderr };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
