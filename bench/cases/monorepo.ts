import { applicationFiles, applicationNames, configurationText, deploymentFile } from "../applications.ts";
import { median } from "../figures.ts";
import { type PlanBed, type PlanTimes, startPlanBed } from "../plan-bed.ts";
import { type BenchCase, figures } from "./case.ts";

const large = 1000;
const small = 10;
const dependants = 40;
const repetitions = 15;

/** A repository of so many applications, planned once. */
async function repositoryOf(
  count: number,
  progress: (line: string) => void,
): Promise<PlanBed & { readonly names: readonly string[] }> {
  const bed = await startPlanBed(progress);
  try {
    const names = applicationNames({ prefix: "app", count });
    const files = names.flatMap((name) => Object.entries(applicationFiles({ name, mark: "first" })));
    await bed.push({ "driftless.yaml": configurationText(names), ...Object.fromEntries(files) });
    await bed.plan();
    return { ...bed, names };
  } catch (error) {
    await bed.close();
    throw error;
  }
}

/** Some applications are Kustomize overlays of one base, beside as many that are not. */
async function sharedBase(progress: (line: string) => void): Promise<PlanTimes> {
  const bed = await startPlanBed(progress);
  try {
    const names = applicationNames({ prefix: "app", count: 2 * dependants });
    const base = (key: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shared }\ndata: { key: ${key} }\n`;
    const overlays = names.map((name, index) => [
      `apps/${name}/kustomization.yaml`,
      index % 2 === 0 ? `resources: [../../base]\nnamePrefix: ${name}-\n` : `resources: [own.yaml]\nnamePrefix: ${name}-\n`,
    ]);
    const own = names.map((name) => [`apps/${name}/own.yaml`, base("own")]);
    await bed.push({
      "driftless.yaml": configurationText(names),
      "base/kustomization.yaml": "resources: [shared.yaml]\n",
      "base/shared.yaml": base("first"),
      ...Object.fromEntries([...overlays, ...own]),
    });
    await bed.plan();
    await bed.push({ "base/shared.yaml": base("second") });
    return await bed.plan();
  } finally {
    await bed.close();
  }
}

export const monorepo: BenchCase = {
  name: "monorepo",
  title: () =>
    `One file changed in a repository of ${large} applications (the plan alone; median of ${repetitions}, in turns with ${small})`,
  async run({ progress, signal }) {
    const of = { small: await repositoryOf(small, progress), large: await repositoryOf(large, progress) };
    try {
      const turns: { small: PlanTimes; large: PlanTimes }[] = [];
      for (let turn = 0; turn < repetitions; turn++) {
        signal.throwIfAborted();
        const plan = async ({ names, push, plan: planned }: typeof of.small): Promise<PlanTimes> => {
          await push(deploymentFile({ name: names[turn % names.length] ?? "", mark: `turn-${turn}` }));
          return planned();
        };
        turns.push({ small: await plan(of.small), large: await plan(of.large) });
      }
      await of.large.push({ "README.md": "Nobody reads this.\n" });
      const unchanged = await of.large.plan();
      const shared = await sharedBase(progress);
      const middle = (which: "small" | "large"): number => median(turns.map((turn) => turn[which].seconds));
      const most = (count: (times: PlanTimes) => number): number => Math.max(...turns.map(({ large: times }) => count(times)));
      return figures(
        { name: "monorepo-time", title: `planned, of ${large}`, value: middle("large"), unit: "s" },
        { name: "monorepo-small-time", title: `planned, of ${small}`, value: middle("small"), unit: "s" },
        {
          name: "monorepo-ratio",
          title: `of ${large}, in plans of ${small}`,
          value: middle("large") / middle("small"),
          unit: "x",
          goal: 1.5,
        },
        { name: "monorepo-renders", title: "renders", value: most(({ renders }) => renders), unit: "renders", goal: 1 },
        {
          name: "monorepo-unchanged-time",
          title: `a commit that no application reads, of ${large}`,
          value: unchanged.seconds,
          unit: "s",
        },
        { name: "monorepo-unchanged-blobs", title: "files read for it", value: unchanged.blobs, unit: "files", goal: 0 },
        { name: "monorepo-unchanged-renders", title: "renders for it", value: unchanged.renders, unit: "renders", goal: 0 },
        {
          name: "monorepo-base-renders",
          title: `a base of ${dependants} among ${2 * dependants} changed: renders`,
          value: shared.renders,
          unit: "renders",
          goal: dependants,
        },
      );
    } finally {
      await of.large.close();
      await of.small.close();
    }
  },
};
