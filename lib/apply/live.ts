import type { ClusterReader, ListVisitor, PartialObject } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { applicationLabel, type GroupVersionKind, gvkOf, resourceKey } from "../model/resource.ts";

/** Metadata of live objects by `resourceKey`. */
export type LiveObjects = ReadonlyMap<string, PartialObject>;

export interface Listed {
  readonly live: LiveObjects;
  /** Kinds that our identity may not list, by `GROUP/KIND`, with what the server said: nothing is known of their objects. */
  readonly forbidden: ReadonlyMap<string, string>;
}

export interface LiveRequest {
  readonly reader: Pick<ClusterReader, "listMetadata" | "list">;
  readonly kinds: readonly GroupVersionKind[];
  /** Names to look for; many of them are asked for as "any". */
  readonly applications: readonly string[];
  /** Kinds whose whole objects are wanted in place of their metadata; none when absent. */
  readonly withBodies?: (kind: GroupVersionKind) => boolean;
}

/** Above this a selector that names each application costs more than reading the rest. */
const mostNamed = 100;

/** A label selector for the objects of these applications, or of all where none or very many are named. */
export function selectorOf(applications: readonly string[]): string {
  const isNamed = applications.length > 0 && applications.length <= mostNamed;
  return isNamed ? `${applicationLabel} in (${applications.join(",")})` : applicationLabel;
}

/** What is live of some applications, from one metadata LIST a kind, however many objects and applications there are. */
export async function listLive(
  { reader, kinds, applications, withBodies = () => false }: LiveRequest,
  options: CallOptions = {},
): Promise<Listed> {
  const labelSelector = selectorOf(applications);
  const live = new Map<string, PartialObject>();
  const forbidden = new Map<string, string>();
  const list = async (type: GroupVersionKind): Promise<void> => {
    try {
      const request = { type, namespace: "", labelSelector };
      const found = withBodies(type) ? await reader.list(request, options) : await reader.listMetadata(request, options);
      for (const object of found) live.set(keyOf(object), object);
    } catch (error) {
      if (!isDriftlessError(error, "cluster") || error.facts["status"] !== 403) throw error;
      forbidden.set(`${type.group}/${type.kind}`, messageOf(error));
    }
  };
  await Promise.all(distinctKinds(kinds).map(list));
  return { live, forbidden };
}

/** Kinds that are listed at once, of which each holds a page. */
const kindsAtOnce = 4;

export interface VisitLiveRequest {
  readonly reader: Pick<ClusterReader, "visit">;
  readonly kinds: readonly GroupVersionKind[];
  readonly visitorOf: (kind: GroupVersionKind) => ListVisitor;
}

/**
 * Shows the metadata of everything that carries our label, page by page, kind beside kind; returns the kinds that could not be
 * listed, by `GROUP/KIND`, with the reason: nothing is known of their objects. Throws `cluster` when the API server is away.
 */
export async function visitLive(
  { reader, kinds, visitorOf }: VisitLiveRequest,
  options: CallOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const unreadable = new Map<string, string>();
  const visit = async (type: GroupVersionKind): Promise<void> => {
    const visitor = visitorOf(type);
    try {
      await reader.visit({ type, namespace: "", labelSelector: applicationLabel, bodies: false }, visitor, options);
    } catch (error) {
      if (!isOfKind(error)) throw error;
      visitor.begin();
      unreadable.set(kindKey(type), messageOf(error));
    }
  };
  await mapConcurrently(distinctKinds(kinds), { limit: kindsAtOnce, work: visit });
  return unreadable;
}

/** A refusal of one kind, or a group whose own server is down; neither says anything of other kinds. */
function isOfKind(error: unknown): boolean {
  if (!isDriftlessError(error, "cluster")) return false;
  const { status, group } = error.facts;
  return (status !== undefined && status !== 401) || group !== undefined;
}

/** `GROUP/KIND`. */
export function kindKey({ group, kind }: Pick<GroupVersionKind, "group" | "kind">): string {
  return `${group}/${kind}`;
}

export function keyOf(object: PartialObject): string {
  return resourceKey({ ...gvkOf(object), namespace: object.metadata.namespace ?? "", name: object.metadata.name });
}

/** Each group and kind once, in whichever version it was seen last: all versions list the same objects. */
export function distinctKinds(kinds: readonly GroupVersionKind[]): readonly GroupVersionKind[] {
  return [...new Map(kinds.map(({ group, version, kind }) => [`${group}/${kind}`, { group, version, kind }])).values()];
}
