import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { framed, type HelperLine, lineReader } from "./helper-protocol.ts";

/** How a child ended: `error` when it never started. */
export interface ChildEnd {
  readonly error?: unknown;
  readonly code: number | null;
  readonly signal: string | null;
  /** The first line of a crash; "" when it said nothing. */
  readonly lastWords: string;
}

/** One running helper. */
export interface HelperChild {
  readonly pid: number | undefined;
  send(message: object): void;
  /** Whether the child is a reason for Node to stay alive. */
  holdOpen(hold: boolean): void;
  kill(): void;
  readonly ended: Promise<ChildEnd>;
}

/** Starts the helper without shell, environment or folder of its own; it ends with its standard input, so with this process. */
export function startHelperChild(options: { readonly helper: string; readonly onLine: (line: HelperLine) => void }): HelperChild {
  const child = spawn(options.helper, [], { cwd: "/", env: {}, stdio: ["pipe", "pipe", "pipe"] });
  let lastWords = "";
  child.stdout.setEncoding("utf8").on(
    "data",
    lineReader((line) => options.onLine(JSON.parse(line) as HelperLine)),
  );
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    lastWords ||= /^(?:fatal error|panic|runtime): .*/m.exec(text)?.[0] ?? "";
  });
  child.stdin.on("error", () => {}); // written to a dead child: its end tells
  const ended = new Promise<ChildEnd>((resolve) => {
    child.on("error", (error) => resolve({ error, code: null, signal: null, lastWords }));
    child.on("close", (code, signal) => resolve({ code, signal, lastWords }));
  });
  const handles = [child, child.stdin, child.stdout, child.stderr] as unknown as Pick<Socket, "ref" | "unref">[];
  return {
    pid: child.pid,
    ended,
    send: (message) => {
      for (const part of framed(message)) child.stdin.write(part);
    },
    holdOpen: (hold) => {
      for (const handle of handles) {
        if (hold) handle.ref();
        else handle.unref();
      }
    },
    kill: () => {
      child.kill("SIGKILL");
    },
  };
}
