import { access, constants, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DriftlessError, isDriftlessError, messageOf } from "../lib/errors.ts";
import { type Bed, startBed } from "./bed.ts";
import type { BenchCase } from "./cases/case.ts";
import { benchCases } from "./cases/cases.ts";
import { firstSync } from "./cases/first-sync.ts";
import type { CaseFigures } from "./figures.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { peakMemory } from "./processes.ts";
import { humanTable, jsonLine, type Machine, performancePage } from "./report.ts";

const usage = `npm run bench [-- OPTION ...]

Measures Driftless on this machine: a real Kubernetes control plane, the functions, and what stands for AWS around them.
A goal that is missed is said so, and is no failure of the command.

  --only PATTERN      only the cases whose names match this regular expression: ${benchCases.map(({ name }) => name).join(", ")}
  --applications N    how many applications (default 100); the larger cases take 2 to 10 times as many, at most 1000
  --objects N,N        how many objects the clusters have whose sweeps are measured (default 1000,10000; at most 50000)
  --json              one JSON object a line instead of a table: name, value, unit, and goal and holds where there is a goal
  --write FILE        also write the page that docs/performance.md is to this file
`;

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => ending.abort(new Error(`stopped by ${signal}`)));

const began = performance.now();
function progress(line: string): void {
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
}

async function main(options: BenchOptions): Promise<void> {
  if (options.write !== undefined) await assertWritable(options.write);
  const before = loadNow();
  const bed = await startBed({ ...options, progress, signal: ending.signal });
  try {
    const measured = await runCases(bed, options);
    const machine = await describeMachine(bed.cluster.controlPlane, { before });
    if (!options.json) process.stdout.write(humanTable(measured, machine));
    if (options.write !== undefined) await writePage(options.write, { measured, machine, options });
  } finally {
    progress("stopping");
    await bed.close();
  }
}

async function runCases(bed: Bed, { only, json, applications }: BenchOptions): Promise<readonly CaseFigures[]> {
  const measured: CaseFigures[] = [];
  const needed = (benchCase: BenchCase): boolean => only.test(benchCase.name);
  for (const benchCase of benchCases) {
    const wanted = needed(benchCase);
    if (!wanted && !(benchCase === firstSync && benchCases.some((each) => each.afterFirstSync && needed(each)))) continue;
    const title = benchCase.title(applications);
    progress(title);
    const figures = await benchCase.run(bed);
    if (!wanted) continue;
    measured.push({ title, figures });
    if (json) for (const figure of figures) process.stdout.write(`${jsonLine(figure)}\n`);
  }
  const memory = await peakMemory(bed.installation.lambda.pid);
  if (memory === undefined) return measured;
  const peak = {
    name: "functions-peak-memory",
    title: `peak memory of the process of all functions, ${applications} applications`,
    value: memory,
    unit: "MiB",
  } as const;
  if (json) process.stdout.write(`${jsonLine(peak)}\n`);
  return [...measured, { title: "In all", figures: [peak] }];
}

/** Before the minutes that it takes to have something to write. */
async function assertWritable(file: string): Promise<void> {
  await access(dirname(resolve(file)), constants.W_OK).catch((cause: unknown) => {
    throw new DriftlessError("config", `--write ${file}: its folder is not there, or cannot be written to`, { cause });
  });
}

async function writePage(
  file: string,
  {
    measured,
    machine,
    options,
  }: { readonly measured: readonly CaseFigures[]; readonly machine: Machine; readonly options: BenchOptions },
): Promise<void> {
  const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
  await writeFile(file, performancePage(measured, { machine, applications: options.applications, command }));
  progress(`written: ${file}`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await main(options);
} catch (error) {
  if (!isDriftlessError(error) && !ending.signal.aborted) throw error;
  process.stderr.write(`npm run bench: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
