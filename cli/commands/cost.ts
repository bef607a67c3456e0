import { readFile, writeFile } from "node:fs/promises";
import { parseDuration } from "../../lib/config/duration.ts";
import { DriftlessError, messageOf } from "../../lib/errors.ts";
import { type JsonValue, stringifyJson } from "../../lib/model/json.ts";
import { type Command, flag, type Invocation, textOption, UsageError } from "../command.ts";
import { costOf, type Load, totalOf } from "../cost/model.ts";
import { pricedOn, pricedRegion, readPrices } from "../cost/prices.ts";
import { pageOf, sentenceOf, tableOf, usdOf, withPart } from "../cost/text.ts";

export const cost: Command = {
  usage: "cost [--applications 100] [--interval 10m]",
  summary: "what Driftless costs on AWS in a month, by a model that says what it counts with",
  help: `
  --applications N    applications (default 100)
  --interval 10m      time between sweeps (default 10m)
  --clusters N        clusters (default 1)
  --objects N         objects of each application (default 4)
  --pushes-per-day N  pushes that change one application (default 50)
  --no-alarms         without a topic for alarms
  --public            without a GitHub App
  --prices FILE       JSON object of prices that replace those of ${pricedRegion} (docs/cost.md names them)
  --write FILE        write the table into that page, between its marks
`,
  options: {
    applications: { type: "string" },
    interval: { type: "string" },
    clusters: { type: "string" },
    objects: { type: "string" },
    "pushes-per-day": { type: "string" },
    "no-alarms": { type: "boolean" },
    public: { type: "boolean" },
    prices: { type: "string" },
    write: { type: "string" },
  },
  positionals: { least: 0, most: 0 },
  async run(invocation) {
    const load = loadOf(invocation);
    const file = textOption(invocation, "prices");
    if (invocation.region !== undefined && invocation.region !== pricedRegion && file === undefined)
      throw new UsageError(`prices are known for ${pricedRegion}: give those of ${invocation.region} with --prices FILE`);
    const prices = await readPrices(file);
    const lines = costOf(load, prices);
    const page = textOption(invocation, "write");
    if (page !== undefined) await writePart(page, pageOf(load, prices));
    const of = file === undefined ? `list prices of ${pricedRegion}, ${pricedOn}` : `prices of ${file}`;
    const text = `${sentenceOf(load)}\n\n${tableOf(lines)}\nUSD a month, by ${of}, no free tier. No NAT gateway is needed.\n`;
    const total = Number(usdOf(totalOf(lines)));
    return { text, json: stringifyJson({ load, lines, total } as unknown as JsonValue) };
  },
};

function loadOf(invocation: Invocation): Load {
  const text = textOption(invocation, "interval") ?? "10m";
  const interval = parseDuration(text);
  if (interval === undefined || interval < 60)
    throw new UsageError(`--interval is a duration of a minute or more such as 10m, not ${text}`);
  return {
    applications: numberOption(invocation, "applications", { fallback: 100, least: 1 }),
    clusters: numberOption(invocation, "clusters", { fallback: 1, least: 1 }),
    objects: numberOption(invocation, "objects", { fallback: 4, least: 1 }),
    pushesPerDay: numberOption(invocation, "pushes-per-day", { fallback: 50, least: 0 }),
    interval,
    alarms: !flag(invocation, "no-alarms"),
    github: !flag(invocation, "public"),
  };
}

function numberOption(
  invocation: Invocation,
  name: string,
  { fallback, least }: { readonly fallback: number; readonly least: number },
): number {
  const text = textOption(invocation, name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > 1e7)
    throw new UsageError(`--${name} is a whole number from ${least}, not ${text}`);
  return value;
}

async function writePart(file: string, part: string): Promise<void> {
  try {
    const page = withPart(await readFile(file, "utf8"), part);
    if (page === undefined) throw new Error("it has no marks for the table");
    await writeFile(file, page);
  } catch (cause) {
    throw new DriftlessError("config", `${file} was not written: ${messageOf(cause)}`, { cause });
  }
}
