import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { DriftlessError } from "../../lib/errors.ts";

const killAfterMs = 5000;

/** One running part of the control plane, with its log in a file. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Throws with the last lines of its log when the part has ended by itself. */
  assertRunning(): void;
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
  /** Ends it by SIGTERM, and by SIGKILL after 5 seconds. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its only folder: where it may write what it keeps for its user. */
  readonly home: string;
  /** Its output is added to this file. */
  readonly logFile: string;
}

/** Starts a part. It ends with this process however that dies: the part reads its standard input, and takes the end of it as its own. */
export function startChild({ name, command, args, home, logFile }: ChildOptions): Child {
  const output = openSync(logFile, "a");
  // Nothing of the user's environment: etcd, for one, takes its settings from there.
  const env = { PATH: process.env["PATH"], HOME: home, END_WITH_STDIN: "1" };
  const child = spawn(command, args, { stdio: ["pipe", output, output], env, cwd: home });
  closeSync(output);
  let failure: Error | undefined;
  child.on("error", (error) => {
    failure = error;
  });
  letParentEnd(child);
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  const hasEnded = () => failure !== undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    pid: child.pid ?? 0,
    assertRunning() {
      if (!hasEnded()) return;
      const how = failure?.message ?? `ended with ${child.exitCode ?? child.signalCode}`;
      throw new DriftlessError("cluster", `${name} ${how}; its last lines:\n${lastLines(logFile)}`, { cause: failure });
    },
    kill() {
      if (hasEnded()) return Promise.resolve();
      child.ref();
      child.kill("SIGKILL");
      return ended;
    },
    async stop() {
      if (hasEnded()) return;
      child.ref();
      child.kill("SIGTERM");
      const killing = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
      await ended;
      clearTimeout(killing);
    },
  };
}

/** A running part must not keep the test run alive: its end is what stops the part. */
function letParentEnd(child: ChildProcess): void {
  child.unref();
  const { stdin } = child;
  stdin?.on("error", () => {});
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-12).join("\n");
}
