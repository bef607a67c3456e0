/** One call that leaves the process. */
export interface Call {
  readonly to: "table" | "cluster" | "history";
  /** For people: `UpdateItem lease#shop`, `PATCH /api/v1/...`. */
  readonly name: string;
}

/**
 * What happens to a worker at a call: it dies before the call goes out, or once it went out and before its answer is seen; or
 * it freezes until the promise is kept, with everything it is at.
 */
export type Interruption = "before" | "after" | Promise<void>;

/** A process that runs the engine: all its calls are counted, and at any of them it can die, which leaves nothing of it running. */
export interface Worker {
  call<T>(what: Call, send: () => Promise<T>): Promise<T>;
  /** Runs until the end or the worker's death; what was sent by then has arrived. */
  run(work: () => Promise<void>): Promise<"ended" | "killed">;
  readonly calls: readonly string[];
  /** Calls that went out, or are about to, and have no answer yet. */
  readonly inFlight: number;
}

export function createWorker(
  interrupt: (call: Call & { readonly number: number }) => Interruption | undefined = () => undefined,
): Worker {
  const calls: string[] = [];
  const flying = new Set<Promise<unknown>>();
  const death = Promise.withResolvers<"killed">();
  let isDead = false;
  let inFlight = 0;
  let ice: Promise<void> | undefined;

  const die = (): void => {
    isDead = true;
    death.resolve("killed");
  };

  async function call<T>(what: Call, send: () => Promise<T>): Promise<T> {
    if (isDead) return never();
    calls.push(what.name);
    inFlight += 1;
    const verdict = interrupt({ ...what, number: calls.length });
    if (verdict instanceof Promise) ice = verdict;
    if (verdict === "before") die();
    while (ice !== undefined) {
      const waited: Promise<void> = ice;
      await waited;
      if (ice === waited) ice = undefined;
    }
    if (isDead) return never();
    const sent = send();
    flying.add(sent);
    try {
      const answer = await sent;
      if (verdict === "after") die();
      return isDead ? await never<T>() : answer;
    } catch (error) {
      if (verdict === "after") die();
      if (isDead) return await never<T>();
      throw error;
    } finally {
      flying.delete(sent);
      inFlight -= 1;
    }
  }

  return {
    calls,
    call,
    get inFlight() {
      return inFlight;
    },
    async run(work) {
      const end = await Promise.race([death.promise, work().then(() => "ended" as const)]);
      await Promise.allSettled(flying);
      return end;
    },
  };
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
