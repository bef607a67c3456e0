import { setTimeout as delay } from "node:timers/promises";
import type { ClusterWriter } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { maskError } from "../diff/mask.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { displayRef, type Manifest, resourceKey } from "../model/resource.ts";
import type { Change } from "../model/sync.ts";
import { fingerprintOf, foreignHash } from "../ownership/fingerprint.ts";
import type { Log } from "../telemetry/log.ts";
import type { LiveObjects } from "./live.ts";
import type { DesiredObject } from "./prepare.ts";

export interface ApplyRequest {
  readonly writer: ClusterWriter;
  /** Stage after stage; objects of one stage at once. */
  readonly stages: readonly (readonly DesiredObject[])[];
  /**
   * `ask-first` applies without force, logs who is in conflict and then takes the fields over; `at-once` takes them over
   * without asking (a heal knows already); `never` leaves a conflict as a failure.
   */
  readonly force: "ask-first" | "at-once" | "never";
  readonly live: LiveObjects;
  /** Asked before each stage: false when another run took the application over. */
  readonly stillMine: () => Promise<boolean>;
  readonly log: Log;
}

export interface Applied {
  readonly change: Change;
  /** The object as the inventory should now know it; undefined when the apply failed. */
  readonly entry?: InventoryEntry;
  /** True when the failure may pass by itself. */
  readonly retryable: boolean;
}

const atOnce = 8;

/**
 * Milliseconds before each further try of what may pass by itself: a new namespace has no service account for a moment, a
 * new kind is not served by every API server yet, an object on its way out may be gone soon. What stays is left to the sweep.
 */
const pauses = [100, 200, 400, 800, 1600];

/**
 * Applies stage by stage. One object's failure is a result, and the others still apply; an API server that cannot be
 * reached, or a lease that was lost, ends it with an error.
 */
export async function applyObjects(request: ApplyRequest, options: CallOptions = {}): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const stage of request.stages) applied.push(...(await applyStage(stage, request, options)));
  return applied;
}

async function applyStage(
  stage: readonly DesiredObject[],
  request: ApplyRequest,
  options: CallOptions,
): Promise<readonly Applied[]> {
  const results = new Map<DesiredObject, Applied>();
  for (let attempt = 0; ; attempt++) {
    if (!(await request.stillMine())) throw new DriftlessError("lease", "another run took the application over");
    const due = stage.filter((object) => results.get(object)?.retryable ?? true);
    const tried = await mapConcurrently(due, { limit: atOnce, work: (object) => applyObject(object, request, options) });
    for (const [index, object] of due.entries()) results.set(object, tried[index] as Applied);
    const pause = pauses[attempt];
    if (pause === undefined || !tried.some(({ retryable }) => retryable)) break;
    await delay(pause, undefined, options);
  }
  return stage.flatMap((object) => results.get(object) ?? []);
}

async function applyObject(object: DesiredObject, request: ApplyRequest, options: CallOptions): Promise<Applied> {
  try {
    const live = await sendApply(object.manifest, request, options);
    if (live.metadata.deletionTimestamp !== undefined) return dying(object, live);
    return {
      change: { action: actionOf(object, live, request.live), ref: object.ref },
      entry: entryOf(object, live),
      retryable: false,
    };
  } catch (error) {
    if (!isDriftlessError(error, "apply")) throw error;
    const reason = maskError(object.ref, messageOf(error));
    return { change: { action: "failed", ref: object.ref, error: reason }, retryable: error.retryable || lacksNamespace(error) };
  }
}

/** Nothing else can be missing for an apply; it may be an object of another application, or be made by hand in a moment. */
function lacksNamespace({ facts }: DriftlessError): boolean {
  return facts["refusal"] === "not-found";
}

async function sendApply(manifest: Manifest, { writer, force, log }: ApplyRequest, options: CallOptions): Promise<Manifest> {
  if (force === "at-once") return writer.apply(manifest, { ...options, force: true });
  try {
    return await writer.apply(manifest, { ...options, force: false });
  } catch (error) {
    if (force === "never" || !isDriftlessError(error, "apply") || error.facts["conflict"] === undefined) throw error;
    log.warn("apply.conflict", {
      kind: manifest.kind,
      namespace: manifest.metadata.namespace,
      name: manifest.metadata.name,
      managers: error.facts["conflict"],
    });
    return writer.apply(manifest, { ...options, force: true });
  }
}

/** The server accepts an apply onto an object that is being deleted, and then lets it vanish. */
function dying({ ref }: DesiredObject, live: Manifest): Applied {
  const finalizers = live.metadata.finalizers?.join(", ") ?? "none";
  const error = `${displayRef(ref)} is being deleted (finalizers: ${finalizers}); it is created again once it is gone`;
  return { change: { action: "failed", ref, error }, retryable: true };
}

function actionOf({ ref }: DesiredObject, live: Manifest, before: LiveObjects): "created" | "configured" | "unchanged" {
  const old = before.get(resourceKey(ref));
  if (old !== undefined) return old.metadata.resourceVersion === live.metadata.resourceVersion ? "unchanged" : "configured";
  const writers = live.metadata.managedFields?.filter((entry) => entry.subresource === undefined) ?? [];
  // The server takes the two times one after the other, and a second may end in between.
  const apart = Math.abs(Date.parse(live.metadata.creationTimestamp ?? "") - Date.parse(writers[0]?.time ?? ""));
  return writers.length === 1 && apart <= 1000 ? "created" : "configured";
}

/** What the inventory keeps of an object after an apply. */
function entryOf({ ref, digest }: DesiredObject, { metadata }: Manifest): InventoryEntry {
  const ours = fingerprintOf(metadata);
  return {
    ref,
    digest,
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    fingerprint: ours?.fingerprint ?? "",
    appliedAt: ours?.appliedAt ?? "",
    foreign: foreignHash(metadata),
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
  };
}
