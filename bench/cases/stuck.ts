import { applicationNames, changedFiles, configurationText, filesOf } from "../applications.ts";
import type { Bed } from "../bed.ts";
import { type DeliveryTimes, deliverChange } from "../delivery.ts";
import { median } from "../figures.ts";
import { sizesOf } from "../sizes.ts";
import { type BenchCase, figures } from "./case.ts";
import { changeOne } from "./one-changed.ts";

const repetitions = 5;

/** The stuck ones are repaired at the end, while their broken rollouts still fail. */
export const oneBesideStuck: BenchCase = {
  name: "stuck",
  title: (applications) =>
    `1 of ${applications} applications changed while ${sizesOf(applications).stuck} others wait for an image that does not come (median of ${repetitions})`,
  afterFirstSync: true,
  async run(bed) {
    const { stuck } = sizesOf(bed.names.length);
    const before = await changes(bed, "before");
    const names = applicationNames({ prefix: "stuck", count: stuck });
    await breakAll(bed, names);
    const during = await changes(bed, "beside");
    const mark = bed.newMark();
    const repaired = await deliverChange(bed, { files: changedFiles(names, { mark }), names, mark });
    const applied = median(during.map((taken) => taken.applied));
    const alone = median(before.map((taken) => taken.applied));
    return figures(
      { name: "stuck-applied", title: "applied", value: applied, unit: "s", goal: 0.2 },
      { name: "stuck-slowest", title: "applied, slowest", value: Math.max(...during.map((taken) => taken.applied)), unit: "s" },
      { name: "stuck-alone", title: "applied, just before", value: alone, unit: "s" },
      { name: "stuck-ratio", title: "applied, in those of just before", value: applied / alone, unit: "x", goal: 1.25 },
      { name: "stuck-recorded", title: "recorded", value: median(during.map(({ recorded }) => recorded)), unit: "s" },
      { name: "stuck-repaired", title: `repair of all ${stuck}: applied`, value: repaired.applied, unit: "s", goal: 10 },
    );
  },
};

async function changes(bed: Bed, what: string): Promise<readonly DeliveryTimes[]> {
  const times: DeliveryTimes[] = [];
  for (let turn = 0; turn < repetitions; turn++) {
    const taken = await changeOne(bed, { names: bed.names, turn });
    bed.progress(`stuck, ${what} ${turn}: applied after ${taken.applied.toFixed(2)} s`);
    times.push(taken);
  }
  return times;
}

/** Adds them, and returns when each has applied its objects and waits. */
async function breakAll(bed: Bed, names: readonly string[]): Promise<void> {
  const { cluster, events } = bed;
  await cluster.createNamespaces(names);
  const mark = bed.newMark();
  const configuration = { "driftless.yaml": configurationText([...bed.names, ...names]) };
  const push = await bed.push({ ...configuration, ...filesOf(names, { mark, broken: true }) });
  events.clear();
  await Promise.all([
    bed.deliver(push),
    cluster.deployments.until(names, {
      what: `Deployments to have ${mark}`,
      holds: (seen) => seen?.mark === mark,
      hint: () => events.complaint(),
    }),
    events.waiting(names),
  ]);
}
