import type { Bed } from "../bed.ts";
import { type RequestsMade, startCpuMeter, startRequestMeter } from "../meter.ts";
import { startServiceMeter } from "../services.ts";
import { type BenchCase, figures } from "./case.ts";

/** A ServiceAccount, a Service, a Deployment and an Ingress; of none are there more than a page. */
const kinds = 4;

interface Synced extends RequestsMade {
  readonly seconds: number;
  readonly runs: number;
  readonly table: number;
  readonly cpu: number | undefined;
}

/** What is live is what is desired: a sync that somebody asks for has nothing to do but to look. */
export const unchanged: BenchCase = {
  name: "unchanged",
  title: (applications) =>
    `Syncs with no change: of 1 application, and of ${applications} (a rebuild of a cluster that is whole)`,
  afterFirstSync: true,
  async run(bed) {
    const [name = ""] = bed.names;
    // The first one brings the API's code.
    await syncUnchanged(bed, { names: [name], path: `/applications/${name}/sync` });
    const one = await syncUnchanged(bed, { names: [name], path: `/applications/${name}/sync` });
    const all = await syncUnchanged(bed, { names: bed.names, path: "/clusters/bench/rebuild" });
    return figures(
      { name: "unchanged-time", title: "1 application: recorded", value: one.seconds, unit: "s" },
      { name: "unchanged-reads", title: "reads, of 4 kinds", value: one.reads, unit: "requests", goal: kinds },
      { name: "unchanged-writes", title: "writes", value: one.writes, unit: "requests", goal: 0 },
      { name: "unchanged-table", title: "requests to the table", value: one.table, unit: "requests" },
      { name: "unchanged-all-time", title: "all applications: recorded", value: all.seconds, unit: "s" },
      {
        name: "unchanged-all-reads",
        title: `reads, of 4 kinds, for each of ${all.runs} runs`,
        value: all.reads / all.runs,
        unit: "requests",
        goal: kinds,
      },
      { name: "unchanged-all-writes", title: "writes", value: all.writes, unit: "requests", goal: 0 },
      { name: "unchanged-all-table", title: "requests to the table", value: all.table, unit: "requests" },
      { name: "unchanged-all-cpu", title: "CPU of the functions", value: all.cpu, unit: "CPU s" },
    );
  },
};

async function syncUnchanged(
  bed: Bed,
  { names, path }: { readonly names: readonly string[]; readonly path: string },
): Promise<Synced> {
  const { cluster, events, installation } = bed;
  events.clear();
  const runsBefore = installation.lambda.executions().length;
  const made = await startRequestMeter(cluster);
  const spent = await startCpuMeter(bed);
  const counted = startServiceMeter();
  const started = performance.now();
  const [recorded] = await Promise.all([events.recorded(names), bed.act(path)]);
  const { table } = counted();
  const { functions: cpu } = await spent();
  const runs = installation.lambda.executions().length - runsBefore;
  const synced = { ...(await made()), seconds: (recorded - started) / 1000, runs, table, cpu };
  bed.progress(
    `unchanged: ${names.length} recorded after ${synced.seconds.toFixed(2)} s, ${synced.reads} reads, ${synced.writes} writes`,
  );
  return synced;
}
