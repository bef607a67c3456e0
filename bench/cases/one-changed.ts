import { applicationNames, deploymentFile } from "../applications.ts";
import { type DeliveryTimes, deliverChange } from "../delivery.ts";
import { median } from "../figures.ts";
import type { Fleet } from "../fleet.ts";
import { deliverNew } from "../large-fleet.ts";
import { sizesOf } from "../sizes.ts";
import { allOf, type BenchCase, figures } from "./case.ts";

const repetitions = 7;

/** Changes the Deployment of one application of a fleet, each turn of another. */
export function changeOne(fleet: Fleet, { names, turn }: { readonly names: readonly string[]; readonly turn: number }) {
  const name = names[(turn * 13) % names.length] ?? "";
  const mark = fleet.newMark();
  return deliverChange(fleet, { files: deploymentFile({ name, mark }), names: [name], mark });
}

export const oneChanged: BenchCase = {
  name: "one-changed",
  title: (applications) =>
    `1 of ${applications} applications changed (median of ${repetitions}, in turns with 1 of ${sizesOf(applications).few})`,
  afterFirstSync: true,
  async run(bed) {
    const { few } = sizesOf(bed.names.length);
    const small = await bed.startFleet();
    try {
      const smallNames = applicationNames({ prefix: "small", count: few });
      await deliverNew(small, { all: smallNames, added: smallNames });
      const ours: DeliveryTimes[] = [];
      const ofFew: DeliveryTimes[] = [];
      // The first turn only warms up: it is the first change of anything.
      for (let turn = 0; turn <= repetitions; turn++) {
        const taken = await changeOne(bed, { names: bed.names, turn });
        const other = await changeOne(small, { names: smallNames, turn });
        bed.progress(`one-changed ${turn}: applied after ${shown(taken)} s; of ${few} after ${shown(other)} s`);
        if (turn === 0) continue;
        ours.push(taken);
        ofFew.push(other);
      }
      return figuresOf(ours, { few, ofFew });
    } finally {
      await small.close();
    }
  },
};

function figuresOf(times: readonly DeliveryTimes[], { few, ofFew }: { few: number; ofFew: readonly DeliveryTimes[] }) {
  const middle = (of: (taken: DeliveryTimes) => number | undefined): number => median(allOf(times.map(of)));
  const applied = middle((taken) => taken.applied);
  const beside = median(ofFew.map((taken) => taken.applied));
  const cluster = middle((taken) => taken.cluster.reads + taken.cluster.writes);
  return figures(
    { name: "one-changed-answered", title: "webhook answered", value: middle(({ answered }) => answered), unit: "s" },
    { name: "one-changed-planned", title: "planned", value: middle(({ planned }) => planned), unit: "s" },
    { name: "one-changed-begun", title: "sync begun", value: middle(({ begun }) => begun), unit: "s" },
    { name: "one-changed-applied", title: "applied", value: applied, unit: "s", goal: 0.2 },
    {
      name: "one-changed-slowest",
      title: "applied, slowest",
      value: Math.max(...times.map((taken) => taken.applied)),
      unit: "s",
    },
    { name: "one-changed-few", title: `1 of ${few}: applied`, value: beside, unit: "s", goal: 0.2 },
    { name: "one-changed-few-ratio", title: `applied, in those of 1 of ${few}`, value: applied / beside, unit: "x", goal: 1.25 },
    { name: "one-changed-recorded", title: "recorded", value: middle(({ recorded }) => recorded), unit: "s" },
    { name: "one-changed-requests", title: "requests to the API server", value: cluster, unit: "requests" },
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
}

function shown({ applied }: DeliveryTimes): string {
  return applied.toFixed(2);
}
