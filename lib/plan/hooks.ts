import { createHash } from "node:crypto";
import { type Manifest, type ObjectMeta, type ResourceRef, refOf } from "../model/resource.ts";
import { type Hook, type HookPhase, readHook, readWave } from "./hook-annotations.ts";
import { kindOrder } from "./stages.ts";

export type { Hook, HookPhase } from "./hook-annotations.ts";

/** Names the sync, and its phase, that made a hook's object. */
export const hookRunAnnotation = "driftless.dev/sync";

/**
 * How an object takes part in a sync: as a hook; not at all (`skip`: it is neither applied nor pruned); or as any other
 * object (undefined). `isFirst` while no sync of the application has ever succeeded: that is Helm's install.
 */
export function hookOf(manifest: Manifest, context: { readonly isFirst: boolean }): Hook | "skip" | undefined {
  return readHook(manifest, context).hook;
}

/** The sync wave; for a hook of Helm that names none, its weight; 0 when neither is an integer. */
export function waveOf(manifest: Manifest): number {
  return readWave(manifest).wave;
}

/** True when the hook's object is to be deleted once it ended so. */
export function isDeletedAfter({ deletePolicies }: Hook, outcome: "succeeded" | "failed"): boolean {
  return deletePolicies.includes(outcome === "succeeded" ? "HookSucceeded" : "HookFailed");
}

const firstWorkload = kindOrder({ group: "apps", kind: "DaemonSet" });

/** True for kinds that run, or may run; the others do their part by being there. */
export function runs(ref: Pick<ResourceRef, "group" | "kind">): boolean {
  return kindOrder(ref) >= firstWorkload;
}

/** Characters of a name that a label can hold: a Job's name stands in a label of its pods. */
const longestName = 63;
const suffixLength = 10;

/**
 * A hook as one phase of one sync sends it: with the annotation that names the two, and with a name of its own where it has a
 * `generateName`. The same sync and phase give the same name, so that a start that was cut off is not done twice.
 */
export function hookOfRun<T extends { readonly manifest: Manifest; readonly ref: ResourceRef }>(
  object: T,
  { run, phase }: { readonly run: string; readonly phase: HookPhase },
): T {
  const mark = `${run}/${phase}`;
  const { generateName, ...named } = object.manifest.metadata;
  const name = typeof generateName === "string" ? generatedName(generateName, `${named.name}\n${mark}`) : named.name;
  const metadata: ObjectMeta = { ...named, name, annotations: { ...named.annotations, [hookRunAnnotation]: mark } };
  const manifest: Manifest = { ...object.manifest, metadata };
  return { ...object, manifest, ref: refOf(manifest) };
}

function generatedName(prefix: string, of: string): string {
  const suffix = createHash("sha256").update(of).digest("hex").slice(0, suffixLength);
  return `${prefix.slice(0, longestName - suffixLength)}${suffix}`;
}
