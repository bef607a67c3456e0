import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Log } from "../telemetry/log.ts";
import { type FoundEntry, type HelperLine, type HelperRequest, lineReader } from "./helper-protocol.ts";

export interface HelperProcessDeps {
  /** Path of the helper's binary. */
  readonly helper: string;
  /** How long one job may compute; the time its lookups take is not counted. */
  readonly timeoutMs: number;
  /** Jobs in flight at once; the others wait their turn. */
  readonly concurrency: number;
  readonly log: Log;
}

export interface HelperJob {
  readonly request: HelperRequest;
  /** Answers what the job asks for; may answer more than asked. */
  readonly lookup: (paths: readonly string[]) => Promise<readonly FoundEntry[]>;
}

/** The child process: started by the first job, replaced when it hangs or dies, no reason for Node to stay alive when idle. */
export interface HelperProcess {
  /** Rejects with `render`, or with what the lookup threw, or with the signal's reason. */
  run(job: HelperJob, options?: CallOptions): Promise<HelperLine>;
  /** Of the child, while one runs. */
  readonly pid: number | undefined;
  close(): Promise<void>;
}

/** One job on its way. `alone` once a helper died under it: it is then tried again with no other beside it. */
interface Flight {
  readonly id: number;
  readonly job: HelperJob;
  readonly settle: (outcome: { readonly answer: HelperLine } | { readonly error: unknown }) => void;
  timer: NodeJS.Timeout | undefined;
  deaths: number;
}

