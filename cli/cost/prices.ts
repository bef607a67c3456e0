import { readFile } from "node:fs/promises";
import { parseSecretObject } from "../../lib/aws/secrets-manager.ts";
import { DriftlessError, messageOf } from "../../lib/errors.ts";

/**
 * List prices in USD for us-east-1 without free tiers, written down from memory of AWS' public price lists on 2026-11-21: nothing here
 * asked AWS. `--prices FILE` replaces any of them.
 */
export const prices = {
  /** Arm, per GB-second. */
  lambdaGbSecond: 0.0000133334,
  lambdaMillionRequests: 0.2,
  /** Steps, waits and the like of durable functions. */
  durableMillionOperations: 8,
  durableGbWritten: 0.25,
  durableGbMonthKept: 0.15,
  dynamodbMillionReads: 0.125,
  dynamodbMillionWrites: 0.625,
  dynamodbGbMonth: 0.25,
  dynamodbBackupGbMonth: 0.2,
  sqsFifoMillionRequests: 0.5,
  secretMonth: 0.4,
  secretTenThousandReads: 0.05,
  schedulerMillionStarts: 1,
  httpApiMillionRequests: 1,
  logsGbWritten: 0.5,
  logsGbMonth: 0.03,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  kmsTenThousandRequests: 0.03,
} as const;

export const pricedRegion = "us-east-1";
export const pricedOn = "2026-11-21";

export type Prices = Readonly<Record<keyof typeof prices, number>>;

/** The table above, with what a JSON file states in its place; throws `config` for an unknown name or what is no price. */
export async function readPrices(file: string | undefined): Promise<Prices> {
  if (file === undefined) return prices;
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new DriftlessError("config", `${file} could not be read: ${messageOf(cause)}`, { cause });
  });
  const given = parseSecretObject(text);
  if (given === undefined || Array.isArray(given))
    throw new DriftlessError("config", `${file} must be a JSON object of prices in USD`);
  for (const [name, price] of Object.entries(given)) {
    if (!(name in prices))
      throw new DriftlessError("config", `${file}: there is no price ${name}; known are ${Object.keys(prices).join(", ")}`);
    if (typeof price !== "number" || !(price >= 0))
      throw new DriftlessError("config", `${file}: ${name} must be a number of USD`);
  }
  return { ...prices, ...(given as Partial<Prices>) };
}
