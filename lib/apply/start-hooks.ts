import { setTimeout as delay } from "node:timers/promises";
import type { ClusterWriter } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import { assessHealth } from "../health/health.ts";
import type { CallOptions } from "../model/call.ts";
import { applicationLabel, displayRef, type Manifest, type ResourceRef, resourceKey } from "../model/resource.ts";
import { type Hook, type HookPhase, hookOfRun, hookRunAnnotation, runs } from "../plan/hooks.ts";
import { applyStages } from "../plan/stages.ts";
import { silentLog } from "../telemetry/log.ts";
import { applyObjects } from "./apply-objects.ts";
import type { DesiredObject } from "./prepare.ts";

export interface HookToStart {
  readonly object: DesiredObject;
  readonly hook: Hook;
}

export interface StartHooksRequest {
  readonly writer: ClusterWriter;
  readonly application: string;
  /** Id of the sync. */
  readonly run: string;
  /** The phase that they are started for: a hook of several phases is run in each. */
  readonly phase: HookPhase;
  readonly hooks: readonly HookToStart[];
  /** Asked before anything is deleted or made: false when another run took the application over. Default: it is ours. */
  readonly stillMine?: () => Promise<boolean>;
}

/** How far one hook came; started when there is a uid. */
export interface StartedObject {
  /** As it is in the cluster: of a hook with a `generateName`, with the name that it got. */
  readonly ref: ResourceRef;
  /** "" while it is not started. */
  readonly uid: string;
  readonly error?: string;
  /** True when the error may pass by itself. */
  readonly retryable?: boolean;
  /** True when the object of an earlier sync is still being deleted: ask again. */
  readonly waiting?: boolean;
  /** What people should know though it is no error. */
  readonly note?: string;
}

/** What has to be done before a hook's object can be made, and what is known of it already. */
interface Place extends StartedObject {
  readonly hook: Hook;
  readonly object: DesiredObject;
  /** Uid of an older object that stays, and is applied to. */
  readonly stays?: string;
}

const atOnce = 8;

/** How often, and at what pause in milliseconds, it is looked whether an older object is gone before the caller is told to wait. */
const looks = { most: 20, pause: 100 };

/**
 * Starts hooks, in the order of kinds, once the objects that earlier syncs left under their names are gone. Nothing is started
 * while one of them has to wait, or cannot be started. A repeated start of the same run and phase changes nothing. Throws
 * `lease` when another run took the application over.
 */
export async function startHooks(request: StartHooksRequest, options: CallOptions = {}): Promise<readonly StartedObject[]> {
  if (!(await isOurs(request))) throw new DriftlessError("lease", "another run took the application over");
  const places = await mapConcurrently(request.hooks, { limit: atOnce, work: (hook) => clearPlace(hook, request, options) });
  const isHeld = places.some(({ error, waiting }) => error !== undefined || waiting === true);
  if (isHeld) return places.map(told);
  const due = places.filter(({ uid }) => uid === "");
  const made = await make(due, request, options);
  return places.map((place) => told(made.get(place) ?? place));
}

function isOurs({ stillMine }: StartHooksRequest): Promise<boolean> {
  return stillMine?.() ?? Promise.resolve(true);
}

function told({ hook: _hook, object: _object, stays: _stays, ...started }: Place): StartedObject {
  return started;
}

async function clearPlace(
  { object: desired, hook }: HookToStart,
  { writer, application, run, phase }: StartHooksRequest,
  options: CallOptions,
): Promise<Place> {
  const object = hookOfRun(desired, { run, phase });
  const place: Place = { hook, object, ref: object.ref, uid: "" };
  try {
    const live = await writer.get(object.ref, options);
    if (live === undefined) return place;
    const { uid = "", annotations = {} } = live.metadata;
    const made = annotations[hookRunAnnotation] ?? "";
    if (made === object.manifest.metadata.annotations?.[hookRunAnnotation]) return { ...place, uid };
    const foreign = inOtherHands(object.ref, { live, application });
    if (foreign !== undefined) return { ...place, error: foreign };
    const isLeft = !made.startsWith(`${run}/`);
    if (staysInPlace(live, { hook, isLeft })) return { ...place, stays: uid, ...noteOf(live, object.ref) };
    return (await deleted(object.ref, { live, writer }, options)) ? place : { ...place, waiting: true, note: lingering(live) };
  } catch (error) {
    if (!isDriftlessError(error, "apply", "refused")) throw error;
    return { ...place, error: messageOf(error), retryable: error.retryable };
  }
}

