import { parseArgs } from "node:util";
import { DriftlessError } from "../lib/errors.ts";

export interface BenchOptions {
  readonly applications: number;
  /** How many objects the clusters have whose sweeps are measured, rising. */
  readonly objects: readonly number[];
  /** Which cases to run; all match the default. */
  readonly only: RegExp;
  readonly json: boolean;
  /** File to write the page to. */
  readonly write?: string;
  readonly help: boolean;
}

const mostApplications = 1000;

/** Reads the command line; throws `config` saying what is wrong with it. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = readArguments(args);
  const applications = Number(values.applications);
  if (!Number.isInteger(applications) || applications < 1 || applications > mostApplications)
    throw new DriftlessError(
      "config",
      `--applications takes a whole number from 1 to ${mostApplications}, not ${JSON.stringify(values.applications)}`,
    );
  return {
    applications,
    objects: countsOf(values.objects),
    only: patternOf(values.only),
    json: values.json,
    help: values.help,
    ...(values.write === undefined ? {} : { write: values.write }),
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        applications: { type: "string", default: "100" },
        objects: { type: "string", default: "1000,10000" },
        only: { type: "string", default: "" },
        json: { type: "boolean", default: false },
        write: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (cause) {
    throw new DriftlessError("config", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const mostObjects = 50_000;

function countsOf(text: string): readonly number[] {
  const counts = text.split(",").map(Number);
  if (counts.some((count) => !Number.isInteger(count) || count < 1 || count > mostObjects))
    throw new DriftlessError(
      "config",
      `--objects takes whole numbers from 1 to ${mostObjects} with commas between them, not ${JSON.stringify(text)}`,
    );
  return counts.toSorted((a, b) => a - b);
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new DriftlessError(
      "config",
      `--only takes a regular expression over the names of the cases, not ${JSON.stringify(text)}`,
      {
        cause,
      },
    );
  }
}
