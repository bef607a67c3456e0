import { keyOf, kindKey, selectorOf } from "../../apply/live.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { isDriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { type GroupVersionKind, type Manifest, resourceKey } from "../../model/resource.ts";
import type { Sighting } from "./sweep-tracking.ts";

/** Of fewer objects of a kind each is read by itself. */
const fewSuspects = 3;

/** A list may bring so many objects for each one that is wanted, and is still cheaper than as many requests. */
const mostForEach = 50;

/** Reads objects by `get`, and knows already those that a list has brought. */
export type Bodies = ReadonlyMap<string, Manifest>;

/**
 * The suspects of some applications that are there, whole: by one LIST of each kind that has several of them. What is not among
 * them is left to be read by itself.
 */
export async function listSuspects(
  reader: Pick<ClusterReader, "visit">,
  sightings: readonly Sighting[],
  options: CallOptions,
): Promise<Bodies> {
  const found = new Map<string, Manifest>();
  await Promise.all(
    [...wantedKinds(sightings)].map(async ([, { type, applications, keys, owned }]) => {
      if (keys.size <= fewSuspects || owned > keys.size * mostForEach) return;
      const request = { type, namespace: "", labelSelector: selectorOf([...applications]), bodies: true };
      const page = (objects: readonly Manifest[]): void => {
        for (const object of objects) if (keys.has(keyOf(object))) found.set(keyOf(object), object);
      };
      try {
        await reader.visit(request, { begin: () => undefined, page }, options);
      } catch (error) {
        // Each is then asked for by itself, and has an error of its own.
        if (!isDriftlessError(error, "cluster")) throw error;
      }
    }),
  );
  return found;
}

interface WantedKind {
  readonly type: GroupVersionKind;
  readonly applications: Set<string>;
  readonly keys: Set<string>;
  /** Objects of the kind that these applications have. */
  owned: number;
}

function wantedKinds(sightings: readonly Sighting[]): ReadonlyMap<string, WantedKind> {
  const wanted = new Map<string, WantedKind>();
  for (const { state, entries, suspects, live } of sightings) {
    const here = suspects.filter(({ ref }) => live.has(resourceKey(ref)));
    for (const [kind, members] of Map.groupBy(here, ({ ref }) => kindKey(ref))) {
      const type = (members[0] as (typeof members)[number]).ref;
      const known = wanted.get(kind) ?? { type, applications: new Set<string>(), keys: new Set<string>(), owned: 0 };
      known.applications.add(state.application);
      for (const { ref } of members) known.keys.add(resourceKey(ref));
      known.owned += entries.filter(({ ref }) => kindKey(ref) === kind).length;
      wanted.set(kind, known);
    }
  }
  return wanted;
}

/** The suspects that were seen whole, since each was read by itself. */
export function bodiesSeen(sightings: readonly Sighting[]): Bodies {
  return new Map(sightings.flatMap(({ live }) => [...live].map(([key, object]) => [key, object as Manifest] as const)));
}

/** A reader that has these objects at hand. */
export function withBodies(reader: ClusterReader, bodies: Bodies): ClusterReader {
  if (bodies.size === 0) return reader;
  const get: ClusterReader["get"] = async (ref, options) => bodies.get(resourceKey(ref)) ?? reader.get(ref, options);
  return Object.assign(Object.create(reader) as ClusterReader, { get });
}
