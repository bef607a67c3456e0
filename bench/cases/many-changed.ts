import { changedFiles } from "../applications.ts";
import { type DeliveryTimes, deliverChange } from "../delivery.ts";
import { median } from "../figures.ts";
import type { Fleet } from "../fleet.ts";
import { sizesOf } from "../sizes.ts";
import { allOf, type BenchCase, figures } from "./case.ts";

const repetitions = 2;

/** Changes the Deployments of all of these applications of a fleet by one push. */
export function changeAll(fleet: Fleet, names: readonly string[]): Promise<DeliveryTimes> {
  const mark = fleet.newMark();
  return deliverChange(fleet, { files: changedFiles(names, { mark }), names, mark });
}

export const manyChanged: BenchCase = {
  name: "many-changed",
  title: (applications) => {
    const { many } = sizesOf(applications);
    return `${many} of ${many} applications changed (mean of ${repetitions}, in turns with ${applications} of them)`;
  },
  async run(bed) {
    const { many } = sizesOf(bed.names.length);
    const fewer = bed.names.length;
    const { fleet, growTo } = await bed.largeFleet();
    const names = (await growTo(many)).slice(0, many);
    const all: DeliveryTimes[] = [];
    const part: DeliveryTimes[] = [];
    for (let turn = 1; turn <= repetitions; turn++) {
      part.push(await changeAll(fleet, names.slice(0, fewer)));
      const taken = await changeAll(fleet, names);
      all.push(taken);
      bed.progress(
        `many-changed ${turn}: applied after ${taken.applied.toFixed(2)} s, recorded after ${taken.recorded.toFixed(2)} s`,
      );
    }
    const middle = (of: (taken: DeliveryTimes) => number | undefined): number => median(allOf(all.map(of)));
    const applied = middle((taken) => taken.applied);
    const few = median(part.map((taken) => taken.applied));
    const cpu = middle((taken) => taken.cpu.functions);
    const requests = middle(({ cluster }) => cluster.reads + cluster.writes);
    return figures(
      { name: "many-changed-applied", title: "applied", value: applied, unit: "s" },
      { name: "many-changed-recorded", title: "recorded", value: middle(({ recorded }) => recorded), unit: "s" },
      { name: "many-changed-hundred", title: `${fewer} of them: applied`, value: few, unit: "s" },
      {
        name: "many-changed-ratio",
        title: `applied, for each application, in those of ${fewer}`,
        value: applied / many / (few / fewer),
        unit: "x",
        goal: 1.1,
      },
      {
        name: "many-changed-requests",
        title: "requests to the API server, for each object changed",
        value: requests / many,
        unit: "requests",
        goal: 1.3,
      },
      {
        name: "many-changed-cpu-each",
        title: "CPU of the functions, for each application",
        value: (1000 * cpu) / many,
        unit: "ms",
        goal: 10,
      },
    );
  },
};
