import type { ParseArgsOptionsConfig } from "node:util";

/** What was asked on the command line. */
export interface Invocation {
  readonly output: "table" | "json";
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  readonly environment: NodeJS.ProcessEnv;
  readonly api?: string;
  /** AWS region, as given: of the API, and of Driftless. */
  readonly region?: string;
  /** Says at once what is going on: a line on standard error. */
  readonly say: (line: string) => void;
}

/** The value of a text option; undefined when it was not given. */
export function textOption({ values }: Invocation, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** Whether an option without a value was given. */
export function flag({ values }: Invocation, name: string): boolean {
  return values[name] === true;
}

export interface Output {
  /** For people; ends with a newline. */
  readonly text: string;
  /** For programs: one JSON text. */
  readonly json: string;
  /** Exit status; 0 when absent. */
  readonly status?: number;
}

export interface Command {
  /** As typed after `driftless`: `drift [APP]`. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  /** Its own options, a line each; ends with a newline, or is "". */
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  readonly positionals: { readonly least: number; readonly most: number };
  /** Its text for people is YAML, so that `--output yaml` asks for it too. */
  readonly printsYaml?: true;
  run(invocation: Invocation): Promise<Output>;
  /** For a command that hands all its arguments on, options included. */
  readonly raw?: (args: readonly string[], environment: NodeJS.ProcessEnv) => Promise<number>;
}

/** Wrong use of the command line: exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
