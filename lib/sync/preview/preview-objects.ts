import { keptIn } from "../../apply/keep-ignored.ts";
import { leftAlone } from "../../apply/left-alone.ts";
import type { LiveObjects } from "../../apply/live.ts";
import type { DesiredObject } from "../../apply/prepare.ts";
import { oversize } from "../../apply/size-limits.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { diffApplied } from "../../diff/applied.ts";
import type { FieldDifference } from "../../diff/diff.ts";
import { excerpt } from "../../diff/excerpt.ts";
import { mainFacts } from "../../diff/main-facts.ts";
import { maskSecrets } from "../../diff/mask.ts";
import { DriftlessError, isDriftlessError, messageOf } from "../../errors.ts";
import type { IgnoreDifference } from "../../model/application.ts";
import type { CallOptions } from "../../model/call.ts";
import type { FieldChange, PlannedAction, PlannedChange } from "../../model/plan.ts";
import { applicationLabel, displayRef, gvkOf, type Manifest, resourceKey } from "../../model/resource.ts";
import { ourFields } from "../../ownership/fingerprint.ts";
import { otherOwnerOf } from "../../ownership/writers.ts";
import { isIgnoredIn } from "../../paths/ignored-fields.ts";
import { isFoundation } from "../../plan/foundation.ts";
import { ignoredFields } from "../../plan/ignored-differences.ts";
import { type ApplyOptions, applyOptionsOf } from "../../plan/options.ts";
import type { ApplyReason } from "../../plan/plan-sync.ts";
import type { SharedLook } from "../shared-objects.ts";
import { previewAdoption } from "./preview-adoption.ts";
import { type Coming, comingWith, isComing, nothingComing } from "./preview-coming.ts";
import { refusedChange } from "./preview-refusal.ts";

export interface PreviewObjectsRequest {
  readonly application: string;
  readonly reader: ClusterReader;
  readonly conflicts: "force" | "fail";
  /** Fields that a sync would leave as they are. */
  readonly ignoreDifferences: readonly IgnoreDifference[];
  /** What a sync would apply. */
  readonly objects: readonly { readonly object: DesiredObject; readonly reason: ApplyReason }[];
  /** Which of these objects are another application's too: see `createSharedObjects`. */
  readonly refusals: (look: SharedLook) => Promise<ReadonlyMap<string, string>>;
}

/** What a sync would do with one object; without a change it stays as it is. */
export interface Previewed {
  readonly change?: PlannedChange;
  /** Of the live object; "" when there is none. */
  readonly uid: string;
  /** What people should know of it, a line each. */
  readonly notes: readonly string[];
}

/** Requests to the API server at once. */
const atOnce = 16;

/** Asks the API server by dry run what each apply would give, by `resourceKey`; writes nothing. Foundations first: the others stand on them. */
export async function previewObjects(
  request: PreviewObjectsRequest,
  options: CallOptions,
): Promise<ReadonlyMap<string, Previewed>> {
  const found = new Map<string, Previewed>();
  const look = async (objects: PreviewObjectsRequest["objects"], coming: Coming): Promise<void> => {
    const work = async (item: PreviewObjectsRequest["objects"][number]) =>
      void found.set(resourceKey(item.object.ref), await previewObject(item, { ...request, coming }, options));
    await mapConcurrently(objects, { limit: atOnce, work });
  };
  const foundations = request.objects.filter(({ object }) => isFoundation(object.manifest));
  await look(foundations, nothingComing);
  const coming = comingWith(
    foundations.map(({ object }) => object),
    (ref) => found.get(resourceKey(ref))?.change?.action,
  );
  await look(
    request.objects.filter(({ object }) => !isFoundation(object.manifest)),
    coming,
  );
  const names = created(found);
  return new Map([...found].map(([key, previewed]) => [key, standsOnCreated(previewed, names)]));
}

function created(found: ReadonlyMap<string, Previewed>): ReadonlySet<string> {
  return new Set([...found.values()].flatMap(({ change }) => (change?.action === "create" ? [change.ref.name] : [])));
}

/** A new object that is refused for want of another new one (a Pod without its ServiceAccount) is no failure of the sync. */
function standsOnCreated(previewed: Previewed, names: ReadonlySet<string>): Previewed {
  const { change, uid } = previewed;
  if (change?.action !== "fail" || uid !== "") return previewed;
  const [, quoted, bare] = /"([^"]+)" not found|\bno \w+ with name (\S+) was found/.exec(change.reason) ?? [];
  const missing = quoted ?? bare;
  if (missing === undefined || !names.has(missing)) return previewed;
  return { ...previewed, change: { ...change, action: "create", reason: `no dry run yet: ${missing} comes with the same sync` } };
}

type Look = PreviewObjectsRequest & { readonly coming: Coming };

async function previewObject(
  item: PreviewObjectsRequest["objects"][number],
  look: Look,
  options: CallOptions,
): Promise<Previewed> {
  const asked = applyOptionsOf(item.object.manifest);
  try {
    const live = await look.reader.get(item.object.ref, options);
    const { notes, change } = await previewAt(item, { ...look, live, asked }, options);
    return { uid: live?.metadata.uid ?? "", notes: [...asked.problems, ...notes], ...(change === undefined ? {} : { change }) };
  } catch (error) {
    if (!isDriftlessError(error, "cluster") || error.facts["status"] !== 403) throw error;
    return { uid: "", notes: asked.problems, change: changeOf("fail", item.object, messageOf(error)) };
  }
}

interface LookAt extends Look {
  readonly live: Manifest | undefined;
  readonly asked: ApplyOptions;
}

