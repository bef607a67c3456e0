import { open, readFile, stat } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay } from "node:timers/promises";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import { previousLog } from "../local/log-file.ts";
import { answers, type LogLine, type LogSource, mostLines, parseLogLine } from "./log-source.ts";

const lookAgainMs = 200;

/** The log that `npm start` writes on this machine. */
export function createLocalLogSource({ file }: { readonly file: string }): LogSource {
  return {
    place: file,
    async find(question, { since, until }) {
      const [from, to] = [since.toISOString(), until.toISOString()];
      const texts = [await textOf(previousLog(file), { orNone: true }), await textOf(file, { orNone: false })];
      const lines = linesIn(texts.join("")).filter((line) => line.time >= from && line.time <= to && answers(line, question));
      lines.sort((a, b) => a.time.localeCompare(b.time));
      return { lines: lines.slice(-mostLines), cut: lines.length > mostLines };
    },
    follow: ({ signal }) => followFile(file, signal),
  };
}

async function textOf(file: string, { orNone }: { readonly orNone: boolean }): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (orNone && (cause as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new DriftlessError("config", `the log of this machine cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function linesIn(text: string): LogLine[] {
  return text.split("\n").flatMap((line) => parseLogLine(line) ?? []);
}

/** Reads what is added; a file that begins anew, since the old one was full, is read from its begin. */
async function* followFile(file: string, signal: AbortSignal): AsyncGenerator<LogLine> {
  let at = await stat(file).then(({ ino, size }) => ({ ino, offset: size }), missing);
  let rest = "";
  let decoder = new StringDecoder("utf8");
  while (!signal.aborted) {
    const { ino, size } = await stat(file).then(
      (found) => found,
      () => ({ ino: at.ino, size: at.offset }),
    );
    if (ino !== at.ino || size < at.offset) {
      at = { ino, offset: 0 };
      rest = "";
      decoder = new StringDecoder("utf8");
    }
    if (size > at.offset) {
      const added = await readFrom(file, { offset: at.offset, length: size - at.offset });
      at = { ino, offset: at.offset + added.length };
      const parts = `${rest}${decoder.write(added)}`.split("\n");
      rest = parts.pop() ?? "";
      yield* parts.flatMap((line) => parseLogLine(line) ?? []);
    } else {
      await delay(lookAgainMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

const missing = () => ({ ino: 0, offset: 0 });

async function readFrom(file: string, { offset, length }: { readonly offset: number; readonly length: number }): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
