import { DriftlessError } from "../../lib/errors.ts";
import { applicationNames, containerName, markVariable } from "../applications.ts";
import { quiet } from "../delivery.ts";
import { median } from "../figures.ts";
import type { Fleet } from "../fleet.ts";
import { deliverNew } from "../large-fleet.ts";
import { startRequestMeter } from "../meter.ts";
import { type BenchCase, figures } from "./case.ts";

const repetitions = 7;
const warmUps = 2;

interface Healed {
  /** Seconds from the moment before the edit was sent. */
  readonly healed: number;
  readonly recorded: number;
  readonly told: number;
  readonly requests: number;
}

export const auditHeal: BenchCase = {
  name: "audit-heal",
  title: (applications) =>
    `One edit among ${applications} applications, healed by the audit log without a sweep (median of ${repetitions}, warm)`,
  async run(bed) {
    const fleet = await bed.auditedFleet();
    if (fleet === undefined) return [];
    const names = applicationNames({ prefix: "audited", count: bed.names.length });
    await deliverNew(fleet, { all: names, added: names });
    const all: Healed[] = [];
    for (let turn = 1 - warmUps; turn <= repetitions; turn++) {
      const healed = await measuredEdit(fleet, names[(turn + warmUps) % names.length]!, `drift-${turn + warmUps}`);
      bed.progress(
        `audit-heal ${turn}: healed after ${healed.healed.toFixed(2)} s, its row says who after ${healed.told.toFixed(2)} s`,
      );
      if (turn > 0) all.push(healed);
    }
    return figures(
      {
        name: "audit-heal-healed",
        title: "as desired again",
        value: median(all.map(({ healed }) => healed)),
        unit: "s",
        goal: 1,
      },
      {
        name: "audit-heal-slowest",
        title: "as desired again, slowest",
        value: Math.max(...all.map(({ healed }) => healed)),
        unit: "s",
      },
      { name: "audit-heal-recorded", title: "recorded", value: median(all.map(({ recorded }) => recorded)), unit: "s" },
      { name: "audit-heal-told", title: "its row says who it was", value: median(all.map(({ told }) => told)), unit: "s" },
      {
        name: "audit-heal-requests",
        title: "requests, the edit included",
        value: median(all.map(({ requests }) => requests)),
        unit: "requests",
      },
    );
  },
};

/** Edits as a person with kubectl would, and waits; no sweep is started. */
async function measuredEdit(fleet: Fleet, name: string, mark: string): Promise<Healed> {
  const { cluster, events, installation } = fleet;
  const { deployments } = cluster;
  const desired = deployments.get(name)?.mark;
  const container = { name: containerName, env: [{ name: markVariable, value: mark }] };
  const body = { spec: { template: { spec: { containers: [container] } } } };
  const path = `/apis/apps/v1/namespaces/${name}/deployments/${name}?fieldManager=kubectl-edit`;
  events.clear();
  const counted = await startRequestMeter(cluster);
  const started = performance.now();
  const since = (at: number): number => (at - started) / 1000;
  const edited = deployments.until([name], { what: "the edit to be seen", holds: (seen) => seen?.mark === mark });
  const recorded = events.recorded([name]);
  await cluster.api(path, { method: "PATCH", body, contentType: "application/strategic-merge-patch+json" });
  await edited;
  const healed = await deployments.until([name], {
    what: "the Deployment to be healed",
    holds: (seen) => seen?.mark === desired,
  });
  const written = await recorded;
  const told = await rowTold(fleet, name, mark);
  const { reads, writes } = await counted();
  await quiet(fleet, [name]);
  const { length } = (await installation.stores.drift.open(name)) ?? [];
  if (length > 0) throw new DriftlessError("store", `${name} has ${length} open rows after it was healed`);
  return { healed: since(healed), recorded: since(written), told: since(told), requests: reads + writes };
}

async function rowTold({ installation, signal }: Fleet, application: string, mark: string): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    const { items } = await installation.stores.drift.list({ application });
    if (items.some(({ live, by }) => live === mark && by?.user === "admin")) return performance.now();
  }
}
