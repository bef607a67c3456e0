import { median } from "../figures.ts";
import { peakMemory } from "../processes.ts";
import { sizesOf } from "../sizes.ts";
import { type BenchCase, figures } from "./case.ts";
import { changeAll } from "./many-changed.ts";
import { changeOne } from "./one-changed.ts";

const repetitions = 5;

export const thousand: BenchCase = {
  name: "thousand",
  title: (applications) => {
    const { most } = sizesOf(applications);
    return `${most} applications changed by one push, and then 1 of ${most} (median of ${repetitions})`;
  },
  afterFirstSync: true,
  async run(bed) {
    const { most } = sizesOf(bed.names.length);
    const { fleet, growTo } = await bed.largeFleet();
    const names = await growTo(most);
    const all = await changeAll(fleet, names);
    bed.progress(`thousand: applied after ${all.applied.toFixed(2)} s, recorded after ${all.recorded.toFixed(2)} s`);
    const ofMost: number[] = [];
    const ofFewer: number[] = [];
    for (let turn = 0; turn <= repetitions; turn++) {
      const one = await changeOne(fleet, { names, turn });
      const other = await changeOne(bed, { names: bed.names, turn });
      bed.progress(
        `thousand, 1 of them ${turn}: applied after ${one.applied.toFixed(2)} s; of ${bed.names.length} after ${other.applied.toFixed(2)} s`,
      );
      if (turn === 0) continue;
      ofMost.push(one.applied);
      ofFewer.push(other.applied);
    }
    const applied = median(ofMost);
    const cpu = all.cpu.functions;
    const requests = all.cluster.reads + all.cluster.writes;
    return figures(
      { name: "thousand-planned", title: "planned", value: all.planned, unit: "s" },
      { name: "thousand-begun", title: "syncs begun", value: all.begun, unit: "s" },
      { name: "thousand-applied", title: "applied", value: all.applied, unit: "s", goal: 15 },
      { name: "thousand-recorded", title: "recorded", value: all.recorded, unit: "s" },
      {
        name: "thousand-requests",
        title: "requests to the API server, for each object changed",
        value: requests / most,
        unit: "requests",
        goal: 1.3,
      },
      {
        name: "thousand-table",
        title: "requests to the table",
        value: all.requests.table,
        unit: "requests",
      },
      {
        name: "thousand-cpu-each",
        title: "CPU of the functions, for each application",
        value: cpu === undefined ? undefined : (1000 * cpu) / most,
        unit: "ms",
        goal: 10,
      },
      {
        name: "thousand-memory",
        title: "peak memory of their process",
        value: await peakMemory(fleet.installation.lambda.pid),
        unit: "MiB",
      },
      { name: "thousand-one", title: `1 of ${most}: applied`, value: applied, unit: "s", goal: 0.2 },
      {
        name: "thousand-one-ratio",
        title: `1 of ${most}: applied, in those of 1 of ${bed.names.length} beside it`,
        value: applied / median(ofFewer),
        unit: "x",
        goal: 1.25,
      },
    );
  },
};
