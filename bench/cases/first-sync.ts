import { configurationText, filesOf } from "../applications.ts";
import type { Bed } from "../bed.ts";
import { deliverChange, quiet } from "../delivery.ts";
import type { Figure } from "../figures.ts";
import { type BenchCase, figures } from "./case.ts";
import { kubectlApply } from "./kubectl-apply.ts";

/** Every other case builds on this one. */
export const firstSync: BenchCase = {
  name: "first-sync",
  title: (applications) => `First sync of ${applications} applications`,
  async run(bed): Promise<readonly Figure[]> {
    const { names, kubectlNames } = bed;
    const mark = bed.newMark();
    const files = { "driftless.yaml": configurationText(names), ...filesOf(names, { mark }) };
    const { applied, recorded, cpu } = await deliverChange(bed, { files, names, mark });
    const kubectl = await createByKubectl(bed, kubectlNames);
    return figures(
      { name: "first-sync-applied", title: "applied", value: applied, unit: "s" },
      { name: "first-sync-recorded", title: "recorded", value: recorded, unit: "s" },
      { name: "first-sync-kubectl", title: "kubectl apply, the same", value: kubectl, unit: "s" },
      { name: "first-sync-ratio", title: "applied, in runs of kubectl apply", value: applied / kubectl, unit: "x" },
      { name: "first-sync-cpu", title: "CPU of the functions", value: cpu.functions, unit: "CPU s" },
      { name: "first-sync-local-cpu", title: "CPU of the local services", value: cpu.localServices, unit: "CPU s" },
    );
  },
};

async function createByKubectl(bed: Bed, names: readonly string[]): Promise<number> {
  await bed.writeForKubectl(filesOf(names, { mark: bed.newMark() }));
  const { seconds } = await kubectlApply(bed);
  await quiet(bed, names);
  return seconds;
}
