import type { ClusterWriter } from "../cluster/cluster.ts";
import { DriftlessError, isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { canonicalJson, type JsonObject } from "../model/json.ts";
import { displayRef, type Manifest, type ObjectMeta, type ResourceRef } from "../model/resource.ts";
import { keepsUnstated, takeOver } from "../ownership/take-over.ts";

export interface Adoption {
  readonly writer: Pick<ClusterWriter, "apply" | "dryRunApply" | "patchOwnership">;
  readonly ref: ResourceRef;
  /** What is to be applied to a live object. */
  readonly manifestFor: (live: Manifest) => Manifest;
  readonly force: boolean;
}

export interface Adopted {
  readonly live: Manifest;
  /** What to tell of it; undefined when nobody else had deployed it. */
  readonly note?: string;
}

/** How often it is tried while somebody else writes the object at the same time. */
const mostTries = 3;

/**
 * Makes what a former deployer stated our own, once we have applied the object beside it; so what the manifest does not state goes
 * now, and what it states no more goes later. Costs no request where nobody else deployed it.
 */
export async function adoptObject(applied: Manifest, adoption: Adoption, options: CallOptions = {}): Promise<Adopted> {
  const { writer, ref, manifestFor, force } = adoption;
  const keepUnstated = keepsUnstated(ref);
  const from = new Set<string>();
  let live = applied;
  for (let tries = 1; ; tries++) {
    const taken = live.metadata.deletionTimestamp === undefined ? takeOver(live.metadata, { keepUnstated }) : undefined;
    if (taken === undefined) break;
    for (const manager of taken.from) from.add(manager);
    if (tries > mostTries) throw restless(ref, from);
    const { resourceVersion = "" } = live.metadata;
    try {
      const { managedFields } = taken;
      live = await withdrawUnstated(
        await writer.patchOwnership(ref, { ...options, resourceVersion, managedFields }),
        adoption,
        options,
      );
    } catch (error) {
      if (!isDriftlessError(error, "apply") || error.facts["refusal"] !== "conflict") throw error;
      live = await writer.apply(manifestFor(live), { ...options, force });
    }
  }
  return from.size === 0 ? { live } : { live, note: noteOf(ref, { from, metadata: applied.metadata }) };
}

/**
 * Applies again, which removes what is ours now and not in the manifest. Of a Deployment the generation moves with any annotation:
 * if that were all, what kubectl and Helm have noted there stays, and goes with the next change.
 */
async function withdrawUnstated(
  live: Manifest,
  { writer, ref, manifestFor, force }: Adoption,
  options: CallOptions,
): Promise<Manifest> {
  const manifest = manifestFor(live);
  if (ref.group === "apps" && ref.kind === "Deployment" && deployerOf(live.metadata)?.returns !== true) {
    const next = await writer.dryRunApply(manifest, { ...options, force });
    if (next.metadata.generation !== live.metadata.generation && canonicalJson(bodyOf(next)) === canonicalJson(bodyOf(live)))
      return live;
  }
  return writer.apply(manifest, { ...options, force });
}

function bodyOf({ metadata: _metadata, status: _status, ...body }: Manifest): JsonObject {
  return body;
}

function noteOf(
  ref: ResourceRef,
  { from, metadata }: { readonly from: ReadonlySet<string>; readonly metadata: ObjectMeta },
): string {
  const deployer = deployerOf(metadata);
  const note = `${displayRef(ref)}: adopted from ${[...from].join(" and ")}`;
  if (deployer === undefined) return note;
  const advice = deployer.returns ? "; take it out there, or the two take it from each other again and again" : "";
  return `${note} (${deployer.name})${advice}`;
}

/** By the marks that deployers leave on their objects; `returns` where a controller comes back to it. */
function deployerOf({
  annotations = {},
  labels = {},
}: ObjectMeta): { readonly name: string; readonly returns: boolean } | undefined {
  const tracking = annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0];
  if (tracking !== undefined) return { name: `Argo CD application ${tracking}`, returns: true };
  for (const [group, kind] of [
    ["kustomize.toolkit.fluxcd.io", "Kustomization"],
    ["helm.toolkit.fluxcd.io", "HelmRelease"],
  ]) {
    const name = labels[`${group}/name`];
    if (name !== undefined) return { name: `Flux ${kind} ${labels[`${group}/namespace`] ?? ""}/${name}`, returns: true };
  }
  const release = annotations["meta.helm.sh/release-name"];
  return release === undefined ? undefined : { name: `Helm release ${release}`, returns: false };
}

function restless(ref: ResourceRef, from: ReadonlySet<string>): DriftlessError {
  const text = `${displayRef(ref)} is written too often by others to take it over from ${[...from].join(" and ")}; it is tried again`;
  return new DriftlessError("apply", text, { retryable: true });
}
