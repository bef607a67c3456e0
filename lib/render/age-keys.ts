import { readFile } from "node:fs/promises";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { Secret } from "../telemetry/secret.ts";

/** An identity of age. */
export interface AgeKey {
  readonly secret: Secret;
  /** The project whose applications alone it opens files for; "" for all. */
  readonly project: string;
}

export type ReadAgeKeys = (options: CallOptions) => Promise<readonly AgeKey[]>;

const projectLine = /^#\s*project:\s*(\S+)$/;
const identity = /^AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]+$/;

/**
 * Reads the text of an age key file: an identity a line, blank lines and `#` comments between them. The keys below a comment
 * `# project: NAME` are that project's, up to the next one; `# project: *` ends it. Throws `config`, never with any part of it.
 */
export function parseAgeKeys(text: string, origin: string): readonly AgeKey[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys: AgeKey[] = [];
  let project = "";
  for (const [index, line] of lines.entries()) {
    const named = projectLine.exec(line)?.[1];
    if (named !== undefined) project = named === "*" ? "" : named;
    if (line === "" || line.startsWith("#")) continue;
    if (!identity.test(line)) {
      const message = `${origin}: line ${index + 1} is no age key: give AGE-SECRET-KEY-1... as age-keygen writes it, a key a line`;
      throw new DriftlessError("config", message, { facts: { line: index + 1 } });
    }
    keys.push({ secret: new Secret(line), project });
  }
  if (keys.length === 0) throw new DriftlessError("config", `${origin} holds no age key: put the file of age-keygen there`);
  return keys;
}

/** Age keys in a file, read when first asked for. */
export function createFileAgeKeys(path: string): ReadAgeKeys {
  return once(async ({ signal }) => {
    const text = await readFile(path, { encoding: "utf8", signal }).catch((cause: unknown) => {
      throw new DriftlessError("config", `the age key file ${path} could not be read`, { cause });
    });
    return parseAgeKeys(text, path);
  });
}

/** Keeps what was read; a failure is not kept. */
export function once(read: ReadAgeKeys): ReadAgeKeys {
  let known: readonly AgeKey[] | undefined;
  return async (options) => {
    known ??= await read(options);
    return known;
  };
}
