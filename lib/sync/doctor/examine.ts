import type { Clusters } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import type { Cluster, Configuration } from "../../model/application.ts";
import { type CallOptions, signalWithin } from "../../model/call.ts";
import { type Check, checkOf } from "../../model/check.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Examine } from "../../queue/examine.ts";
import type { GithubInspector } from "../../source/github-inspection.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { projectsOf } from "../projects.ts";
import { type ClusterLinks, checkCluster } from "./check-cluster.ts";
import { checkGithub } from "./check-github.ts";
import { checkSnapshots } from "./check-snapshots.ts";

export interface ExamineDeps {
  readonly stores: Pick<Stores, "applications" | "configuration" | "inventories" | "snapshots">;
  readonly clusters: Clusters;
  /** Absent: Git is read anonymously. */
  readonly github?: GithubInspector;
  /** Clone URL of the repository that holds `driftless.yaml`; "" when it is not known here. */
  readonly configRepository: string;
  readonly clock: Clock;
}

/** One cluster that is away keeps no other from being told of. */
const clusterMs = 15_000;

/** Looks at what only the functions can reach: every cluster of the configuration, and GitHub. Writes nothing. */
export function createExamine(deps: ExamineDeps): Examine {
  const { stores } = deps;
  return async ({ webhook }, options = {}) => {
    const [stored, states] = await Promise.all([stores.configuration.load(options), stores.applications.list(options)]);
    const configuration = stored?.configuration;
    const [github, clusters, snapshots] = await Promise.all([
      checkGithub({ ...deps, webhook, repositories: repositoriesOf(configuration, deps.configRepository) }, options),
      clustersOf(deps, { configuration, states }, options),
      checkSnapshots(stores, states, options),
    ]);
    return [...snapshots, ...github, ...clusters];
  };
}

async function clustersOf(
  deps: ExamineDeps,
  { configuration, states }: { configuration: Configuration | undefined; states: readonly ApplicationState[] },
  options: CallOptions,
): Promise<readonly Check[]> {
  if (configuration === undefined) {
    const text = "the functions have read no driftless.yaml yet, so they know no cluster";
    return [checkOf("clusters").warn(text, "push it to the branch that the functions read, or see the check of the webhook")];
  }
  const work = async (cluster: Cluster): Promise<readonly Check[]> => {
    const links: ClusterLinks = { cluster, configuration, states: states.filter((one) => goesTo(one, cluster.name)) };
    return checkCluster(deps, links, { signal: signalWithin(clusterMs, options) });
  };
  return (await mapConcurrently(configuration.clusters, { limit: 8, work })).flat();
}

function goesTo({ definition, removed }: ApplicationState, cluster: string): boolean {
  return definition.cluster === cluster && !removed;
}

/** Each clone URL once: that of the configuration, and those of the applications. */
function repositoriesOf(configuration: Configuration | undefined, own: string): readonly string[] {
  const sources = configuration?.applications.flatMap((application) => application.sources) ?? [];
  const files = projectsOf(configuration).flatMap((project) => project.applicationFiles);
  const named = [...sources, ...files].flatMap((one) => ("repository" in one && one.repository !== "" ? [one.repository] : []));
  return [...new Set([...(own === "" ? [] : [own]), ...named])];
}
