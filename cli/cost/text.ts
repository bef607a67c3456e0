import { textTable } from "../table.ts";
import { figures } from "./measured.ts";
import { type CostLine, costOf, type Load, totalOf } from "./model.ts";
import { prices as listed, type Prices, pricedOn, pricedRegion } from "./prices.ts";

function amountOf(amount: number): string {
  if (amount === 0) return "0";
  if (amount >= 1000)
    return Math.round(amount)
      .toString()
      .replace(/\B(?=(?:\d{3})+$)/g, ",");
  return Number(amount.toPrecision(3)).toString();
}

export function usdOf(usd: number): string {
  return usd.toFixed(2);
}

/** What was counted with, in one sentence. */
export function sentenceOf({ applications, clusters, objects, pushesPerDay, interval, alarms }: Load): string {
  const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
  const watched = alarms ? "alarms on" : "no alarms";
  return `${many(applications, "application")} of ${many(objects, "object")} on ${many(clusters, "cluster")}, a sweep every ${interval / 60} min, ${many(pushesPerDay, "push").replace("pushs", "pushes")} a day, ${watched}`;
}

export function tableOf(lines: readonly CostLine[]): string {
  const rows = lines.map(({ service, what, amount, unit, usd }) => [service, what, `${amountOf(amount)} ${unit}`, usdOf(usd)]);
  return textTable(["SERVICE", "WHAT", "A MONTH", "USD"], [...rows, ["all", "", "", usdOf(totalOf(lines))]], { empty: "" });
}

/** The part of docs/cost.md that the command writes: the table of one load, and totals of others. */
export function pageOf(load: Load, prices: Prices): string {
  const lines = costOf(load, prices);
  const table = lines.map(
    ({ service, what, amount, unit, usd }) => `| ${service} | ${what} | ${amountOf(amount)} ${unit} | ${usdOf(usd)} |`,
  );
  const intervals = [300, 600, 1800];
  const totals = [10, 100, 1000].map((applications) => {
    const each = intervals.map((interval) => usdOf(totalOf(costOf({ ...load, applications, interval }, prices))));
    return `| ${applications} | ${each.join(" | ")} |`;
  });
  const counts = Object.values(figures).map(({ value, unit, source }) => {
    const from =
      source.kind === "measured"
        ? `measured: ${source.heading}, ${source.row}`
        : source.kind === "template"
          ? source.file
          : `assumed: ${source.why}`;
    return `| ${amountOf(value)} | ${unit} | ${from} |`;
  });
  const used = Object.entries(prices).map(([name, usd]) => `| \`${name}\` | ${usd} |`);
  return [
    `${sentenceOf(load)[0]?.toUpperCase()}${sentenceOf(load).slice(1)}:`,
    "",
    "| Service | What | A month | USD |",
    "| --- | --- | ---: | ---: |",
    ...table,
    `| **all** | | | **${usdOf(totalOf(lines))}** |`,
    "",
    "The same with other numbers of applications and pauses between sweeps, in USD a month:",
    "",
    `| Applications | ${intervals.map((interval) => `every ${interval / 60} min`).join(" | ")} |`,
    `| ---: | ${intervals.map(() => "---:").join(" | ")} |`,
    ...totals,
    "",
    "## What it counts with",
    "",
    "| Figure | Of | From |",
    "| ---: | --- | --- |",
    ...counts,
    "",
    "## Prices",
    "",
    `List prices of ${pricedRegion} in USD as of ${pricedOn}, ${prices === listed ? "written down from memory of AWS' public lists: compare them with AWS' own pages" : "with some replaced by a file"}.`,
    "",
    "| Price | USD |",
    "| --- | ---: |",
    ...used,
    "",
  ].join("\n");
}

const marks = { begin: "<!-- Written by `driftless cost --write`: begin -->", end: "<!-- end -->" };

/** A page with the part between its marks replaced; undefined for one that has no such marks. */
export function withPart(page: string, part: string): string | undefined {
  const [from, to] = [page.indexOf(marks.begin), page.indexOf(marks.end)];
  if (from < 0 || to < from) return undefined;
  return `${page.slice(0, from + marks.begin.length)}\n${part}${page.slice(to)}`;
}
