import { randomUUID } from "node:crypto";
import type { Fleet } from "./fleet.ts";
import { type CpuSpent, type RequestsMade, startCpuMeter, startRequestMeter } from "./meter.ts";
import { type ServiceRequests, startServiceMeter } from "./services.ts";

/** How long one delivery took, in seconds from the moment before its webhook was sent. */
export interface DeliveryTimes {
  readonly answered: number;
  /** The plan had started the last run. */
  readonly planned: number | undefined;
  /** The runs held the lease of each application. */
  readonly begun: number | undefined;
  /** The last Deployment had the new mark. */
  readonly applied: number;
  /** Every sync had ended healthy, with its row. */
  readonly recorded: number;
  readonly cpu: CpuSpent;
  readonly requests: ServiceRequests;
  /** To the API server. */
  readonly cluster: RequestsMade;
}

export interface Change {
  readonly files: Readonly<Record<string, string>>;
  /** Applications that get a sync. */
  readonly names: readonly string[];
  readonly mark: string;
  /** Deployments that get the mark. Default: one of each application's name. */
  readonly deployments?: readonly string[];
}

/** Pushes a change, sends its webhook and follows it to the rows; returns once the cluster is quiet again. */
export async function deliverChange(fleet: Fleet, { files, names, mark, deployments = names }: Change): Promise<DeliveryTimes> {
  const { cluster, events } = fleet;
  const push = await fleet.push(files);
  const id = randomUUID();
  events.clear();
  const made = await startRequestMeter(cluster);
  const spent = await startCpuMeter(fleet);
  const counted = startServiceMeter();
  const started = performance.now();
  const since = (at: number): number => (at - started) / 1000;
  const withinMs = patience(deployments);
  const [answered, applied, recorded] = await Promise.all([
    fleet.deliver(push, id).then(() => performance.now()),
    cluster.deployments.until(deployments, {
      what: `Deployments to have ${mark}`,
      holds: (seen) => seen?.mark === mark,
      hint: () => events.complaint(),
      withinMs,
    }),
    events.recorded(names, { correlationId: id, withinMs }),
  ]);
  const requests = counted();
  const cpu = await spent();
  const seen = (event: string): number | undefined => {
    const at = events.last(event, id);
    return at === undefined ? undefined : since(at);
  };
  const times = { answered: since(answered), planned: seen("plan.started"), begun: seen("sync.begun") };
  const toCluster = await made();
  await quiet(fleet, deployments);
  return { ...times, applied: since(applied), recorded: since(recorded), cpu, requests, cluster: toCluster };
}

/** Waits until the controller has acted on these Deployments. */
export async function quiet({ cluster }: Pick<Fleet, "cluster">, names: readonly string[]): Promise<void> {
  await cluster.deployments.until(names, {
    what: "the controller of Deployments",
    holds: (seen) => seen !== undefined && seen.observed >= seen.generation,
    withinMs: patience(names),
  });
}

/** Milliseconds after which something is wrong, on however slow a machine. */
function patience(names: readonly string[]): number {
  return 120_000 + 300 * names.length;
}
