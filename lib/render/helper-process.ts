import { DriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Log } from "../telemetry/log.ts";
import { createKeyAnswers, type Decryption, type KeyAnswers } from "./decryption.ts";
import { type ChildEnd, type HelperChild, startHelperChild } from "./helper-child.ts";
import type { FoundEntry, HelperLine, HelperRequest } from "./helper-protocol.ts";

export interface HelperProcessDeps {
  /** Path of the helper's binary. */
  readonly helper: string;
  /** How long one job may compute; the time its lookups take is not counted. */
  readonly timeoutMs: number;
  /** Jobs in flight at once; the others wait their turn. */
  readonly concurrency: number;
  /** Keys for files that are encrypted with SOPS. */
  readonly decryption?: Decryption;
  readonly log: Log;
}

export interface HelperJob {
  readonly request: HelperRequest;
  /** Answers what the job asks for; may answer more than asked. */
  readonly lookup: (paths: readonly string[]) => Promise<readonly FoundEntry[]>;
  /** Whose keys open what is encrypted; every key when absent. */
  readonly project?: string | undefined;
}

type Outcome = { readonly answer: HelperLine } | { readonly error: unknown };

/** One job on its way. */
interface Flight extends HelperJob, CallOptions {
  readonly id: number;
  readonly settle: (outcome: Outcome) => void;
  timer: NodeJS.Timeout | undefined;
  /** How many helpers died under it, for what may have been its fault. */
  deaths: number;
}

/** Jobs for the helper: a child started by the first of them, replaced when it hangs or dies, idle no reason for Node to stay alive. */
export class HelperProcess {
  readonly #deps: HelperProcessDeps;
  readonly #keys: KeyAnswers;
  readonly #flights = new Map<number, Flight>();
  readonly #waiting: Flight[] = [];
  /** A helper died under these: they are tried again, each with nothing beside it, so that the next death is clearly theirs. */
  readonly #suspects: Flight[] = [];
  #child: HelperChild | undefined;
  #lastId = 0;
  #closed = false;

  constructor(deps: HelperProcessDeps) {
    this.#deps = deps;
    this.#keys = createKeyAnswers(deps.decryption ?? {});
  }

