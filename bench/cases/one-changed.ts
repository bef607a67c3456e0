import { deploymentFile } from "../applications.ts";
import { median } from "../figures.ts";
import { allOf, type BenchCase, type DeliveryTimes, deliverChange, figures } from "./case.ts";

const repetitions = 7;

export const oneChanged: BenchCase = {
  name: "one-changed",
  title: (applications) => `1 of ${applications} applications changed (median of ${repetitions})`,
  async run(bed) {
    const times: DeliveryTimes[] = [];
    // The first one only warms up: it is the first change of anything.
    for (let turn = 0; turn <= repetitions; turn++) {
      const name = bed.names[(turn * 13) % bed.names.length] ?? "";
      const mark = bed.newMark();
      const taken = await deliverChange(bed, { files: deploymentFile({ name, mark }), names: [name], mark });
      bed.progress(
        `one-changed ${turn}: applied after ${taken.applied.toFixed(2)} s, recorded after ${taken.recorded.toFixed(2)} s`,
      );
      if (turn > 0) times.push(taken);
    }
    const middle = (of: (taken: DeliveryTimes) => number | undefined): number => median(allOf(times.map(of)));
    return figures(
      { name: "one-changed-answered", title: "webhook answered", value: middle(({ answered }) => answered), unit: "s" },
      { name: "one-changed-planned", title: "planned", value: middle(({ planned }) => planned), unit: "s" },
      { name: "one-changed-begun", title: "sync begun", value: middle(({ begun }) => begun), unit: "s" },
      { name: "one-changed-applied", title: "applied", value: middle(({ applied }) => applied), unit: "s", goal: 1 },
      {
        name: "one-changed-slowest",
        title: "applied, slowest",
        value: Math.max(...times.map(({ applied }) => applied)),
        unit: "s",
      },
      { name: "one-changed-recorded", title: "recorded", value: middle(({ recorded }) => recorded), unit: "s" },
      {
        name: "one-changed-table",
        title: "requests to the table",
        value: middle(({ requests }) => requests.table),
        unit: "requests",
      },
      {
        name: "one-changed-git",
        title: "requests to the Git host",
        value: middle(({ requests }) => requests.git),
        unit: "requests",
      },
      { name: "one-changed-cpu", title: "CPU of the functions", value: middle(({ cpu }) => cpu.functions), unit: "CPU s" },
      {
        name: "one-changed-local-cpu",
        title: "CPU of the local services",
        value: middle(({ cpu }) => cpu.localServices),
        unit: "CPU s",
      },
    );
  },
};
