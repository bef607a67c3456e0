import { quiet } from "../delivery.ts";
import { startCpuMeter, startRequestMeter } from "../meter.ts";
import { sizesOf } from "../sizes.ts";
import { type BenchCase, figures } from "./case.ts";

export const rebuild: BenchCase = {
  name: "rebuild",
  title: (applications) => {
    const { many } = sizesOf(applications);
    return `Rebuild of ${many} applications, ${4 * many} objects and their namespaces, on an empty cluster`;
  },
  async run(bed) {
    const { many } = sizesOf(bed.names.length);
    const { fleet, growTo } = await bed.largeFleet();
    const names = await growTo(many);
    const empty = await bed.emptyCluster();
    if (empty === undefined) return [];
    empty.expectNamespaces(names);
    await fleet.moveTo(empty);
    fleet.events.clear();
    const made = await startRequestMeter(empty);
    const spent = await startCpuMeter(fleet);
    const started = performance.now();
    const since = (at: number): number => (at - started) / 1000;
    const [applied, recorded] = await Promise.all([
      empty.deployments.until(names, { what: "Deployments", holds: (seen) => seen !== undefined, withinMs: 300_000 }),
      fleet.events.recorded(names, { withinMs: 300_000 }),
      fleet.act("/clusters/bench/rebuild"),
    ]);
    const { functions } = await spent();
    const { reads, writes } = await made();
    await quiet(fleet, names);
    bed.progress(`rebuild: applied after ${since(applied).toFixed(2)} s, recorded after ${since(recorded).toFixed(2)} s`);
    return figures(
      {
        name: "rebuild-applied",
        title: "the last Deployment is there, functions started anew",
        value: since(applied),
        unit: "s",
      },
      { name: "rebuild-recorded", title: "recorded", value: since(recorded), unit: "s" },
      {
        name: "rebuild-requests",
        title: "requests to the API server, for each object",
        value: (reads + writes) / (4 * many),
        unit: "requests",
      },
      { name: "rebuild-cpu", title: "CPU of the functions", value: functions, unit: "CPU s" },
    );
  },
};
