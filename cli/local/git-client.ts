import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { DriftlessError, messageOf } from "../../lib/errors.ts";

const execute = promisify(execFile);

/** Runs git in a folder, with nobody's configuration but the repository's own; returns what it printed, trimmed. Throws `source`. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const environment = {
    PATH: process.env["PATH"],
    HOME: folder,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
  };
  const identity = ["-c", "user.name=Driftless", "-c", "user.email=driftless@localhost"];
  try {
    const { stdout } = await execute("git", [...identity, ...args], { cwd: folder, env: environment });
    return stdout.trim();
  } catch (cause) {
    throw new DriftlessError("source", `git ${args[0] ?? ""} failed in ${folder}: ${messageOf(cause)}`, { cause });
  }
}
