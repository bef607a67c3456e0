import type { ClusterIdentity, ClusterReader, Clusters } from "../../cluster/cluster.ts";
import { messageOf } from "../../errors.ts";
import type { Cluster, Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import { type Check, checkOf } from "../../model/check.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { checkRights } from "./check-rights.ts";

export interface ClusterCheckDeps {
  readonly clusters: Clusters;
  readonly stores: Pick<Stores, "inventories">;
  readonly clock: Clock;
}

/** A cluster, and what goes to it. */
export interface ClusterLinks {
  readonly cluster: Cluster;
  readonly configuration: Configuration;
  readonly states: readonly ApplicationState[];
}

/** Discovery in one document came with this version, policies of admission with the next; the tests run on the last. */
const versions = { oldest: 27, prevention: 30, tried: 35 };

/** Whether a cluster can be reached, knows us, runs a version that is served, has the right time, and lets each project do its work. */
export async function checkCluster(deps: ClusterCheckDeps, links: ClusterLinks, options: CallOptions): Promise<readonly Check[]> {
  const { name } = links.cluster;
  const reachable = checkOf(`cluster ${name}: reachable`);
  let reader: ClusterReader;
  let kubeVersion: string;
  try {
    reader = await deps.clusters.reader(name, options);
    ({ kubeVersion } = await reader.capabilities(options));
  } catch (error) {
    return [reachable.fail(messageOf(error), reachAdvice(links.cluster))];
  }
  const answers = reachable.ok(`it answers as Kubernetes ${kubeVersion}`);
  const parts = [
    async () => [await identityCheck(deps, name, options)],
    async () => [await clockCheck({ ...deps, reader, links }, options)],
    () => checkRights(deps, links, options),
  ];
  const found = await Promise.all(parts.map((look) => look()));
  return [answers, versionCheck(name, kubeVersion), ...found.flat()];
}

function reachAdvice(cluster: Cluster): string {
  if (cluster.kind === "kubeconfig") return `start the cluster, or correct the context ${cluster.context} in the kubeconfig`;
  return (
    `see that ${cluster.clusterName} runs in ${cluster.region}, that its access entries name the functions' roles (infra/cluster.yml), and that the ` +
    "functions reach its endpoint: a private one needs subnetIds and securityGroupIds"
  );
}

function versionCheck(cluster: string, kubeVersion: string): Check {
  const check = checkOf(`cluster ${cluster}: version`);
  const minor = Number(/^v1\.(\d+)/.exec(kubeVersion)?.[1] ?? Number.NaN);
  const { oldest, prevention, tried } = versions;
  if (Number.isNaN(minor))
    return check.warn(`${kubeVersion} is no version that is known here`, "compare it with the cluster's own");
  if (minor < oldest) return check.fail(`${kubeVersion} is older than 1.${oldest}`, "upgrade the cluster");
  if (minor < prevention)
    return check.warn(
      `${kubeVersion} has no policies of admission, so drift: prevent does not work`,
      `upgrade to 1.${prevention} or newer`,
    );
  if (minor > tried + 1)
    return check.warn(
      `${kubeVersion} is more than one version newer than 1.${tried}, which Driftless is tried on`,
      "upgrade Driftless",
    );
  return check.ok(`${kubeVersion}; Driftless is tried on 1.${tried}`);
}

async function identityCheck({ clusters }: ClusterCheckDeps, cluster: string, options: CallOptions): Promise<Check> {
  const check = checkOf(`cluster ${cluster}: identity`);
  try {
    const writer = await clusters.writer(cluster, options);
    return check.ok(`the preview function comes as ${describeIdentity(await writer.identity(options))}`);
  } catch (error) {
    return check.fail(messageOf(error), "make its access entry: infra/cluster.yml");
  }
}

function describeIdentity({ username, groups }: ClusterIdentity): string {
  const own = groups.filter((group) => !group.startsWith("system:"));
  return own.length === 0 ? username : `${username}, in ${own.join(", ")}`;
}

/** Tokens are good from two minutes before their time at some authenticators, and for 15 minutes after it. */
const skewMs = 2 * 60_000;

/** The API server's time is in what a dry run answers, in whole seconds. */
async function clockCheck(
  { reader, links, clock }: ClusterCheckDeps & { readonly reader: ClusterReader; readonly links: ClusterLinks },
  options: CallOptions,
): Promise<Check> {
  const check = checkOf(`cluster ${links.cluster.name}: clock`);
  const namespace = links.states.find(({ definition }) => definition.namespace !== "")?.definition.namespace;
  if (namespace === undefined) return check.skipped("no application names a namespace to try a dry run in");
  try {
    const metadata = { name: "driftless-doctor", namespace };
    const made = await reader.dryRunApply(
      { apiVersion: "v1", kind: "ConfigMap", metadata, data: { looked: "at" } },
      { ...options, force: false },
    );
    const there = Date.parse(made.metadata.managedFields?.find(({ operation }) => operation === "Apply")?.time ?? "");
    if (Number.isNaN(there)) return check.skipped("the API server does not tell its time");
    const skew = there - clock.now().getTime();
    const seconds = Math.round(Math.abs(skew) / 1000);
    if (Math.abs(skew) <= skewMs) return check.ok(`within ${Math.max(seconds, 1)} s of the function's`);
    const text = `it is ${seconds} s ${skew > 0 ? "ahead of" : "behind"} the function's`;
    return check.fail(text, "set the clock of the control plane right: tokens are refused, and windows open at the wrong time");
  } catch (error) {
    return check.skipped(`no dry run was possible to read it from: ${messageOf(error)}`);
  }
}
