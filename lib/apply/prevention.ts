import type { Clusters, ClusterWriter, PartialObject } from "../cluster/cluster.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { canonicalJson } from "../model/json.ts";
import type { Prevention, PreventionObject, PreventionSettings } from "../model/prevention.ts";
import type { GroupVersionKind, Manifest } from "../model/resource.ts";
import { type ProjectIdentities, writerIdentities } from "../plan/prevent-identity.ts";
import type { PreventedApplication } from "../plan/prevent-places.ts";
import { preventionLabel, preventionManifests } from "../plan/prevent-policy.ts";
import type { Stores } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";

export interface PreventionDeps {
  readonly stores: Pick<Stores, "prevention" | "digest">;
  readonly clusters: Pick<Clusters, "writer">;
  /** ARNs of the IAM roles that write to clusters; none where this process does so itself. */
  readonly roles: readonly string[];
  readonly log: Log;
}

/** What shall be prevented in one cluster. */
export interface PreventionWish {
  readonly cluster: string;
  /** None: what is installed goes. */
  readonly applications: readonly Omit<PreventedApplication, "scaled">[];
  readonly objects: readonly PreventedObjects[];
  readonly settings: PreventionSettings;
  /** As whom projects come to the cluster, beside Driftless itself; nobody when absent. */
  readonly projects?: ProjectIdentities;
  /** ARN of the IAM role by which Driftless itself opens this cluster, where that is a role of its own. */
  readonly role?: string;
}

/** Objects of one kind that are prevented, by application. */
export interface PreventedObjects {
  readonly kind: GroupVersionKind;
  readonly application: string;
  /** `NAMESPACE/NAME`. */
  readonly names: readonly string[];
}

export interface PreventionReport {
  /** `unused`: nothing is wanted and nothing is there, which cost no request; `failed`: it is not as wanted, and `error` says why. */
  readonly state: "unused" | "in-force" | "installed" | "removed" | "failed";
  /** "" unless it failed. */
  readonly error: string;
}

const group = "admissionregistration.k8s.io";
const types = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"] as const;
const typeOf = (kind: string): GroupVersionKind => ({ group, version: "v1", kind });

/**
 * Brings the policies of prevention in one cluster to what is wanted: writes those that differ or were changed by others, deletes
 * what nobody wants. What fails is told, and stays in the row; only errors of the table, and those of an ended call, are thrown.
 */
export function createPrevention(
  deps: PreventionDeps,
): (wish: PreventionWish, options?: CallOptions) => Promise<PreventionReport> {
  const { stores, clusters, log } = deps;

  return async (wish, options = {}) => {
    const { cluster, applications } = wish;
    const stored = await stores.prevention.load(cluster, options);
    if (applications.length === 0 && stored === undefined) return { state: "unused", error: "" };
    try {
      if (applications.length === 0) return await remove(stored, wish, options);
      return await install(stored, wish, options);
    } catch (error) {
      if (!isDriftlessError(error, "cluster", "apply", "not-found") || error.facts["aborted"] === true) throw error;
      return await fail({ stored, wish, error }, options);
    }
  };

  async function install(
    stored: Prevention | undefined,
    { cluster, applications: wanted, objects: prevented, settings, projects, role }: PreventionWish,
    options: CallOptions,
  ): Promise<PreventionReport> {
    const writer = await clusters.writer(cluster, options);
    await refuseOldServer(writer, options);
    const self = await writer.identity(options);
    const roles = role === undefined ? deps.roles : [role];
    const writers = writerIdentities({ self, roles, ...(projects === undefined ? {} : { projects }) });
    if (typeof writers === "string") throw new DriftlessError("cluster", `it cannot be told who Driftless is: ${writers}`);
    const installation = installationOf(deps);
    const scaled = await scaledObjects(prevented, writer, options);
    const applications = wanted.map((one) => ({ ...one, scaled: scaled.get(one.name) ?? [] }));
    const manifests = preventionManifests({ installation, applications, writers, settings });
    const digest = stores.digest(canonicalJson(manifests));
    const live = await listed(writer, installation, options);
    const extra = live.filter((one) => !manifests.some((manifest) => isSame(one, objectOf(manifest))));
    const changed = manifests.filter((manifest) => stored?.digest !== digest || !isAsLeft(manifest, { stored, live }));
    if (changed.length === 0 && extra.length === 0) return settled(stored, options);

    // What may be there is known before the first write, so that a killed sweep forgets nothing.
    const planned = manifests.map((manifest) => known(live, manifest) ?? fresh(manifest));
    await stores.prevention.save(
      { cluster, digest: "", objects: [...planned, ...extra], problem: stored?.problem ?? "" },
      options,
    );
    const written = new Map<string, PreventionObject>();
    for (const manifest of changed)
      written.set(nameOf(manifest), objectOf(await writer.apply(manifest, { ...options, force: true })));
    await deleteObjects(extra, writer, options);
    const objects = manifests.map((manifest) => written.get(nameOf(manifest)) ?? known(live, manifest) ?? fresh(manifest));
    await stores.prevention.save({ cluster, digest, objects, problem: "" }, options);
    log.info("prevention.installed", {
      cluster,
      applications: applications.length,
      written: changed.length,
      deleted: extra.length,
    });
    return { state: "installed", error: "" };
  }

  /** In force already; a row that says otherwise is put right. */
  async function settled(stored: Prevention | undefined, options: CallOptions): Promise<PreventionReport> {
    if (stored !== undefined && stored.problem !== "") await stores.prevention.save({ ...stored, problem: "" }, options);
    return { state: "in-force", error: "" };
  }

  async function remove(
    stored: Prevention | undefined,
    { cluster }: PreventionWish,
    options: CallOptions,
  ): Promise<PreventionReport> {
    if (stored !== undefined && stored.objects.length > 0) {
      const writer = await clusters.writer(cluster, options);
      const live = await listed(writer, installationOf(deps), options);
      const others = stored.objects.filter((one) => one.uid !== "" && !live.some((other) => isSame(one, other)));
      await deleteObjects([...live, ...others], writer, options);
    }
    await stores.prevention.remove(cluster, options);
    log.info("prevention.removed", { cluster, objects: stored?.objects.length ?? 0 });
    return { state: "removed", error: "" };
  }

  async function fail(
    {
      stored,
      wish,
      error,
    }: { readonly stored: Prevention | undefined; readonly wish: PreventionWish; readonly error: DriftlessError },
    options: CallOptions,
  ): Promise<PreventionReport> {
    const { cluster, applications } = wish;
    // The configuration knows the cluster no more: nobody can open it, and nothing in it is wanted.
    if (error.code === "not-found" && applications.length === 0) {
      await stores.prevention.remove(cluster, options);
      log.warn("prevention.left", { cluster, objects: stored?.objects.map(({ name }) => name) ?? [] });
      return { state: "removed", error: "" };
    }
    const problem = `${wordsFor(applications)}: ${adviceFor(error)}`;
    const latest = (await stores.prevention.load(cluster, options)) ?? { cluster, digest: "", objects: [] };
    if (latest !== undefined && (!("problem" in latest) || latest.problem !== problem)) {
      await stores.prevention.save({ ...latest, problem }, options);
    }
    log.warn("prevention.failed", { cluster, error: problem });
    return { state: "failed", error: problem };
  }
}

