import type { ClusterReader, Clusters, OpenOptions, Traffic } from "../../cluster/cluster.ts";
import type { CallOptions } from "../../model/call.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { projectOf } from "../projects.ts";

/** What looks at a cluster have cost, in the words of the report. */
export type Cost = Pick<ClusterReader, "requests"> & Traffic;

/** One identity's way into a cluster. */
export interface Readers {
  /** Lists for all applications of the identity. */
  readonly main: ClusterReader;
  /** Looks closely at what one application has, within the limits of its project; opened when it is asked for. */
  of(state: ApplicationState): Promise<ClusterReader>;
  cost(): Cost;
}

export interface OpenReaders {
  readonly cluster: string;
  /** Whose identity it is; "" for Driftless' own. */
  readonly project: string;
  /** False where the configuration states no projects: then nothing has limits. */
  readonly hasProjects: boolean;
}

/** Part of the session's name where a role is assumed. */
const session = "sweep";

/** Projects that come as Driftless itself share its lists; what is tried for them by dry runs is held against their own limits. */
export async function openReaders(
  clusters: Pick<Clusters, "reader">,
  { cluster, project, hasProjects }: OpenReaders,
  options: CallOptions,
): Promise<Readers> {
  const opened = new Map<ClusterReader, Cost>();
  const open = async (as: OpenOptions): Promise<ClusterReader> => {
    const reader = await clusters.reader(cluster, as);
    if (!opened.has(reader)) opened.set(reader, costOf(reader));
    return reader;
  };
  const main = await open(project === "" ? options : { ...options, project, session });
  const limited = new Map<string, Promise<ClusterReader>>();
  return {
    main,
    async of({ definition }) {
      if (project !== "" || !hasProjects) return main;
      const name = projectOf(definition);
      const reader = limited.get(name) ?? open({ ...options, project: name, session });
      limited.set(name, reader);
      return reader;
    },
    cost: () => sumCost([...opened].map(([reader, before]) => added(costOf(reader), before, -1))),
  };
}

export function sumCost(costs: readonly Cost[]): Cost {
  return costs.reduce((sum, cost) => added(sum, cost, 1), { requests: 0, pages: 0, dryRuns: 0, bytes: 0 });
}

function costOf({ requests, traffic }: ClusterReader): Cost {
  return { requests, ...traffic };
}

function added(one: Cost, other: Cost, times: 1 | -1): Cost {
  return {
    requests: one.requests + times * other.requests,
    pages: one.pages + times * other.pages,
    dryRuns: one.dryRuns + times * other.dryRuns,
    bytes: one.bytes + times * other.bytes,
  };
}
