import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { DriftlessError } from "../../lib/errors.ts";
import type { SweepReport } from "../../lib/model/drift.ts";
import type { Bed } from "../bed.ts";
import { type Figure, median } from "../figures.ts";
import { type Growth, startGrowth } from "../growth.ts";
import { type BenchCase, figures } from "./case.ts";

const repetitions = 5;
const drifted = 25;
/** A heap for a process of 256 MiB: V8 takes what it is given before it cleans up, and this machine would give it gigabytes. */
const heapOf256MiB = ["--max-old-space-size=192", "--max-semi-space-size=8"];
/** Sweeps that it may take until nothing moves any more: controllers are at new objects for a while. */
const mostWarmUps = 60;

export const sweepGrowth: BenchCase = {
  name: "sweep-growth",
  title: () =>
    `Sweep of clusters that grow, in a process of its own (median of ${repetitions}; 100 objects of 4 kinds an application)`,
  async run(bed) {
    const growth = await startGrowth(bed.cluster, bed.progress);
    try {
      const all: Figure[] = [];
      for (const objects of bed.objects) {
        await growth.growTo(objects);
        all.push(...(await measure(bed, growth, objects)));
      }
      return all;
    } finally {
      await growth.close();
    }
  },
};

async function measure(bed: Bed, growth: Growth, objects: number): Promise<readonly Figure[]> {
  const sweeper = await startSweeper(growth);
  try {
    let warmUps = 0;
    for (let report = await sweeper.sweep(); !isQuiet(report); report = await sweeper.sweep()) {
      if (++warmUps > mostWarmUps) throw new DriftlessError("cluster", `the sweep finds no peace: ${JSON.stringify(report)}`);
    }
    const quiet: SweepReport[] = [];
    for (let turn = 0; turn < repetitions; turn++) quiet.push(await sweeper.sweep());
    const peak = Math.max(...quiet.map(({ peakMemoryMiB = Number.NaN }) => peakMemoryMiB));
    await growth.edit(drifted, "drifted");
    const found = await sweeper.sweep();
    await growth.edit(drifted, "desired");
    for (let report = await sweeper.sweep(); report.drifted > 0; report = await sweeper.sweep()) continue;
    if (found.drifted !== drifted) throw new DriftlessError("cluster", `${found.drifted} rows of drift, not ${drifted}`);
    const seconds = median(quiet.map(({ durationMs }) => durationMs)) / 1000;
    bed.progress(`sweep-growth ${objects}: ${seconds.toFixed(3)} s, ${peak} MiB, ${quiet[0]?.requests} requests`);
    return figuresOf(objects, { quiet, found, seconds, peak, idle: sweeper.idle });
  } finally {
    sweeper.end();
  }
}

interface Measured {
  readonly quiet: readonly SweepReport[];
  readonly found: SweepReport;
  readonly seconds: number;
  readonly peak: number;
  /** Memory of the process before its first sweep. */
  readonly idle: number;
}

function figuresOf(objects: number, { quiet, found, seconds, peak, idle }: Measured): readonly Figure[] {
  const name = `sweep-growth-${objects}`;
  const title = `${objects} objects`;
  const requests = Math.max(...quiet.map((report) => report.requests));
  const goals = objects <= 10_000;
  return figures(
    { name: `${name}-time`, title: `${title}: sweep`, value: seconds, unit: "s", ...(goals ? { goal: 1 } : {}) },
    {
      name: `${name}-cpu`,
      title: `${title}: CPU`,
      value: median(quiet.map(({ cpuMs = Number.NaN }) => cpuMs)) / 1000,
      unit: "CPU s",
    },
    { name: `${name}-requests`, title: `${title}: requests`, value: requests, unit: "requests" },
    { name: `${name}-bytes`, title: `${title}: read`, value: median(quiet.map(({ bytes }) => bytes)) / 2 ** 20, unit: "MiB" },
    {
      name: `${name}-memory`,
      title: `${title}: peak memory of the process`,
      value: peak,
      unit: "MiB",
      ...(goals ? { goal: 256 } : {}),
    },
    { name: `${name}-idle-memory`, title: `${title}: of these before the first sweep`, value: idle, unit: "MiB" },
    { name: `${name}-drift-time`, title: `${title}, ${drifted} drifted: sweep`, value: found.durationMs / 1000, unit: "s" },
    {
      name: `${name}-dry-runs`,
      title: `${title}, ${drifted} drifted: dry runs`,
      value: found.dryRuns,
      unit: "requests",
      goal: drifted,
    },
    {
      name: `${name}-drift-requests`,
      title: `${title}, ${drifted} drifted: requests more than without`,
      value: found.requests - requests,
      unit: "requests",
      goal: 30,
    },
  );
}

/** True once a sweep has read nothing but its lists. */
function isQuiet({ requests, pages, suspects, healthChanged, errors }: SweepReport): boolean {
  return requests === pages && suspects === 0 && healthChanged.length === 0 && errors.length === 0;
}

interface Sweeper {
  sweep(): Promise<SweepReport>;
  readonly idle: number;
  end(): void;
}

async function startSweeper({ access }: Growth): Promise<Sweeper> {
  const child = fork(fileURLToPath(new URL("../sweep-process.ts", import.meta.url)), [], { execArgv: heapOf256MiB });
  try {
    child.send(access);
    const { ready = Number.NaN } = await answer(child);
    return {
      idle: ready,
      async sweep() {
        child.send("sweep");
        const { report, error = "another sweep is at it" } = await answer(child);
        if (report === undefined) throw new DriftlessError("cluster", `the sweep failed: ${error}`);
        return report;
      },
      end: () => child.kill(),
    };
  } catch (error) {
    child.kill();
    throw error;
  }
}

interface Answer {
  readonly ready?: number;
  readonly report?: SweepReport;
  readonly error?: string;
}

async function answer(child: ChildProcess): Promise<Answer> {
  const ending = new AbortController();
  const { signal } = ending;
  try {
    const exit = once(child, "exit", { signal }).then(() => [{ error: "its process ended" }]);
    const [message] = (await Promise.race([once(child, "message", { signal }), exit])) as [Answer];
    return message;
  } finally {
    ending.abort();
  }
}
