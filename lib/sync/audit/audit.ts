import type { Edit } from "../../audit/edit.ts";
import type { Identities } from "../../audit/identities.ts";
import { readLogPayload } from "../../audit/log-payload.ts";
import type { Clusters } from "../../cluster/cluster.ts";
import type { EventBus } from "../../events/events.ts";
import type { Cluster, Configuration } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { Project } from "../../model/project.ts";
import type { Stores } from "../../store/store.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { projectsOf } from "../projects.ts";
import { createAttribute } from "./attribute.ts";
import { createFindOwners } from "./owners.ts";
import { createRecordPrevented } from "./prevented.ts";
import { createRevisit, type SweepObjects } from "./revisit.ts";
import { targetsOf } from "./targets.ts";
import { type LogEvent, unpackLogEvent } from "./unpack.ts";

export interface AuditDeps {
  readonly stores: Pick<Stores, "configuration" | "applications" | "inventories" | "drift" | "leases">;
  readonly clusters: Pick<Clusters, "reader">;
  /** Looks at single objects as a sweep does, and starts the heal. */
  readonly sweepObjects: SweepObjects;
  readonly events: EventBus;
  readonly metrics?: Metrics;
  /** Who Driftless itself is to the API servers: its own edits start nothing. */
  readonly identities: Identities;
  readonly clock: Clock;
  readonly log: Log;
}

/** What one batch of log events came to. */
export interface AuditResult {
  /** Edits by others than Driftless and the clusters' own controllers. */
  readonly edits: number;
  /** Objects of applications among those edited. */
  readonly objects: number;
  /** Applications that are healed because of them. */
  readonly healing: readonly string[];
  /** Rows that tell now who made the change. */
  readonly attributed: number;
  readonly prevented: number;
  /** Objects, and applications that a sync held, that the next sweep has to look at. */
  readonly left: { readonly objects: number; readonly applications: readonly string[] };
}

/**
 * Takes a batch of a cluster's audit log: looks at once at the objects of applications that somebody edited, has their drift
 * healed as their policies say, and writes into the rows who made the change. A batch that comes twice changes nothing.
 */
export function createAudit(deps: AuditDeps): (event: LogEvent, options?: CallOptions) => Promise<AuditResult> {
  const { stores, clusters, identities, log } = deps;
  const findOwners = createFindOwners(deps);
  const revisit = createRevisit(deps);
  const attribute = createAttribute(deps);
  const recordPrevented = createRecordPrevented(deps);

  return async (event, options = {}) => {
    const text = (await unpackLogEvent(event)) ?? "";
    const read = readLogPayload(text, identities);
    const { clusterName } = read;
    const stored = read.edits.length === 0 ? undefined : await stores.configuration.load(options);
    const stated = { clusters: stored?.configuration.clusters ?? [], projects: projectsOf(stored?.configuration) };
    const roles = rolesIn(stated);
    const { edits, skipped } = roles.length === 0 ? read : readLogPayload(text, [...identities, ...roles]);
    const known = edits.length === 0 ? [] : clustersNamed(clusterName, stated);
    const parts: AuditResult[] = [];
    for (const { name } of known) parts.push(await takeEdits(name, { edits, projects: stated.projects }, options));
    const result = parts.reduce(added, { ...nothing, edits: edits.length });
    const told = { clusterName, clusters: known.map(({ name }) => name), skipped, ...result };
    if (edits.length === 0) log.debug("audit.read", told);
    else log.info("audit.read", told);
    return result;
  };

  async function takeEdits(
    cluster: string,
    { edits, projects }: Pick<Stated, "projects"> & { readonly edits: readonly Edit[] },
    options: CallOptions,
  ): Promise<AuditResult> {
    const { taken, left } = targetsOf(edits);
    if (left > 0) log.warn("audit.left", { cluster, objects: left, edits: edits.length });
    const reader = await clusters.reader(cluster, options);
    const owned = await findOwners(taken, { reader, cluster, isShut: projects.some(isByItself) }, options);
    const edited = { id: `audit-${edits[0]?.id ?? ""}`, cluster, owned };
    const prevented = await recordPrevented(edited, options);
    const { healing, busy } = await revisit({ ...edited, projects }, options);
    const attributed = await attribute(owned, options);
    return { edits: 0, objects: owned.length, healing, attributed, prevented, left: { objects: left, applications: busy } };
  }

  /** One cluster may stand in the configuration under several names. */
  function clustersNamed(clusterName: string, { clusters: all }: Pick<Stated, "clusters">): readonly Cluster[] {
    const named = all.filter((cluster) => nameOf(cluster) === clusterName);
    if (named.length === 0) log.warn("audit.unknown-cluster", { clusterName });
    return named;
  }
}

type Stated = Pick<Configuration, "clusters" | "projects">;

/** The roles as which Driftless comes to clusters beside its own: of projects, and of clusters that are opened by one. */
function rolesIn({ clusters, projects }: Stated): readonly string[] {
  const opening = clusters.flatMap((cluster) => (cluster.kind === "eks" ? [cluster.role ?? ""] : []));
  const ofProjects = projects.filter(({ identity }) => identity === "role").flatMap(({ roles }) => roles.map(({ arn }) => arn));
  return [...new Set([...opening, ...ofProjects])].filter((arn) => arn !== "");
}

function isByItself({ identity }: Project): boolean {
  return identity !== "installation";
}

const nothing: AuditResult = {
  edits: 0,
  objects: 0,
  healing: [],
  attributed: 0,
  prevented: 0,
  left: { objects: 0, applications: [] },
};

/** What stands for the cluster in the name of its log group. */
function nameOf(cluster: Cluster): string {
  switch (cluster.kind) {
    case "eks":
      return cluster.clusterName;
    case "kubeconfig":
      return cluster.context;
    default:
      return cluster satisfies never;
  }
}

function added(sum: AuditResult, part: AuditResult): AuditResult {
  return {
    edits: sum.edits,
    objects: sum.objects + part.objects,
    healing: [...sum.healing, ...part.healing],
    attributed: sum.attributed + part.attributed,
    prevented: sum.prevented + part.prevented,
    left: {
      objects: sum.left.objects + part.left.objects,
      applications: [...sum.left.applications, ...part.left.applications],
    },
  };
}