/** Ten hex digits that another installation in the same cluster does not have. */
function installationOf({ stores }: Pick<PreventionDeps, "stores">): string {
  return stores.digest("installation").slice(0, 10);
}

async function refuseOldServer(writer: ClusterWriter, options: CallOptions): Promise<void> {
  for (const kind of types) {
    if ((await writer.resourceType(typeOf(kind), options)) !== undefined) continue;
    throw new DriftlessError("cluster", `the API server serves no ${kind} (${group}/v1): that takes Kubernetes 1.30 or later`);
  }
}

/** Those with a scale, as requests for it name them, by application. */
async function scaledObjects(
  prevented: readonly PreventedObjects[],
  writer: ClusterWriter,
  options: CallOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const { kind, application, names } of prevented) {
    const type = await writer.resourceType(kind, options);
    if (type?.scalable !== true) continue;
    const keys = names.map((name) => `${type.resource}.${type.group}/${name}`);
    found.set(application, [...(found.get(application) ?? []), ...keys]);
  }
  return found;
}

async function listed(writer: ClusterWriter, installation: string, options: CallOptions): Promise<readonly PreventionObject[]> {
  const labelSelector = `${preventionLabel}=${installation}`;
  const lists = types.map((kind) => writer.listMetadata({ type: typeOf(kind), namespace: "", labelSelector }, options));
  return (await Promise.all(lists)).flat().map(objectOf);
}

/** Bindings first: a binding without its policy is an error of the policy. */
async function deleteObjects(objects: readonly PreventionObject[], writer: ClusterWriter, options: CallOptions): Promise<void> {
  for (const kind of types.toReversed()) {
    for (const { name, uid } of objects.filter((one) => one.kind === kind)) {
      await writer.delete({ ...typeOf(kind), namespace: "", name }, { ...options, uid });
    }
  }
}

interface Standing {
  readonly stored: Prevention | undefined;
  readonly live: readonly PreventionObject[];
}

/** True while nobody has changed it since we wrote it: whoever does raises the generation. */
function isAsLeft(manifest: Manifest, { stored, live }: Standing): boolean {
  const before = known(stored?.objects ?? [], manifest);
  const now = known(live, manifest);
  return before !== undefined && now !== undefined && before.uid === now.uid && before.generation === now.generation;
}

function known(objects: readonly PreventionObject[], manifest: Manifest): PreventionObject | undefined {
  return objects.find((one) => isSame(one, objectOf(manifest)));
}

function isSame(one: PreventionObject, other: Pick<PreventionObject, "kind" | "name">): boolean {
  return one.kind === other.kind && one.name === other.name;
}

const nameOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

const fresh = (manifest: Manifest): PreventionObject => ({ ...objectOf(manifest), uid: "", generation: 0 });

function objectOf({ kind, metadata }: PartialObject): PreventionObject {
  const { name, uid = "", generation = 0 } = metadata;
  return { kind: kind as PreventionObject["kind"], name, uid, generation };
}

const mostNamed = 5;

function wordsFor(applications: PreventionWish["applications"]): string {
  if (applications.length === 0) return "The policies of drift: prevent are not wanted any more and could not be removed";
  const names = applications.map(({ name }) => name).sort();
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : "";
  return `drift: prevent of ${names.slice(0, mostNamed).join(", ")}${more} is not in force as stated (drift is healed)`;
}

function adviceFor(error: DriftlessError): string {
  if (error.facts["status"] !== 403) return messageOf(error);
  return `${messageOf(error)}; Driftless needs list, create, patch and delete on validatingadmissionpolicies and validatingadmissionpolicybindings`;
}
