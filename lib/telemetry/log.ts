import { type Clock, systemClock } from "./clock.ts";
import { redact } from "./redact.ts";

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: an event name (`sync.pruned`) and facts, never a sentence. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  with(fields: LogFields): Log;
}

const levels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof levels)[number];

export interface JsonLogOptions {
  readonly level?: LogLevel;
  readonly clock?: Clock;
  readonly write?: (line: string) => void;
}

/** One JSON object a line, on standard output, where Lambda collects it. */
export function jsonLog(options: JsonLogOptions = {}, base: LogFields = {}): Log {
  const { level: least = "info", clock = systemClock, write = (line) => process.stdout.write(line) } = options;
  const emit =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (levels.indexOf(level) < levels.indexOf(least)) return;
      const line = { time: clock.now().toISOString(), level, event, ...base, ...fields };
      write(`${redact(JSON.stringify(line, printable()))}\n`);
    };
  return {
    debug: emit("debug"),
    info: emit("info"),
    warn: emit("warn"),
    error: emit("error"),
    with: (fields) => jsonLog(options, { ...base, ...fields }),
  };
}

/** A log that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };

/** Makes what JSON cannot hold printable; an error that is its own cause, however far round, is told once. */
function printable(): (key: string, value: unknown) => unknown {
  const told = new Set<Error>();
  return (_key, value) => {
    if (typeof value === "bigint") return value.toString();
    if (!(value instanceof Error)) return value;
    if (told.has(value)) return value.message;
    told.add(value);
    return { name: value.name, message: value.message, ...("code" in value ? { code: value.code } : {}), cause: value.cause };
  };
}
