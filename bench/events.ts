import { DriftlessError } from "../lib/errors.ts";
import { type Expectation, expectAll } from "./expectation.ts";

/** A log line of the functions, with the moment at which it came here, in milliseconds of `performance.now()`. */
export interface FunctionEvent {
  readonly at: number;
  readonly event: string;
  readonly level?: string;
  readonly correlationId?: string;
  readonly application?: string;
  readonly phase?: string;
  readonly errors?: readonly string[];
  readonly error?: unknown;
}

/** What the functions log, as it comes. */
export interface FunctionEvents {
  /** Takes one line. */
  write(line: string): void;
  /** Waits until a sync of each of these applications has ended; rejects when one did not succeed. */
  recorded(names: readonly string[], of?: EventsOf): Promise<number>;
  /** Waits until the syncs of these applications wait for their objects to be healthy. */
  waiting(names: readonly string[], of?: EventsOf): Promise<number>;
  /** When such an event came last; undefined when none came. */
  last(event: string, correlationId: string): number | undefined;
  /** The newest line of level warn or error, for an error's text; "" when there is none. */
  complaint(): string;
  /** Forgets what came so far. */
  clear(): void;
}

export interface EventsOf {
  /** Only of this delivery or sweep. */
  readonly correlationId?: string;
  readonly withinMs?: number;
}

interface Waiter {
  readonly event: string;
  readonly correlationId: string | undefined;
  readonly expectation: Expectation;
}

export function createFunctionEvents({ signal }: { readonly signal: AbortSignal }): FunctionEvents {
  const events: FunctionEvent[] = [];
  const waiters = new Set<Waiter>();
  let complaint = "";

  const show = (event: FunctionEvent, { event: wanted, correlationId, expectation }: Waiter): void => {
    if (correlationId !== undefined && event.correlationId !== correlationId) return;
    const reason = whyFailed(event);
    if (reason !== undefined) expectation.fail(new DriftlessError("apply", reason));
    else if (event.event === wanted) expectation.seen(event.application ?? "");
  };
  const waitFor = (
    names: readonly string[],
    { event, what, correlationId, ...within }: EventsOf & { readonly event: string; readonly what: string },
  ): Promise<number> => {
    const expectation = expectAll(names, { ...within, what, signal, hint: () => complaint });
    const waiter = { event, correlationId, expectation };
    waiters.add(waiter);
    for (const known of events) show(known, waiter);
    return expectation.all;
  };

  return {
    write(line) {
      const event = parseEvent(line);
      if (event === undefined) return;
      if (event.level === "warn" || event.level === "error") complaint = `the functions last complained: ${line}`;
      events.push(event);
      for (const waiter of waiters) {
        if (waiter.expectation.isOpen) show(event, waiter);
        else waiters.delete(waiter);
      }
    },
    recorded: (names, of = {}) => waitFor(names, { event: "sync.recorded", what: "syncs to end", ...of }),
    waiting: (names, of = {}) => waitFor(names, { event: "sync.waiting", what: "syncs to wait", ...of }),
    last: (name, correlationId) => events.findLast(({ event, correlationId: id }) => event === name && id === correlationId)?.at,
    complaint: () => complaint,
    clear() {
      events.length = 0;
    },
  };
}

/** Why a line means that what was pushed will not be synced; undefined when it does not. */
function whyFailed({ event, application, phase, errors, error }: FunctionEvent): string | undefined {
  if (event === "plan.refused" || event === "plan.failed") return `${event}: ${application ?? ""} ${String(error)}`;
  if (event !== "sync.recorded" || phase === "Succeeded") return undefined;
  return `the sync of ${application ?? "an application"} ended ${phase ?? "nowhere"}: ${errors?.join("; ") ?? ""}`;
}

function parseEvent(line: string): FunctionEvent | undefined {
  try {
    const fields = JSON.parse(line) as Omit<FunctionEvent, "at">;
    return typeof fields.event === "string" ? { ...fields, at: performance.now() } : undefined;
  } catch {
    return undefined;
  }
}
