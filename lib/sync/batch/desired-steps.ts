import { type DesiredObject, type PrepareRequest, prepareObjects, type Unplaced } from "../../apply/prepare.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import type { CallOptions } from "../../model/call.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { type Manifest, resourceKey } from "../../model/resource.ts";
import { hookOf, hookOfRun } from "../../plan/hooks.ts";
import type { Place } from "../../plan/inventory-marks.ts";
import { type Step, type Steps, syncSteps } from "../../plan/steps.ts";
import type { Stores } from "../../store/store.ts";
import type { Progress, Target, Work } from "./progress.ts";

/** An application on its way through the apply stage. */
export interface Loaded {
  readonly progress: Progress;
  readonly work: Work;
  readonly objects: readonly Manifest[];
  readonly entries: readonly InventoryEntry[];
}

/** A desired object, or one that has no place in the cluster. */
export interface StepObject extends DesiredObject {
  readonly problem?: Unplaced;
}

/** The steps of a sync, and the one that it is at. */
export interface Way {
  readonly here: Pick<Step<StepObject>, "phase" | "objects" | "hooks">;
  /** What all steps of the sync write. */
  readonly all: { readonly objects: readonly StepObject[]; readonly hooks: readonly StepObject[] };
  readonly steps: { readonly sync: number; readonly failure: number };
  /** By `resourceKey`, everything that is desired, also what is left out of the steps. */
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: readonly string[];
}

/** Reads what a sync makes of the cluster; throws `not-found` when the snapshot is gone. */
export async function loadDesired(
  stores: Pick<Stores, "snapshots" | "inventories">,
  { progress, work }: { readonly progress: Progress; readonly work: Work },
): Promise<Loaded> {
  const [objects, inventory] = await Promise.all([
    work.desired.snapshot === "" ? [] : stores.snapshots.load(work.desired.snapshot),
    stores.inventories.load(progress.application),
  ]);
  return { progress, work, objects: [...ownNamespace(work, objects), ...objects], entries: inventory?.entries ?? [] };
}

/** Objects as a sync sends them, and those that have no place in the cluster. */
export async function stepObjects(request: PrepareRequest, options: CallOptions = {}): Promise<readonly StepObject[]> {
  const { desired, failed } = await prepareObjects(request, options);
  return [...desired, ...failed.map((problem) => ({ manifest: problem.manifest, ref: problem.ref, digest: "", problem }))];
}

/** Objects of a kind with their place and label, in steps; what has no place stands in its step too, and fails there. */
export async function stepsOf(
  { progress, work, objects }: Loaded,
  { reader, digest }: { readonly reader: ClusterReader; readonly digest: (text: string) => string },
): Promise<Way> {
  const { name: application, namespace } = work.target;
  const all = await stepObjects({ application, namespace, objects, reader, digest });
  const steps = syncSteps(all, { isFirst: work.isFirst, withHooks: progress.trigger !== "heal" });
  return {
    here: steps[work.path][work.step] ?? { phase: "Sync", objects: [], hooks: [] },
    all: {
      objects: steps.sync.flatMap(({ objects: here }) => here),
      hooks: steps.sync.flatMap(({ hooks: here }) => here),
    },
    steps: { sync: steps.sync.length, failure: steps.failure.length },
    places: placesOf(all, { steps, isFirst: work.isFirst, run: work.syncId }),
    problems: steps.problems,
  };
}

/** Where each object stands in the steps, by `resourceKey`; also what is left out of them. */
export function placesOf(
  all: readonly StepObject[],
  { steps, isFirst, run }: { readonly steps: Steps<StepObject>; readonly isFirst: boolean; readonly run: string },
): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>(
    all.map(({ ref, manifest }) => [resourceKey(ref), { step: 0, hook: hookOf(manifest, { isFirst }) !== undefined }]),
  );
  for (const [step, { objects }] of steps.sync.entries()) {
    for (const { ref } of objects) places.set(resourceKey(ref), { step, hook: false });
  }
  // A hook with a `generateName` has another name in each run.
  for (const { phase, hooks } of [...steps.sync, ...steps.failure]) {
    for (const hook of hooks) places.set(resourceKey(hookOfRun(hook, { run, phase }).ref), { step: 0, hook: true });
  }
  return places;
}

interface NamespaceRequest {
  readonly target: Pick<Target, "namespace" | "sync">;
  readonly removed: boolean;
}

/** The namespace that `createNamespace` asks for, unless the application brings it itself. */
export function ownNamespace({ target, removed }: NamespaceRequest, objects: readonly Manifest[]): readonly Manifest[] {
  const { namespace, sync } = target;
  if (removed || !sync.createNamespace || namespace === "") return [];
  const brought = objects.some(
    ({ apiVersion, kind, metadata }) => apiVersion === "v1" && kind === "Namespace" && metadata.name === namespace,
  );
  return brought ? [] : [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
}
