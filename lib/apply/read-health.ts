import type { ClusterReader } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import { type Assessor, assessHealth, needsPods, podSelectorOf } from "../health/health.ts";
import type { CallOptions } from "../model/call.ts";
import { type Health, worstHealth } from "../model/health.ts";
import { displayRef, type Manifest, type ResourceRef, refOf, resourceKey } from "../model/resource.ts";
import { distinctKinds, kindKey, type LiveObjects, selectorOf } from "./live.ts";

export { explainFailure } from "./explain-failure.ts";

export interface Owned {
  readonly application: string;
  readonly refs: readonly ResourceRef[];
  /** False leaves the pods of unready workloads unread: they have a reason to tell only after a while. Default true. */
  readonly readsPods?: boolean;
}

export interface OwnedHealth {
  /** The worst of its objects. */
  readonly health: Health;
  /** The objects that are neither Healthy nor Suspended. */
  readonly unwell: readonly ResourceRef[];
  /** What was read of it, by `resourceKey`; undefined for an object that is gone. */
  readonly objects: ReadonlyMap<string, Manifest | undefined>;
}

export interface HealthRequest {
  readonly reader: ClusterReader;
  readonly owned: readonly Owned[];
  /** How objects are judged. Default: without anyone's own expressions. */
  readonly assess?: Assessor;
}

/**
 * The health of applications; one LIST a kind that has a health, and one of pods for each workload that is not healthy, so that
 * the message can name the pod's reason.
 */
export async function readHealth(
  { reader, owned, assess = assessHealth }: HealthRequest,
  options: CallOptions = {},
): Promise<ReadonlyMap<string, OwnedHealth>> {
  const assessed = owned.map(({ refs, ...rest }) => ({ ...rest, refs: refs.filter(assess.hasHealth) }));
  const { live, unread } = await listBodies(reader, assessed, options);
  const found = new Map<string, OwnedHealth>();
  for (const { application, refs, readsPods = true } of assessed) {
    const look = { reader, live, unread, assess, readsPods };
    const each = await mapConcurrently(refs, { limit: 8, work: (ref) => healthOf(ref, look, options) });
    found.set(application, {
      health: worstHealth(each.map(({ health }) => health)),
      unwell: refs.filter((_, at) => !isWell(each[at]?.health)),
      objects: new Map(refs.map((ref, at) => [resourceKey(ref), each[at]?.object])),
    });
  }
  return found;
}

/** The health of objects whose bodies were listed; undefined where one is not among them, or is not well: that takes a closer look. */
export function healthOfListed(
  refs: readonly ResourceRef[],
  { live, assess }: { readonly live: LiveObjects; readonly assess: Assessor },
): Health | undefined {
  const each: Health[] = [];
  for (const ref of refs.filter(assess.hasHealth)) {
    const object = live.get(resourceKey(ref));
    const health = object === undefined ? undefined : assess(object as Manifest);
    if (health === undefined || !isWell(health)) return undefined;
    each.push(health);
  }
  return worstHealth(each);
}

function isWell(health: Health | undefined): boolean {
  return health?.status === "Healthy" || health?.status === "Suspended";
}

async function listBodies(
  reader: ClusterReader,
  owned: readonly Owned[],
  options: CallOptions,
): Promise<Pick<HealthLook, "live" | "unread">> {
  const names = owned.filter(({ refs }) => refs.length > 0).map(({ application }) => application);
  const labelSelector = selectorOf(names);
  const live = new Map<string, Manifest>();
  const unread = new Map<string, string>();
  await Promise.all(
    distinctKinds(owned.flatMap(({ refs }) => refs)).map(async (type) => {
      try {
        for (const object of await reader.list({ type, namespace: "", labelSelector }, options))
          live.set(resourceKey(refOf(object)), object);
      } catch (error) {
        if (!isForbidden(error)) throw error;
        unread.set(kindKey(type), messageOf(error));
      }
    }),
  );
  return { live, unread };
}

/** A right that is missing says nothing of other kinds. */
function isForbidden(error: unknown): boolean {
  return isDriftlessError(error, "cluster") && error.facts["status"] === 403;
}

interface HealthLook {
  readonly reader: ClusterReader;
  readonly live: ReadonlyMap<string, Manifest>;
  /** Kinds that our identity may not list, by `GROUP/KIND`, with what the server said. */
  readonly unread: ReadonlyMap<string, string>;
  readonly assess: Assessor;
  readonly readsPods: boolean;
}

async function healthOf(
  ref: ResourceRef,
  { reader, live, unread, assess, readsPods }: HealthLook,
  options: CallOptions,
): Promise<{ readonly health: Health; readonly object: Manifest | undefined }> {
  const forbidden = unread.get(kindKey(ref));
  if (forbidden !== undefined) return { health: { status: "Unknown", message: forbidden }, object: undefined };
  const object = live.get(resourceKey(ref)) ?? (await reader.get(ref, options));
  if (object === undefined) return { health: { status: "Missing", message: `${displayRef(ref)} is gone` }, object };
  const alone = assess(object);
  const selector = readsPods && needsPods(object, alone) ? podSelectorOf(object) : undefined;
  const health = selector === undefined ? alone : assess(object, { pods: await listPods(reader, { ref, selector }, options) });
  const told = health.status === "Healthy" ? health.message : `${displayRef(ref)}: ${health.message || health.status}`;
  return { health: { ...health, message: told }, object };
}

/** Without the right to read pods the reasons in them are not told. */
async function listPods(
  reader: ClusterReader,
  { ref, selector }: { readonly ref: ResourceRef; readonly selector: string },
  options: CallOptions,
): Promise<readonly Manifest[]> {
  const type = { group: "", version: "v1", kind: "Pod" };
  try {
    return await reader.list({ type, namespace: ref.namespace, labelSelector: selector }, options);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return [];
  }
}
