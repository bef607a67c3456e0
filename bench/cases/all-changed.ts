import { changedFiles } from "../applications.ts";
import type { Bed } from "../bed.ts";
import { type DeliveryTimes, deliverChange, quiet } from "../delivery.ts";
import { median } from "../figures.ts";
import type { KubectlRun } from "../kubectl.ts";
import { allOf, type BenchCase, figures } from "./case.ts";
import { kubectlApply } from "./kubectl-apply.ts";

const repetitions = 3;

export const allChanged: BenchCase = {
  name: "all-changed",
  title: (applications) =>
    `${applications} of ${applications} applications changed (median of ${repetitions}, in turns with kubectl)`,
  afterFirstSync: true,
  async run(bed) {
    const { names } = bed;
    const ours: DeliveryTimes[] = [];
    const theirs: KubectlRun[] = [];
    for (let turn = 1; turn <= repetitions; turn++) {
      const mark = bed.newMark();
      const taken = await deliverChange(bed, { files: changedFiles(names, { mark }), names, mark });
      ours.push(taken);
      const run = await changeByKubectl(bed);
      theirs.push(run);
      bed.progress(
        `all-changed ${turn}: applied after ${taken.applied.toFixed(2)} s, recorded after ${taken.recorded.toFixed(2)} s; kubectl ${run.seconds.toFixed(2)} s`,
      );
    }
    const middle = (of: (taken: DeliveryTimes) => number | undefined): number => median(allOf(ours.map(of)));
    const kubectl = median(theirs.map(({ seconds }) => seconds));
    const applied = middle((taken) => taken.applied);
    const cpu = middle((taken) => taken.cpu.functions);
    return figures(
      { name: "all-changed-planned", title: "planned", value: middle(({ planned }) => planned), unit: "s" },
      { name: "all-changed-begun", title: "sync begun", value: middle(({ begun }) => begun), unit: "s" },
      { name: "all-changed-applied", title: "applied", value: applied, unit: "s" },
      { name: "all-changed-recorded", title: "recorded", value: middle(({ recorded }) => recorded), unit: "s" },
      { name: "all-changed-kubectl", title: "kubectl apply, the same", value: kubectl, unit: "s" },
      { name: "all-changed-ratio", title: "applied, in runs of kubectl apply", value: applied / kubectl, unit: "x", goal: 1 },
      {
        name: "all-changed-requests",
        title: "requests to the API server, for each object changed",
        value: middle(({ cluster }) => (cluster.reads + cluster.writes) / names.length),
        unit: "requests",
        goal: 1.3,
      },
      {
        name: "all-changed-table",
        title: "requests to the table",
        value: middle(({ requests }) => requests.table),
        unit: "requests",
      },
      {
        name: "all-changed-git",
        title: "requests to the Git host",
        value: middle(({ requests }) => requests.git),
        unit: "requests",
      },
      { name: "all-changed-cpu", title: "CPU of the functions", value: cpu, unit: "CPU s" },
      {
        name: "all-changed-cpu-each",
        title: "CPU of the functions, for each application",
        value: (1000 * cpu) / names.length,
        unit: "ms",
        goal: 10,
      },
      {
        name: "all-changed-local-cpu",
        title: "CPU of the local services",
        value: middle(({ cpu }) => cpu.localServices),
        unit: "CPU s",
      },
      {
        name: "all-changed-apiserver-cpu",
        title: "CPU of the API server",
        value: middle(({ cpu }) => cpu.apiServer),
        unit: "CPU s",
      },
      {
        name: "all-changed-kubectl-cpu",
        title: "CPU of kubectl apply",
        value: median(allOf(theirs.map(({ cpuSeconds }) => cpuSeconds))),
        unit: "CPU s",
      },
    );
  },
};

async function changeByKubectl(bed: Bed): Promise<KubectlRun> {
  await bed.writeForKubectl(changedFiles(bed.kubectlNames, { mark: bed.newMark() }));
  const run = await kubectlApply(bed);
  await quiet(bed, bed.kubectlNames);
  return run;
}