  /** Of the child, while one runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Rejects with `render` when the helper fails, with what the lookup threw, or with the signal's reason; an error in the files is an answer. */
  run(job: HelperJob, options: CallOptions = {}): Promise<HelperLine> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new DriftlessError("render", "the renderer is closed");
      signal?.throwIfAborted();
      const abort = (): void => this.#giveUp(flight, signal?.reason);
      const flight: Flight = {
        ...job,
        ...options,
        id: ++this.#lastId,
        timer: undefined,
        deaths: 0,
        settle: (outcome) => {
          signal?.removeEventListener("abort", abort);
          if ("answer" in outcome) resolve(outcome.answer);
          else reject(outcome.error);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push(flight);
      this.#launchNext();
    });
  }

  /** Ends the child; what is still in flight fails. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    this.#child = undefined;
    const error = new DriftlessError("render", "the renderer was closed");
    for (const flight of [...this.#flights.values(), ...this.#suspects, ...this.#waiting]) this.#finish(flight, { error });
    child?.holdOpen(true);
    child?.kill();
    await child?.ended;
  }

  #launchNext(): void {
    while (!this.#closed && this.#flights.size < this.#deps.concurrency) {
      if ([...this.#flights.values()].some((flight) => flight.deaths > 0)) return;
      if (this.#suspects.length > 0 && this.#flights.size > 0) return;
      const flight = this.#suspects.shift() ?? this.#waiting.shift();
      if (flight === undefined) return;
      this.#flights.set(flight.id, flight);
      this.#child ??= this.#startChild();
      this.#child.holdOpen(true);
      this.#startClock(flight);
      this.#child.send({ id: flight.id, ...flight.request });
    }
  }

  #startChild(): HelperChild {
    const child = startHelperChild({
      helper: this.#deps.helper,
      onLine: (line) => {
        if (this.#child === child) this.#receive(line);
      },
    });
    void this.#watch(child);
    return child;
  }

  async #watch(child: HelperChild): Promise<void> {
    const end = await child.ended;
    if (this.#child === child) this.#bury(end);
  }

  #receive(line: HelperLine): void {
    const flight = this.#flights.get(line.id);
    if (flight === undefined) return;
    if (line.done === true) this.#finish(flight, { answer: line });
    else if (line.waiting === true) clearTimeout(flight.timer);
    else if (line.waiting === false) this.#startClock(flight);
    else void this.#answer(flight, line);
  }

  /** Asks for what a line wants; the time that takes is not counted. */
  async #answer(flight: Flight, line: HelperLine): Promise<void> {
    const child = this.#child;
    const stillAsked = (): boolean => this.#child === child && this.#flights.get(flight.id) === flight;
    clearTimeout(flight.timer);
    try {
      const reply = await this.#replyTo(flight, line);
      if (!stillAsked()) return;
      this.#startClock(flight);
      child?.send({ id: flight.id, ...reply });
    } catch (error) {
      if (!stillAsked()) return;
      child?.send({ id: flight.id, op: "abort" });
      this.#finish(flight, { error });
    }
  }

  async #replyTo({ lookup, signal, project }: Flight, line: HelperLine): Promise<object> {
    const options = { ...(signal === undefined ? {} : { signal }), ...(project === undefined ? {} : { project }) };
    if (line.ageKeys === true) return this.#keys.ageKeys(options);
    if (line.decrypt !== undefined) return this.#keys.decrypt(line.decrypt, options);
    return { op: "found", entries: await lookup(line.lookup ?? []) };
  }

  #startClock(flight: Flight): void {
    const { timeoutMs, log } = this.#deps;
    clearTimeout(flight.timer);
    flight.timer = setTimeout(() => {
      const { path } = flight.request;
      log.warn("render.timeout", { path, timeoutMs });
      const child = this.#child;
      this.#child = undefined;
      child?.kill();
      for (const other of this.#takeFlights()) {
        if (other !== flight) this.#waiting.unshift(other);
      }
      const message = `rendering ${path || "the root"} took longer than ${timeoutMs / 1000} s and was stopped`;
      this.#finish(flight, { error: new DriftlessError("render", message, { facts: { path, timeoutMs } }) });
    }, timeoutMs);
  }

  /** The child has ended by itself: whoever was in flight may have been the reason. */
  #bury({ error, ...end }: ChildEnd): void {
    this.#child = undefined;
    const { helper, log } = this.#deps;
    const victims = this.#takeFlights();
    if (error !== undefined) {
      const message = `the render helper ${helper} does not start: ${messageOf(error)}`;
      for (const victim of victims) this.#finish(victim, { error: new DriftlessError("render", message, { cause: error }) });
      return;
    }
    log.warn("render.helper-exited", { ...end, inFlight: victims.length });
    for (const victim of victims) {
      if (victim.deaths++ === 0) this.#suspects.push(victim);
      else this.#finish(victim, { error: deathError(victim) });
    }
    this.#launchNext();
  }

  #takeFlights(): readonly Flight[] {
    const taken = [...this.#flights.values()];
    for (const flight of taken) clearTimeout(flight.timer);
    this.#flights.clear();
    return taken;
  }

  #finish(flight: Flight, outcome: Outcome): void {
    clearTimeout(flight.timer);
    this.#flights.delete(flight.id);
    if (this.#flights.size === 0) this.#child?.holdOpen(false);
    flight.settle(outcome);
    this.#launchNext();
  }

  #giveUp(flight: Flight, reason: unknown): void {
    for (const queue of [this.#waiting, this.#suspects]) {
      if (queue.includes(flight)) queue.splice(queue.indexOf(flight), 1);
    }
    flight.settle({ error: reason });
    if (!this.#flights.has(flight.id)) return;
    this.#child?.send({ id: flight.id, op: "abort" });
    this.#startClock(flight); // it stays in flight until the helper lets go of it
  }
}

function deathError({ request: { path } }: Flight): DriftlessError {
  const message = `the render helper died twice while rendering ${path || "the root"}: the files may need more memory than it has`;
  return new DriftlessError("render", message, { facts: { path }, retryable: true });
}
