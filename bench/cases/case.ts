import { randomUUID } from "node:crypto";
import type { Bed } from "../bed.ts";
import type { Figure } from "../figures.ts";
import { type CpuSpent, startCpuMeter } from "../meter.ts";
import { type ServiceRequests, startServiceMeter } from "../services.ts";

/** One thing that is measured. */
export interface BenchCase {
  /** What `--only` is matched with; its figures' names begin with it. */
  readonly name: string;
  readonly title: (applications: number) => string;
  readonly run: (bed: Bed) => Promise<readonly Figure[]>;
}

/** How long one delivery took, in seconds from the moment before its webhook was sent. */
export interface DeliveryTimes {
  readonly answered: number;
  /** The plan had started the run. */
  readonly planned: number | undefined;
  /** The run held the lease of each application. */
  readonly begun: number | undefined;
  /** The last Deployment had the new mark. */
  readonly applied: number;
  /** Every sync had ended healthy, with its row. */
  readonly recorded: number;
  readonly cpu: CpuSpent;
  readonly requests: ServiceRequests;
}

export interface Change {
  readonly files: Readonly<Record<string, string>>;
  /** Applications whose Deployments get the mark. */
  readonly names: readonly string[];
  readonly mark: string;
}

/** Pushes a change, sends its webhook and follows it to the rows; returns once the cluster is quiet again. */
export async function deliverChange(bed: Bed, { files, names, mark }: Change): Promise<DeliveryTimes> {
  const { deployments, events } = bed;
  const push = await bed.push(files);
  const id = randomUUID();
  events.clear();
  const spent = await startCpuMeter(bed);
  const counted = startServiceMeter();
  const started = performance.now();
  const since = (at: number): number => (at - started) / 1000;
  const [answered, applied, recorded] = await Promise.all([
    bed.deliver(push, id).then(() => performance.now()),
    deployments.until(names, { what: `Deployments to have ${mark}`, holds: (seen) => seen?.mark === mark }),
    events.recorded(names, id),
  ]);
  const requests = counted();
  const cpu = await spent();
  const seen = (event: string): number | undefined => {
    const at = events.last(event, id);
    return at === undefined ? undefined : since(at);
  };
  const times = { answered: since(answered), planned: seen("plan.started"), begun: seen("sync.begun") };
  await quiet(bed, names);
  return { ...times, applied: since(applied), recorded: since(recorded), cpu, requests };
}

/** Waits until the controller has acted on these Deployments. */
export async function quiet({ deployments }: Bed, names: readonly string[]): Promise<void> {
  await deployments.until(names, {
    what: "the controller of Deployments",
    holds: (seen) => seen !== undefined && seen.observed >= seen.generation,
  });
}

/** Leaves out the figures that this system could not give. */
export function figures(...all: readonly (Omit<Figure, "value"> & { readonly value: number | undefined })[]): readonly Figure[] {
  return all.flatMap(({ value, ...rest }) => (value === undefined || Number.isNaN(value) ? [] : [{ ...rest, value }]));
}

/** Undefined when one of them is. */
export function allOf(values: readonly (number | undefined)[]): readonly number[] {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : [];
}
