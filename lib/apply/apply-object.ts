import type { ClusterWriter, PartialObject } from "../cluster/cluster.ts";
import { maskError } from "../diff/mask.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { applicationLabel, displayRef, type Manifest, resourceKey } from "../model/resource.ts";
import type { Change } from "../model/sync.ts";
import type { IgnoredFields } from "../paths/ignored-fields.ts";
import { type ApplyOptions, applyOptionsOf } from "../plan/options.ts";
import type { Log } from "../telemetry/log.ts";
import { adoptObject } from "./adopt.ts";
import { entryOf } from "./entry.ts";
import { keptIn, sendKeeping } from "./keep-ignored.ts";
import { leftAlone } from "./left-alone.ts";
import type { LiveObjects } from "./live.ts";
import type { DesiredObject } from "./prepare.ts";
import { deleteForRecreation, immutableError } from "./recreate.ts";
import { removeAdditions } from "./remove-additions.ts";
import { oversize } from "./size-limits.ts";

export interface ApplyContext {
  readonly writer: ClusterWriter;
  /**
   * `ask-first` applies without force, notes who is in conflict and then takes the fields over; `at-once` takes them over
   * without asking (a heal knows already); `never` leaves a conflict as a failure. An object's annotation goes before it.
   */
  readonly force: "ask-first" | "at-once" | "never";
  readonly live: LiveObjects;
  /** Whether the application had it before; without it, what carries the application's label is not new. */
  readonly isNew?: (object: DesiredObject) => boolean;
  /** Asked before each stage, and before an object is deleted to be made again: false when another run took the application over. */
  readonly stillMine: () => Promise<boolean>;
  /** What is left to others of an object that is live already; nothing when absent. */
  readonly ignored?: (object: DesiredObject) => IgnoredFields | undefined;
  /** Whether what others added to an object is removed; never when absent. */
  readonly strips?: (object: DesiredObject) => boolean;
  /** True where an object that is shared with others by its annotation is left to them. */
  readonly heals?: boolean;
  readonly log: Log;
}

export interface Applied {
  readonly change: Change;
  /** The object as the inventory should now know it; undefined when the apply failed, or left it to others. */
  readonly entry?: InventoryEntry;
  /** True when the failure may pass by itself. */
  readonly retryable: boolean;
  /** What people should know of it though it is no failure, a sentence each. */
  readonly notes: readonly string[];
}

/** What was tried of one object. */
export interface Attempt extends Applied {
  /** How the API server's refusal is classified; "" when there was none. */
  readonly refusal: string;
  /** Set when the API server could not be reached for this object, however often it was tried. */
  readonly away?: DriftlessError;
}

interface Sent {
  readonly live: Manifest;
  readonly notes: readonly string[];
  /** True when it was deleted and made again. */
  readonly recreated?: true;
}

/** Applies one object as its annotations ask; its failure is a result, while an identity that is not accepted is an error. */
export async function applyObject(object: DesiredObject, context: ApplyContext, options: CallOptions): Promise<Attempt> {
  const { manifest, ref } = object;
  const asked = applyOptionsOf(manifest);
  try {
    const alone = await leftAlone(object, { asked, live: context.live, reader: context.writer }, options);
    if (alone !== undefined) return skipped(object, { ...alone, notes: asked.problems });
    const large = oversize(manifest);
    if (large !== undefined) throw new DriftlessError("apply", `${displayRef(ref)} is too large: ${large}`);
    const ignored = context.ignored?.(object);
    const sending = { asked, context, whole: object };
    const send = (part: Manifest) => sendApply({ ...object, manifest: part }, sending, options);
    const sent = await sendKeeping(object, { ignored, reader: context.writer, send }, options);
    if (sent.live.metadata.deletionTimestamp !== undefined) throw dying(object, sent.live);
    const adopted = await withAdoption(sent, { ...sending, ignored }, options);
    const { live, notes } = await withoutAdditions(adopted, { ...sending, ignored }, options);
    const moved = sent.recreated || notes.length > sent.notes.length;
    return {
      change: { action: moved ? "configured" : actionOf(object, live, context.live), ref },
      entry: entryOf(object, live.metadata, ignored),
      retryable: false,
      notes: [...asked.problems, ...formerApplication(object, context.live), ...notes],
      refusal: "",
    };
  } catch (error) {
    if (isDriftlessError(error, "apply", "refused")) {
      const isShared = context.heals === true && asked.force === false && error.facts["conflictOwners"] !== undefined;
      return isShared ? skipped(object, { ...sharedByAnnotation, notes: asked.problems }) : failed(object, error, asked.problems);
    }
    if (!isDriftlessError(error, "cluster") || !error.retryable || error.facts["aborted"] === true) throw error;
    return { ...failed(object, error, asked.problems), away: error };
  }
}

