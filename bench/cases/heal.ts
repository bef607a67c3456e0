import { mapConcurrently } from "../../lib/cluster/concurrency.ts";
import { containerName, markVariable } from "../applications.ts";
import type { Bed } from "../bed.ts";
import { quiet } from "../delivery.ts";
import { median } from "../figures.ts";
import { startCpuMeter, startRequestMeter } from "../meter.ts";
import { allOf, type BenchCase, figures } from "./case.ts";
import { sweep } from "./quiet-sweep.ts";

/** Of 100; of few applications fewer. */
const mostDrifted = 25;
const mostDeleted = 2;
const repetitions = 3;

interface Healed {
  /** Seconds from the moment before the sweep began. */
  readonly swept: number;
  readonly applied: number;
  readonly recorded: number;
  readonly reads: number;
  readonly writes: number;
  readonly cpu: number | undefined;
}

export const heal: BenchCase = {
  name: "heal",
  afterFirstSync: true,
  title: (applications) => {
    const { drifted, deleted } = damageTo(applications);
    return `Sweep with ${drifted} drifted and ${deleted} deleted of ${applications} applications (median of ${repetitions})`;
  },
  async run(bed) {
    const all: Healed[] = [];
    for (let turn = 1; turn <= repetitions; turn++) {
      const healed = await measuredHeal(bed, turn);
      bed.progress(`heal ${turn}: as desired after ${healed.applied.toFixed(2)} s, ${healed.reads + healed.writes} requests`);
      all.push(healed);
    }
    const middle = (of: (healed: Healed) => number | undefined): number => median(allOf(all.map(of)));
    return figures(
      { name: "heal-swept", title: "sweep ended, rows written", value: middle(({ swept }) => swept), unit: "s" },
      { name: "heal-applied", title: "all as desired again", value: middle(({ applied }) => applied), unit: "s", goal: 0.5 },
      { name: "heal-recorded", title: "recorded", value: middle(({ recorded }) => recorded), unit: "s" },
      { name: "heal-requests", title: "requests", value: middle(({ reads, writes }) => reads + writes), unit: "requests" },
      { name: "heal-writes", title: "of these writes or dry runs", value: middle(({ writes }) => writes), unit: "requests" },
      { name: "heal-cpu", title: "CPU of the functions", value: middle(({ cpu }) => cpu), unit: "CPU s" },
    );
  },
};

async function measuredHeal(bed: Bed, turn: number): Promise<Healed> {
  const { names, events } = bed;
  const { deployments } = bed.cluster;
  const { drifted, deleted } = damageTo(names.length);
  const damaged = names.slice(0, drifted + deleted);
  const desired = new Map(damaged.map((name) => [name, deployments.get(name)?.mark]));
  await damage(bed, { drifted: damaged.slice(0, drifted), deleted: damaged.slice(drifted), mark: `drift-${turn}` });
  events.clear();
  const counted = await startRequestMeter(bed.cluster);
  const spent = await startCpuMeter(bed);
  const started = performance.now();
  const since = (at: number): number => (at - started) / 1000;
  const [{ id, swept }, applied] = await Promise.all([
    sweep(bed).then((result) => ({ id: result.id, swept: performance.now() })),
    deployments.until(damaged, {
      what: "Deployments to be healed",
      holds: (seen, name) => seen !== undefined && seen.mark === desired.get(name),
    }),
  ]);
  const recorded = await events.recorded(damaged, { correlationId: id });
  const [cpu, requests] = [await spent(), await counted()];
  await quiet(bed, names);
  return { swept: since(swept), applied: since(applied), recorded: since(recorded), ...requests, cpu: cpu.functions };
}

/** How many Deployments are edited, and how many deleted. */
function damageTo(applications: number): { readonly drifted: number; readonly deleted: number } {
  return {
    drifted: Math.min(mostDrifted, Math.ceil(applications / 4)),
    deleted: Math.min(mostDeleted, Math.floor(applications / 4)),
  };
}

/** Edits and deletes as a person with kubectl would, and waits until the watch has seen it all. */
async function damage(
  { cluster }: Bed,
  { drifted, deleted, mark }: { readonly drifted: readonly string[]; readonly deleted: readonly string[]; readonly mark: string },
): Promise<void> {
  const path = (name: string): string => `/apis/apps/v1/namespaces/${name}/deployments/${name}`;
  const container = { name: containerName, env: [{ name: markVariable, value: mark }] };
  const body = { spec: { template: { spec: { containers: [container] } } } };
  const contentType = "application/strategic-merge-patch+json";
  await mapConcurrently(drifted, {
    limit: 8,
    work: (name) => cluster.api(`${path(name)}?fieldManager=kubectl-edit`, { method: "PATCH", body, contentType }),
  });
  await mapConcurrently(deleted, { limit: 8, work: (name) => cluster.api(path(name), { method: "DELETE" }) });
  await cluster.deployments.until(drifted, { what: "edits to be seen", holds: (seen) => seen?.mark === mark });
  await cluster.deployments.until(deleted, { what: "deletions to be seen", holds: (seen) => seen === undefined });
  await quiet({ cluster }, drifted);
}
