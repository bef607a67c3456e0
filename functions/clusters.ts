import { EKSClient } from "@aws-sdk/client-eks";
import { createSignedPost } from "../lib/aws/signed-post.ts";
import { createClusters, type OpenClusters } from "../lib/cluster/clusters.ts";
import type { Environment } from "../lib/config/environment.ts";
import type { CallOptions } from "../lib/model/call.ts";
import { findProject } from "../lib/projects/find.ts";
import type { Stores } from "../lib/store/store.ts";
import { projectsOf } from "../lib/sync/projects.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import type { Log } from "../lib/telemetry/log.ts";

/** The clusters that the stored configuration names, opened by the identities of its projects. */
export function openClusters(env: Environment, { stores, log }: { stores: Stores; log: Log }): OpenClusters {
  const load = async (options: CallOptions) => (await stores.configuration.load(options))?.configuration;
  return createClusters({
    find: async (name, options) => (await load(options))?.clusters.find((cluster) => cluster.name === name),
    async project(name, options) {
      const configuration = await load(options);
      return configuration && findProject({ projects: projectsOf(configuration) }, name);
    },
    ...(env.kubeconfig === undefined ? {} : { kubeconfigPath: env.kubeconfig }),
    eksClient: (region, credentials) => new EKSClient({ region, ...(credentials === undefined ? {} : { credentials }) }),
    sts(region) {
      const { credentials } = new EKSClient({ region }).config;
      return createSignedPost({ endpoint: env.stsEndpoint(region), region, service: "sts", credentials, clock });
    },
    clock,
    log,
  });
}
