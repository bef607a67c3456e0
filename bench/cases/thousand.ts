import { type DeliveryTimes } from "../delivery.ts";
import { median } from "../figures.ts";
import { peakMemory } from "../processes.ts";
import { sizesOf } from "../sizes.ts";
import { allOf, type BenchCase, figures } from "./case.ts";
import { changeAll } from "./many-changed.ts";
import { changeOne } from "./one-changed.ts";

const turnsOfMost = 2;
const turnsOfOne = 7;

export const thousand: BenchCase = {
  name: "thousand",
  title: (applications) => {
    const { most } = sizesOf(applications);
    return `${most} applications changed by one push (mean of ${turnsOfMost}), and 1 of ${most} (median of ${turnsOfOne})`;
  },
  afterFirstSync: true,
  async run(bed) {
    const { most } = sizesOf(bed.names.length);
    const { fleet, growTo } = await bed.largeFleet();
    const names = await growTo(most);
    const all: DeliveryTimes[] = [];
    for (let turn = 1; turn <= turnsOfMost; turn++) {
      const taken = await changeAll(fleet, names);
      all.push(taken);
      bed.progress(
        `thousand ${turn}: applied after ${taken.applied.toFixed(2)} s, recorded after ${taken.recorded.toFixed(2)} s`,
      );
    }
    const ofMost: number[] = [];
    const ofFewer: number[] = [];
    for (let turn = 0; turn <= turnsOfOne; turn++) {
      const one = await changeOne(fleet, { names, turn });
      const other = await changeOne(bed, { names: bed.names, turn });
      bed.progress(
        `thousand, 1 of them ${turn}: applied after ${one.applied.toFixed(2)} s; of ${bed.names.length} after ${other.applied.toFixed(2)} s`,
      );
      if (turn === 0) continue;
      ofMost.push(one.applied);
      ofFewer.push(other.applied);
    }
    const middle = (of: (taken: DeliveryTimes) => number | undefined): number => median(allOf(all.map(of)));
    const applied = median(ofMost);
    const cpu = middle((taken) => taken.cpu.functions);
    const requests = middle(({ cluster }) => cluster.reads + cluster.writes);
    return figures(
      { name: "thousand-planned", title: "planned", value: middle(({ planned }) => planned), unit: "s" },
      { name: "thousand-begun", title: "syncs begun", value: middle(({ begun }) => begun), unit: "s" },
      { name: "thousand-applied", title: "applied", value: middle((taken) => taken.applied), unit: "s", goal: 15 },
      { name: "thousand-recorded", title: "recorded", value: middle(({ recorded }) => recorded), unit: "s" },
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
        value: middle(({ requests: made }) => made.table),
        unit: "requests",
      },
      {
        name: "thousand-cpu-each",
        title: "CPU of the functions, for each application",
        value: (1000 * cpu) / most,
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