async function previewAt(
  { object, reason }: PreviewObjectsRequest["objects"][number],
  look: LookAt,
  options: CallOptions,
): Promise<Pick<Previewed, "notes" | "change">> {
  const { ref, manifest } = object;
  const { live, asked, coming } = look;
  const known: LiveObjects = new Map(live === undefined ? [] : [[resourceKey(ref), live]]);
  const alone = await leftAlone(object, { asked, live: known, reader: { get: async () => live } });
  if (alone !== undefined) return { notes: [`${displayRef(ref)} is left alone: ${alone.reason}`] };
  const shared = await look.refusals({ application: look.application, objects: [object], live: known });
  const refusal = shared.get(resourceKey(ref)) ?? oversize(manifest);
  if (refusal !== undefined) return { notes: [], change: changeOf("fail", object, refusal) };
  try {
    if (live === undefined) return { notes: [], change: await previewCreate(object, { look, reason }, options) };
    const change = await previewChange(object, { ...look, live }, options);
    return { notes: [], ...(change === undefined ? {} : { change }) };
  } catch (error) {
    if (!isDriftlessError(error, "apply")) throw error;
    const refused = { object, coming, recreate: asked.recreate, ...(live === undefined ? {} : { live }) };
    return { notes: [], change: refusedChange(error, refused) };
  }
}

async function previewCreate(
  object: DesiredObject,
  { look, reason }: { readonly look: Look; readonly reason: ApplyReason },
  options: CallOptions,
): Promise<PlannedChange> {
  const { ref, manifest } = object;
  const facts = [mainFacts(manifest), reason === "missing" ? "it is gone from the cluster" : ""];
  const because = (...more: readonly string[]) => [...facts, ...more].filter((text) => text !== "").join("; ");
  if (look.coming.namespaces.has(ref.namespace)) {
    return changeOf("create", object, because("no dry run yet: its namespace comes with the same sync"));
  }
  const isServed = (await look.reader.resourceType(gvkOf(manifest), options)) !== undefined;
  if (!isServed && isComing(ref, look.coming)) {
    return changeOf("create", object, because("no dry run yet: its kind comes with the same sync"));
  }
  await look.reader.dryRunApply(manifest, { ...options, force: true });
  return changeOf("create", object, because());
}

async function previewChange(
  object: DesiredObject,
  look: LookAt & { readonly live: Manifest },
  options: CallOptions,
): Promise<PlannedChange | undefined> {
  const { reader, conflicts, application, live, asked } = look;
  const ignored = ignoredFields(object.ref, look.ignoreDifferences);
  const { manifest } = keptIn(object.manifest, { ignored, live });
  const after = await reader.dryRunApply(manifest, { ...options, force: true });
  if (live.metadata.deletionTimestamp !== undefined) return changeOf("create", object, dying(live));
  const adoption = asked.adopt ? previewAdoption({ live, after }) : undefined;
  const isIgnored = isIgnoredIn(ignored, live);
  const gone = (adoption?.gone ?? []).filter(({ path }) => !isIgnored(path));
  const fields = fieldChanges(object, { live, after, gone });
  if (fields.length === 0) return undefined;
  const mayForce = asked.force ?? conflicts === "force";
  const taken = mayForce ? undefined : await conflictOf({ ...object, manifest }, { reader, asked }, options);
  if (taken !== undefined) return { ...changeOf("fail", object, taken), fields };
  const from = adoption === undefined ? "" : `it is adopted from ${adoption.from.join(" and ")}`;
  const reason = [changeReason(live, application), from].filter((text) => text !== "").join("; ");
  return { ...changeOf("change", object, reason), fields };
}

/** What other managers would not give up without force; undefined when nobody holds anything. */
async function conflictOf(
  object: DesiredObject,
  { reader, asked }: { readonly reader: ClusterReader; readonly asked: ApplyOptions },
  options: CallOptions,
): Promise<string | undefined> {
  try {
    await reader.dryRunApply(object.manifest, { ...options, force: false });
    return undefined;
  } catch (error) {
    if (!(error instanceof DriftlessError) || error.facts["conflict"] === undefined) throw error;
    const why = asked.force === false ? "its annotation says Merge" : "`sync.conflicts` is `fail`";
    return `it would take ${String(error.facts["conflictOwners"])}, and ${why}`;
  }
}

function fieldChanges(
  { ref }: DesiredObject,
  { live, after, gone }: { readonly live: Manifest; readonly after: Manifest; readonly gone: readonly FieldDifference[] },
): readonly FieldChange[] {
  const owned = ourFields(after.metadata);
  if (owned === undefined) return [];
  const applied = diffApplied({ live, after, owned, ownedBefore: ourFields(live.metadata) });
  const paths = new Set(applied.map(({ path }) => path));
  const differences = [...applied, ...gone.filter(({ path }) => !paths.has(path))];
  // The mask marks its second side as the changed one: here that is what the field becomes.
  const turned = differences.map(({ path, live: from, desired: to }) => ({
    path,
    ...(from === undefined ? {} : { desired: from }),
    ...(to === undefined ? {} : { live: to }),
  }));
  return maskSecrets(ref, turned).map(({ path, desired: from, live: to }) =>
    excerpt({
      path,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      manager: otherOwnerOf(live.metadata, path)?.manager ?? "",
    }),
  );
}

function changeReason({ metadata }: Manifest, application: string): string {
  const owner = metadata.labels?.[applicationLabel];
  return owner === undefined || owner === application
    ? ""
    : `it is taken over from application ${owner}, which states it no more`;
}

function dying({ metadata }: Manifest): string {
  return `it is being deleted (finalizers: ${metadata.finalizers?.join(", ") || "none"}), and made again once it is gone`;
}

function changeOf(action: PlannedAction, { ref }: DesiredObject, reason: string): PlannedChange {
  return { action, ref, fields: [], reason };
}