const hookAnnotations = ["argocd.argoproj.io/hook", "helm.sh/hook", hookRunAnnotation];

/** Why an object of the hook's name is not ours to replace; undefined when it is, be it that Argo CD or Helm ran it as a hook. */
function inOtherHands(
  ref: ResourceRef,
  { live, application }: { readonly live: Manifest; readonly application: string },
): string | undefined {
  const { labels, annotations = {} } = live.metadata;
  const owner = labels?.[applicationLabel];
  if (owner === application) return undefined;
  if (owner !== undefined) return `${displayRef(ref)} belongs to application ${owner}; give this hook another name`;
  if (hookAnnotations.some((annotation) => annotations[annotation] !== undefined)) return undefined;
  return `${displayRef(ref)} is there already, and was not made as a hook; delete it, or give the hook another name`;
}

/**
 * True when an older object is applied to, and not replaced: one that holds what a delete would lose; and, where the delete
 * policy leaves out BeforeHookCreation, what an earlier sync left and did not fail, as Argo CD has it. A failed one would fail
 * every sync again.
 */
function staysInPlace(live: Manifest, { hook, isLeft }: { readonly hook: Hook; readonly isLeft: boolean }): boolean {
  const { annotations = {}, deletionTimestamp } = live.metadata;
  if (deletionTimestamp !== undefined) return false;
  const isClaim = live.apiVersion === "v1" && live.kind === "PersistentVolumeClaim";
  if (isClaim || annotations["helm.sh/resource-policy"]?.trim().toLowerCase() === "keep") return true;
  return isLeft && !hook.deletePolicies.includes("BeforeHookCreation") && assessHealth(live).status !== "Degraded";
}

function noteOf(live: Manifest, ref: ResourceRef): Pick<Place, "note"> {
  if (!runs(ref) || assessHealth(live).status !== "Healthy") return {};
  return {
    note: `hook ${displayRef(ref)} ran in an earlier sync and is not run again: its hook-delete-policy leaves out BeforeHookCreation`,
  };
}

/** Deletes an older object with its pods; false when it takes longer than this call waits. */
async function deleted(
  ref: ResourceRef,
  { live, writer }: { readonly live: Manifest; readonly writer: ClusterWriter },
  options: CallOptions,
): Promise<boolean> {
  const { uid = "", deletionTimestamp } = live.metadata;
  if (deletionTimestamp === undefined) await writer.delete(ref, { ...options, uid });
  for (let look = 1; ; look++) {
    const after = await writer.get(ref, options);
    if (after === undefined || after.metadata.uid !== uid) return true;
    if (look === looks.most) return false;
    await delay(looks.pause, undefined, options);
  }
}

function lingering({ metadata: { finalizers = [] } }: Manifest): string {
  const held = finalizers.length === 0 ? "" : ` (finalizers: ${finalizers.join(", ")})`;
  return `the object of an earlier sync is still being deleted${held}`;
}

/** Makes what is due, kind after kind, as any other object is applied. */
async function make(due: readonly Place[], request: StartHooksRequest, options: CallOptions): Promise<ReadonlyMap<Place, Place>> {
  const stages = applyStages(due);
  const applied = await applyObjects(
    {
      writer: request.writer,
      stages: stages.map((stage) => stage.map(({ object }) => object)),
      force: "at-once",
      live: new Map(),
      stillMine: () => isOurs(request),
      log: silentLog,
    },
    options,
  );
  const results = new Map(applied.map((result) => [resourceKey(result.change.ref), result]));
  const made = due.map((place): readonly [Place, Place] => {
    const { change, entry, retryable = false } = results.get(resourceKey(place.ref)) ?? {};
    const { note = "", ...rest } = place;
    if (change?.action === "failed") return [place, { ...rest, error: `${adviceOn(place)}${change.error}`, retryable }];
    const { uid = "" } = entry ?? {};
    // An annotation can have had it made again.
    const isSame = note !== "" && uid === place.stays;
    return [place, { ...rest, uid, ...(isSame ? { note } : {}) }];
  });
  return new Map(made);
}

function adviceOn({ hook, ref, stays }: Place): string {
  if (stays === undefined || hook.deletePolicies.includes("BeforeHookCreation")) return "";
  return `an earlier sync left ${displayRef(ref)}, and its hook-delete-policy leaves out BeforeHookCreation: add that, or delete it. `;
}