const sharedByAnnotation = { reason: "others own fields of it, and its annotation says kustomize.toolkit.fluxcd.io/ssa: Merge" };

interface Sending {
  readonly asked: ApplyOptions;
  readonly context: ApplyContext;
  /** As Git has it: what is sent to an object that is live may lack what is left to others. */
  readonly whole: DesiredObject;
}

type Following = Sending & { readonly ignored: IgnoredFields | undefined };

async function sendApply(object: DesiredObject, sending: Sending, options: CallOptions): Promise<Sent> {
  const { manifest } = object;
  const { asked, context, whole } = sending;
  const force = forceOf(asked, context.force);
  try {
    return { live: await context.writer.apply(manifest, { ...options, force: force === "at-once" }), notes: [] };
  } catch (error) {
    if (!isDriftlessError(error, "apply")) throw error;
    if (error.facts["conflictOwners"] !== undefined) {
      if (force === "never") throw conflictError(object, error, asked);
      return takeFields(object, { ...sending, error }, options);
    }
    if (error.facts["immutable"] === undefined) throw error;
    if (!asked.recreate) throw immutableError(manifest, { ref: object.ref, cause: error });
    return recreate(whole, { error, context }, options);
  }
}

type Refused = { readonly error: DriftlessError };

/** Applies again, by force, and tells whose fields that takes. */
async function takeFields(
  object: DesiredObject,
  { error, asked, context, whole }: Refused & Sending,
  options: CallOptions,
): Promise<Sent> {
  const { kind, metadata } = object.manifest;
  const { conflict: managers = "", conflictFields: fields = "", conflictOwners } = error.facts;
  context.log.warn("apply.conflict", { kind, namespace: metadata.namespace, name: metadata.name, managers, fields });
  const sent = await sendApply(
    object,
    { asked: { ...asked, force: undefined }, context: { ...context, force: "at-once" }, whole },
    options,
  );
  return { ...sent, notes: [`${displayRef(object.ref)}: took over ${conflictOwners}`, ...sent.notes] };
}

async function recreate(
  object: DesiredObject,
  { error, context }: Refused & Pick<Sending, "context">,
  options: CallOptions,
): Promise<Sent> {
  const { writer, stillMine, log } = context;
  const { immutable = "" } = error.facts;
  await deleteForRecreation({ writer, ref: object.ref, stillMine }, options);
  const live = await writer.apply(object.manifest, { ...options, force: true });
  log.info("apply.recreated", { ref: displayRef(object.ref), fields: immutable });
  return { live, notes: [`${displayRef(object.ref)}: recreated, because ${immutable} is immutable`], recreated: true };
}

async function withAdoption(sent: Sent, { asked, context, whole, ignored }: Following, options: CallOptions): Promise<Sent> {
  const isNew = context.isNew ?? ((one) => ownerOf(one, context.live) !== ownerLabel(one));
  if (!asked.adopt || !isNew(whole)) return sent;
  const { manifest, ref } = whole;
  const force = forceOf(asked, context.force) !== "never";
  const manifestFor = (live: Manifest) => keptIn(manifest, { ignored, live }).manifest;
  const { live, note } = await adoptObject(sent.live, { writer: context.writer, ref, manifestFor, force }, options);
  return { ...sent, live, notes: note === undefined ? sent.notes : [...sent.notes, note] };
}

