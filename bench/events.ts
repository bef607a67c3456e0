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
  /** Waits until the syncs of these applications that one delivery or sweep started have ended; rejects when one did not succeed. */
  recorded(names: readonly string[], correlationId: string): Promise<number>;
  /** When such an event came last; undefined when none came. */
  last(event: string, correlationId: string): number | undefined;
  /** The newest line of level warn or error, for an error's text; "" when there is none. */
  complaint(): string;
  /** Forgets what came so far. */
  clear(): void;
}

interface Waiter {
  readonly correlationId: string;
  readonly expectation: Expectation;
}

export function createFunctionEvents({ signal }: { readonly signal: AbortSignal }): FunctionEvents {
  const events: FunctionEvent[] = [];
  const waiters = new Set<Waiter>();
  let complaint = "";

  const show = (event: FunctionEvent, { correlationId, expectation }: Waiter): void => {
    if (event.correlationId !== correlationId) return;
    const reason = whyFailed(event);
    if (reason !== undefined) expectation.fail(new DriftlessError("apply", reason));
    else if (event.event === "sync.recorded") expectation.seen(event.application ?? "");
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
    recorded(names, correlationId) {
      const expectation = expectAll(names, { what: "syncs to end", signal, hint: () => complaint });
      const waiter = { correlationId, expectation };
      waiters.add(waiter);
      for (const event of events) show(event, waiter);
      return expectation.all;
    },
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
