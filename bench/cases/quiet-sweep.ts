import { DriftlessError } from "../../lib/errors.ts";
import type { SweepReport } from "../../lib/model/drift.ts";
import type { SweepResult } from "../../lib/sync/sweep/sweep.ts";
import type { Bed } from "../bed.ts";
import { median } from "../figures.ts";
import { type CpuSpent, startCpuMeter, startRequestMeter } from "../meter.ts";
import { type ServiceRequests, startServiceMeter } from "../services.ts";
import { allOf, type BenchCase, figures } from "./case.ts";
import { kubectlDiff } from "./kubectl-apply.ts";

const repetitions = 7;
const warmUps = 2;
const comparisons = 3;

interface Swept {
  readonly seconds: number;
  readonly reads: number;
  readonly writes: number;
  readonly report: SweepReport;
  readonly cpu: CpuSpent;
  readonly services: ServiceRequests;
}

export const quietSweep: BenchCase = {
  name: "quiet-sweep",
  afterFirstSync: true,
  title: (applications) => `Sweep of ${applications} applications without drift (median of ${repetitions}, warm)`,
  async run(bed) {
    const sweeps: Swept[] = [];
    for (let turn = 1 - warmUps; turn <= repetitions; turn++) {
      const swept = await measuredSweep(bed);
      bed.progress(`quiet-sweep ${turn}: ${swept.seconds.toFixed(3)} s, ${swept.reads + swept.writes} requests`);
      if (turn > 0) sweeps.push(swept);
    }
    const diffs: number[] = [];
    for (let turn = 0; turn < comparisons; turn++) diffs.push((await kubectlDiff(bed)).seconds);
    const seconds = median(sweeps.map((swept) => swept.seconds));
    const kubectl = median(diffs);
    return figures(
      { name: "quiet-sweep-time", title: "sweep", value: seconds, unit: "s", goal: 0.1 },
      {
        name: "quiet-sweep-slowest",
        title: "sweep, slowest",
        value: Math.max(...sweeps.map((swept) => swept.seconds)),
        unit: "s",
      },
      {
        name: "quiet-sweep-requests",
        title: "requests, most",
        value: most(sweeps, ({ reads, writes }) => reads + writes),
        unit: "requests",
        goal: 12,
      },
      {
        name: "quiet-sweep-writes",
        title: "writes, most",
        value: most(sweeps, ({ writes }) => writes),
        unit: "requests",
        goal: 0,
      },
      {
        name: "quiet-sweep-reported",
        title: "requests by its own report, most",
        value: most(sweeps, ({ report }) => report.requests),
        unit: "requests",
        goal: 12,
      },
      {
        name: "quiet-sweep-suspects",
        title: "objects looked at closely, most",
        value: most(sweeps, ({ report }) => report.suspects),
        unit: "objects",
      },
      { name: "quiet-sweep-kubectl", title: `kubectl diff, the same (median of ${comparisons})`, value: kubectl, unit: "s" },
      { name: "quiet-sweep-ratio", title: "sweep, in runs of kubectl diff", value: seconds / kubectl, unit: "x" },
      {
        name: "quiet-sweep-table",
        title: "requests to the table",
        value: most(sweeps, ({ services }) => services.table),
        unit: "requests",
      },
      {
        name: "quiet-sweep-git",
        title: "requests to the Git host",
        value: most(sweeps, ({ services }) => services.git),
        unit: "requests",
      },
      {
        name: "quiet-sweep-cpu",
        title: "CPU of the functions",
        value: median(allOf(sweeps.map(({ cpu }) => cpu.functions))),
        unit: "CPU s",
      },
      {
        name: "quiet-sweep-local-cpu",
        title: "CPU of the local services",
        value: median(sweeps.map(({ cpu }) => cpu.localServices)),
        unit: "CPU s",
      },
    );
  },
};

/** One sweep, which must find nothing: anything else would be another measurement. */
async function measuredSweep(bed: Bed): Promise<Swept> {
  const counted = await startRequestMeter(bed.cluster);
  const spent = await startCpuMeter(bed);
  const countedServices = startServiceMeter();
  const started = performance.now();
  const { reports, movedHeads, restarted } = await sweep(bed);
  const seconds = (performance.now() - started) / 1000;
  const services = countedServices();
  const cpu = await spent();
  const [report] = reports;
  if (report === undefined || report.drifted > 0 || report.errors.length > 0 || movedHeads.length > 0 || restarted.length > 0)
    throw new DriftlessError(
      "cluster",
      `a sweep without drift was expected, not ${JSON.stringify({ report, movedHeads, restarted })}`,
    );
  return { seconds, ...(await counted()), report, cpu, services };
}

/** Runs one sweep now and waits for it. */
export async function sweep({ installation }: Bed): Promise<SweepResult> {
  const result = await installation.sweep();
  if ("error" in result) throw new DriftlessError("cluster", `the sweep failed: ${result.error.errorMessage}`);
  return result.payload as SweepResult;
}

function most(sweeps: readonly Swept[], of: (swept: Swept) => number): number {
  return Math.max(...sweeps.map(of));
}
