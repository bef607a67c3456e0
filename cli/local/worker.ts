import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../lib/telemetry/clock.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import type { FunctionError, InvokeMessage, Outcome, WorkerMessage } from "./invocation.ts";

/** One call of a function; `id` becomes its awsRequestId. */
export interface Invocation {
  readonly id: string;
  readonly module: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly timeoutSeconds: number;
  readonly payload: string;
}

/** The child process that runs the functions; a new one takes its place when it dies. */
export interface Worker {
  /** Never rejects: a dead child, a timeout and a thrown error are outcomes. */
  run(invocation: Invocation): Promise<Outcome>;
  /** SIGKILL, as a crash would be; what is in flight fails. */
  kill(): void;
  readonly pid: number | undefined;
  close(): Promise<void>;
}

export interface WorkerDeps {
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly clock: Clock;
  /** A line that the functions wrote to standard output or standard error. */
  readonly onLine: (line: string) => void;
}

interface Running {
  readonly child: ChildProcess;
  readonly pending: Map<string, (outcome: Outcome | "undelivered") => void>;
  readonly ended: Promise<void>;
  ready: boolean;
}

const runtime = fileURLToPath(new URL("./runtime.ts", import.meta.url));
const mostDeliveries = 3;

export function createWorker(deps: WorkerDeps): Worker {
  const alive = new Set<Running>();
  let current: Running | undefined;
  let closed = false;

  const start = (): Running => {
    const running = forkRuntime(deps);
    alive.add(running);
    void running.ended.then(() => {
      alive.delete(running);
      if (current === running) current = undefined;
      // A child that dies before it is ready would only be started for ever: the next invocation tries again.
      if (!closed && running.ready) current ??= start();
      return undefined;
    });
    return running;
  };
  /** What comes next must not be sent to a process that is about to be gone. */
  const discard = (running: Running): void => {
    running.child.kill("SIGKILL");
    if (current === running) current = undefined;
  };
  current = start();

  return {
    get pid() {
      return current?.child.pid;
    },
    async run(invocation) {
      for (let delivery = 0; delivery < mostDeliveries; delivery += 1) {
        if (closed) break;
        current ??= start();
        const outcome = await send(current, { invocation, clock: deps.clock, discard });
        if (outcome !== "undelivered") return outcome;
      }
      return exitError(invocation.id, "no process took the invocation");
    },
    kill() {
      if (current !== undefined) discard(current);
    },
    async close() {
      closed = true;
      await Promise.all(Array.from(alive, stop));
    },
  };
}

async function stop({ child, ended }: Running): Promise<void> {
  const force = setTimeout(() => child.kill("SIGKILL"), 2_000);
  if (child.connected) child.disconnect();
  await ended;
  clearTimeout(force);
}

function forkRuntime({ environment, log, onLine }: WorkerDeps): Running {
  const child = fork(runtime, [], { execArgv: [], env: environment, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const running: Running = { child, pending: new Map(), ended, ready: false };
  for (const output of [child.stdout, child.stderr]) {
    if (output !== null) createInterface({ input: output }).on("line", onLine);
  }
  child.on("message", (message: WorkerMessage) => {
    if (message.type === "ready") running.ready = true;
    else settle(running, message.id, "error" in message ? { error: message.error } : { payload: message.payload ?? "null" });
  });
  const end = (reason: string): void => {
    if (running.pending.size > 0) log.warn("lambda.worker-ended", { reason, inFlight: running.pending.size });
    for (const id of running.pending.keys()) settle(running, id, exitError(id, `Runtime exited with error: ${reason}`));
    resolve();
  };
  child.once("exit", (code, signal) => end(signal === null ? `exit status ${code}` : `signal: ${signal}`));
  child.on("error", (error) => {
    log.error("lambda.worker-error", { error });
    if (child.pid === undefined) end(error.message);
  });
  return running;
}

interface Delivery {
  readonly invocation: Invocation;
  readonly clock: Clock;
  readonly discard: (running: Running) => void;
}

function send(running: Running, { invocation, clock, discard }: Delivery): Promise<Outcome | "undelivered"> {
  const { timeoutSeconds, ...call } = invocation;
  const deadline = clock.now().getTime() + timeoutSeconds * 1000;
  const message: InvokeMessage = { type: "invoke", ...call, deadline };
  return new Promise((resolve) => {
    // As on Lambda a timeout ends the environment, so that nothing of the invocation lives on.
    const timer = setTimeout(() => {
      settle(running, call.id, { error: timeoutError(call.id, timeoutSeconds) });
      discard(running);
    }, timeoutSeconds * 1000);
    running.pending.set(call.id, (outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    });
    running.child.send(message, (error) => {
      if (error === null) return;
      discard(running);
      settle(running, call.id, "undelivered");
    });
  });
}

function settle(running: Running, id: string, outcome: Outcome | "undelivered"): void {
  const resolve = running.pending.get(id);
  running.pending.delete(id);
  resolve?.(outcome);
}

function exitError(id: string, reason: string): { readonly error: FunctionError } {
  return { error: { errorType: "Runtime.ExitError", errorMessage: `RequestId: ${id} Error: ${reason}` } };
}

function timeoutError(id: string, seconds: number): FunctionError {
  return {
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${id} Error: Task timed out after ${seconds.toFixed(2)} seconds`,
  };
}
