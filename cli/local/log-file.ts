import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { redact } from "../../lib/telemetry/redact.ts";

export interface LogFile {
  readonly path: string;
  /** Adds one line. */
  write(line: string): void;
  close(): void;
}

/** Where the lines are that were there before a file was full. */
export function previousLog(path: string): string {
  return `${path}.1`;
}

/** Bytes of one file: with the one before it, hours of sweeps. */
const mostBytes = 8 * 1024 * 1024;

/**
 * Keeps the functions' log lines in a file that only its owner reads. Full, it becomes `PATH.1` in place of the one before, so
 * that both together stay below `2 * limit` bytes. What a crash prints is no line of our log: it is redacted here as well.
 */
export function openLogFile(path: string, { limit = mostBytes }: { readonly limit?: number } = {}): LogFile {
  let file = openSync(path, "a", 0o600);
  let size = fstatSync(file).size;
  return {
    path,
    write(line) {
      const bytes = Buffer.from(`${redact(line)}\n`);
      if (size > 0 && size + bytes.length > limit) {
        closeSync(file);
        if (existsSync(path)) renameSync(path, previousLog(path));
        file = openSync(path, "a", 0o600);
        size = 0;
      }
      size += writeSync(file, bytes);
    },
    close: () => closeSync(file),
  };
}