async function withoutAdditions(sent: Sent, { asked, context, whole, ignored }: Following, options: CallOptions): Promise<Sent> {
  if (context.strips?.(whole) !== true) return sent;
  const { manifest, ref } = whole;
  const force = forceOf(asked, context.force) !== "never";
  const manifestFor = (live: Manifest) => keptIn(manifest, { ignored, live }).manifest;
  const { live, note } = await removeAdditions(sent.live, { writer: context.writer, ref, manifestFor, force, ignored }, options);
  return { ...sent, live, notes: note === undefined ? sent.notes : [...sent.notes, note] };
}

function forceOf({ force }: ApplyOptions, policy: ApplyContext["force"]): ApplyContext["force"] {
  if (force === undefined || policy === "at-once") return force === false ? "never" : policy;
  return force ? "ask-first" : "never";
}

/** Another application's object that became this one's by the apply. */
function formerApplication(object: DesiredObject, live: LiveObjects): readonly string[] {
  const owner = ownerOf(object, live);
  if (owner === undefined || owner === ownerLabel(object)) return [];
  return [`${displayRef(object.ref)}: moved here from application ${owner}`];
}

function ownerOf({ ref }: DesiredObject, live: LiveObjects): string | undefined {
  return live.get(resourceKey(ref))?.metadata.labels?.[applicationLabel];
}

function ownerLabel({ manifest }: DesiredObject): string | undefined {
  return manifest.metadata.labels?.[applicationLabel];
}

function skipped(
  object: DesiredObject,
  { reason, accepted, notes }: { readonly reason: string; readonly accepted?: PartialObject; readonly notes: readonly string[] },
): Attempt {
  const isOurs = accepted?.metadata.labels?.[applicationLabel] === ownerLabel(object);
  return {
    change: { action: "skipped", ref: object.ref, reason },
    ...(accepted !== undefined && isOurs ? { entry: entryOf(object, accepted.metadata) } : {}),
    retryable: false,
    notes: [...notes, `${displayRef(object.ref)}: left alone, since ${reason}`],
    refusal: "",
  };
}

function failed({ ref }: DesiredObject, error: DriftlessError, notes: readonly string[]): Attempt {
  const refusal = String(error.facts["refusal"] ?? "");
  return {
    change: { action: "failed", ref, error: maskError(ref, messageOf(error)) },
    // Nothing else can be missing for an apply than the namespace, which may come with another application or by hand.
    retryable: error.retryable || refusal === "not-found",
    notes,
    refusal,
  };
}

/** The words of the note that would be there if the policy allowed it. */
function conflictError({ ref }: DesiredObject, cause: DriftlessError, { force }: ApplyOptions): DriftlessError {
  const rule = force === false ? "its annotation kustomize.toolkit.fluxcd.io/ssa: Merge" : "`conflicts: fail`";
  const text = `${displayRef(ref)}: did not take over ${cause.facts["conflictOwners"]}, because of ${rule}; nothing was changed`;
  return new DriftlessError("apply", text, { cause, facts: cause.facts });
}

/** The server accepts an apply onto an object that is being deleted, and then lets it vanish. */
function dying({ ref }: DesiredObject, { metadata }: Manifest): DriftlessError {
  const finalizers = metadata.finalizers?.join(", ") ?? "none";
  const text = `${displayRef(ref)} is being deleted (finalizers: ${finalizers}); it is created again once it is gone`;
  return new DriftlessError("apply", text, { retryable: true });
}

function actionOf({ ref }: DesiredObject, live: Manifest, before: LiveObjects): "created" | "configured" | "unchanged" {
  const old = before.get(resourceKey(ref));
  if (old !== undefined) return old.metadata.resourceVersion === live.metadata.resourceVersion ? "unchanged" : "configured";
  const writers = live.metadata.managedFields?.filter((entry) => entry.subresource === undefined) ?? [];
  // The server takes the two times one after the other, and a second may end in between.
  const apart = Math.abs(Date.parse(live.metadata.creationTimestamp ?? "") - Date.parse(writers[0]?.time ?? ""));
  return writers.length === 1 && apart <= 1000 ? "created" : "configured";
}