export function createHelperProcess(deps: HelperProcessDeps): HelperProcess {
  const flights = new Map<number, Flight>();
  const waiting: Flight[] = [];
  const suspects: Flight[] = [];
  let child: ChildProcessWithoutNullStreams | undefined;
  let lastId = 0;
  let closed = false;

  const send = (message: object): void => {
    child?.stdin.write(`${JSON.stringify(message)}\n`);
  };

  const finish = (flight: Flight, outcome: Parameters<Flight["settle"]>[0]): void => {
    clearTimeout(flight.timer);
    flights.delete(flight.id);
    if (flights.size === 0) holdOpen(child, false);
    flight.settle(outcome);
    next();
  };

  const startClock = (flight: Flight): void => {
    clearTimeout(flight.timer);
    flight.timer = setTimeout(() => {
      deps.log.warn("render.timeout", { path: flight.job.request.path, timeoutMs: deps.timeoutMs });
      const stuck = child;
      retire(new Set([flight]));
      stuck?.kill("SIGKILL");
      finish(flight, { error: timeoutError(flight, deps.timeoutMs) });
    }, deps.timeoutMs);
  };

  const launch = (flight: Flight): void => {
    child ??= startChild();
    flights.set(flight.id, flight);
    holdOpen(child, true);
    startClock(flight);
    send({ id: flight.id, ...flight.job.request });
  };

  /** Those that a dead helper may have died of go first, one at a time, with nothing else in flight. */
  const next = (): void => {
    while (!closed) {
      const alone = [...flights.values()].some((flight) => flight.deaths > 0);
      if (alone || flights.size >= deps.concurrency) return;
      const flight = suspects.length > 0 ? (flights.size === 0 ? suspects.shift() : undefined) : waiting.shift();
      if (flight === undefined) return;
      launch(flight);
    }
  };

  /** The child is gone, or about to be: what was in flight waits for the next one. */
  const retire = (guilty: ReadonlySet<Flight>): void => {
    child = undefined;
    for (const flight of flights.values()) {
      clearTimeout(flight.timer);
      if (guilty.has(flight)) continue;
      flights.delete(flight.id);
      if (guilty.size > 0) waiting.unshift(flight);
      else if (flight.deaths++ === 0) suspects.push(flight);
      else flight.settle({ error: deathError(flight) });
    }
  };

  const receive = (line: string): void => {
    const answer = JSON.parse(line) as HelperLine;
    const flight = flights.get(answer.id);
    if (flight === undefined) return;
    if (answer.done === true) finish(flight, { answer });
    else if (answer.lookup !== undefined) void answerLookup(flight, answer.lookup);
    else if (answer.waiting === true) clearTimeout(flight.timer);
    else startClock(flight);
  };

  const answerLookup = async (flight: Flight, paths: readonly string[]): Promise<void> => {
    clearTimeout(flight.timer);
    const asking = child;
    const stillAsked = (): boolean => child === asking && flights.get(flight.id) === flight;
    try {
      const entries = await flight.job.lookup(paths);
      if (!stillAsked()) return;
      startClock(flight);
      send({ id: flight.id, op: "found", entries });
    } catch (error) {
      if (!stillAsked()) return;
      send({ id: flight.id, op: "abort" });
      finish(flight, { error });
    }
  };

  const startChild = (): ChildProcessWithoutNullStreams => {
    const started = spawn(deps.helper, [], { cwd: "/", env: {}, stdio: ["pipe", "pipe", "pipe"] });
    let lastWords = "";
    let spawnError: unknown;
    started.stdout.setEncoding("utf8").on(
      "data",
      lineReader((line) => {
        if (child === started) receive(line);
      }),
    );
    started.stderr.setEncoding("utf8").on("data", (text: string) => {
      lastWords ||= /^(?:fatal error|panic|runtime): .*/m.exec(text)?.[0] ?? "";
    });
    started.stdin.on("error", () => {}); // a dead child; its end is told by `close`
    started.on("error", (error) => {
      spawnError = error;
    });
    started.on("close", (code, signal) => {
      if (child !== started) return;
      if (spawnError !== undefined) {
        const error = startError(deps.helper, spawnError);
        retire(new Set(flights.values()));
        for (const flight of [...flights.values()]) finish(flight, { error });
        return;
      }
      deps.log.warn("render.helper-exited", { code, signal, reason: lastWords, inFlight: flights.size });
      retire(new Set());
      next();
    });
    return started;
  };

  return {
    get pid() {
      return child?.pid;
    },
    run: ({ request, lookup }, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (closed) throw new DriftlessError("render", "the renderer is closed");
        signal?.throwIfAborted();
        const abort = (): void => {
          for (const queue of [waiting, suspects]) {
            if (queue.includes(flight)) queue.splice(queue.indexOf(flight), 1);
          }
          flight.settle({ error: signal?.reason });
          if (!flights.has(flight.id)) return;
          send({ id: flight.id, op: "abort" });
          startClock(flight); // it stays in flight until the helper lets go of it
        };
        const flight: Flight = {
          id: ++lastId,
          job: { request, lookup },
          timer: undefined,
          deaths: 0,
          settle: (outcome) => {
            signal?.removeEventListener("abort", abort);
            if ("answer" in outcome) resolve(outcome.answer);
            else reject(outcome.error as Error);
          },
        };
        signal?.addEventListener("abort", abort, { once: true });
        waiting.push(flight);
        next();
      }),
    close: async () => {
      closed = true;
      const open = [...flights.values(), ...suspects, ...waiting];
      const last = child;
      child = undefined;
      for (const flight of open) finish(flight, { error: new DriftlessError("render", "the renderer was closed") });
      if (last === undefined || last.exitCode !== null || last.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => last.once("close", () => resolve()));
      holdOpen(last, true);
      last.kill("SIGKILL");
      await ended;
    },
  };
}

/** An idle child must not keep Node from ending; its own standard input then ends, and so does it. */
function holdOpen(child: ChildProcessWithoutNullStreams | undefined, hold: boolean): void {
  if (child === undefined) return;
  const handles = [child, child.stdin, child.stdout, child.stderr] as unknown as Pick<Socket, "ref" | "unref">[];
  for (const handle of handles) {
    if (hold) handle.ref();
    else handle.unref();
  }
}

function timeoutError(flight: Flight, timeoutMs: number): DriftlessError {
  const { path } = flight.job.request;
  return new DriftlessError("render", `rendering ${path || "the root"} took longer than ${timeoutMs / 1000} s and was stopped`, {
    facts: { path, timeoutMs },
  });
}

function deathError(flight: Flight): DriftlessError {
  const { path } = flight.job.request;
  const message = `the render helper died twice while rendering ${path || "the root"}: the files may need more memory than it has`;
  return new DriftlessError("render", message, { facts: { path }, retryable: true });
}

function startError(helper: string, cause: unknown): DriftlessError {
  return new DriftlessError("render", `the render helper ${helper} does not start: ${messageOf(cause)}`, { cause });
}
