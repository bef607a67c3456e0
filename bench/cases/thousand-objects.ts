import { deliverChange } from "../delivery.ts";
import { median } from "../figures.ts";
import { deploymentNames, largeApplicationFiles, largeApplicationStages } from "../large-application.ts";
import { rawApply } from "../raw-apply.ts";
import { allOf, type BenchCase, figures } from "./case.ts";

const sets = 250;
const repetitions = 2;
/** As many as a sync uses for one application. */
const connections = 8;

interface Turn {
  /** From the moment before the webhook. */
  readonly applied: number;
  /** From the begin of the sync. */
  readonly alone: number | undefined;
  readonly recorded: number;
  readonly raw: number;
  readonly requests: number;
  readonly cpu: number | undefined;
}

export const thousandObjects: BenchCase = {
  name: "thousand-objects",
  title: () => `1 application of ${4 * sets} objects, all changed (mean of ${repetitions}, in turns with a bare HTTP client)`,
  async run(bed) {
    const { cluster } = bed;
    const access = { ...cluster.controlPlane, token: cluster.controlPlane.tokens.admin };
    const fleet = await bed.startFleet();
    try {
      const ours = { sets, namespace: "thousand", prefix: "thousand" };
      const theirs = { sets, namespace: "raw", prefix: "raw" };
      await cluster.createNamespaces([ours.namespace, theirs.namespace]);
      const entry = "{ name: thousand, path: thousand, cluster: bench, namespace: thousand }";
      const configuration = `clusters:\n  - { name: bench, context: admin }\napplications:\n  - ${entry}\n`;
      const turns: Turn[] = [];
      // The first turn creates it all.
      for (let turn = 0; turn <= repetitions; turn++) {
        const mark = fleet.newMark();
        const files = { "driftless.yaml": configuration, ...largeApplicationFiles({ ...ours, mark }, "thousand") };
        const taken = await deliverChange(fleet, { files, names: ["thousand"], deployments: deploymentNames(ours), mark });
        const raw = await rawApply(access, { stages: largeApplicationStages({ ...theirs, mark }), connections });
        await cluster.deployments.until(deploymentNames(theirs), {
          what: "the controller of Deployments",
          holds: (seen) => seen?.mark === mark && seen.observed >= seen.generation,
        });
        const alone = taken.begun === undefined ? undefined : taken.applied - taken.begun;
        bed.progress(
          `thousand-objects ${turn}: applied after ${taken.applied.toFixed(2)} s, in the sync ${alone?.toFixed(2)} s; bare ${raw.toFixed(2)} s`,
        );
        const requests = taken.cluster.reads + taken.cluster.writes;
        if (turn > 0) turns.push({ ...taken, alone, raw, requests, cpu: taken.cpu.functions });
      }
      return figuresOf(turns);
    } finally {
      await fleet.close();
    }
  },
};

function figuresOf(turns: readonly Turn[]) {
  const middle = (of: (turn: Turn) => number | undefined): number => median(allOf(turns.map(of)));
  const [applied, alone, raw] = [middle((turn) => turn.applied), middle((turn) => turn.alone), middle((turn) => turn.raw)];
  return figures(
    { name: "thousand-objects-applied", title: "applied", value: applied, unit: "s" },
    { name: "thousand-objects-sync", title: "applied, from the begin of the sync", value: alone, unit: "s" },
    {
      name: "thousand-objects-raw",
      title: `the same applies by a bare HTTP client over ${connections} connections`,
      value: raw,
      unit: "s",
    },
    {
      name: "thousand-objects-ratio",
      title: "applied from the begin of the sync, in those of the bare client",
      value: alone / raw,
      unit: "x",
      goal: 1.3,
    },
    {
      name: "thousand-objects-whole",
      title: "applied from the webhook, in those of the bare client",
      value: applied / raw,
      unit: "x",
    },
    { name: "thousand-objects-recorded", title: "recorded", value: middle(({ recorded }) => recorded), unit: "s" },
    {
      name: "thousand-objects-requests",
      title: "requests to the API server",
      value: middle(({ requests }) => requests),
      unit: "requests",
    },
    { name: "thousand-objects-cpu", title: "CPU of the functions", value: middle(({ cpu }) => cpu), unit: "CPU s" },
  );
}
