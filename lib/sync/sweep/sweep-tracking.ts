import { createHash } from "node:crypto";
import { keyOf, kindKey, type LiveObjects } from "../../apply/live.ts";
import type { ListVisitor, PartialObject } from "../../cluster/cluster.ts";
import type { DriftRow } from "../../model/drift.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { type GroupVersionKind, type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { isAsKnown, usableCleared } from "./sweep-cleared.ts";
import { orphansIn } from "./sweep-detect.ts";

/** An application with what it owns, as it stood when the sweep began. */
export interface Owner {
  readonly state: ApplicationState;
  readonly entries: readonly InventoryEntry[];
}

/** What the lists told of one application. */
export interface Sighting extends Owner {
  /** Entries that metadata did not clear, those of missing objects among them. */
  readonly suspects: readonly InventoryEntry[];
  /** Metadata of the suspects that are there. */
  readonly live: LiveObjects;
  /** True when something that it owned is gone. */
  readonly hasGone: boolean;
  /** What counts for its health. */
  readonly counted: readonly ResourceRef[];
  /** Digest over uid and resourceVersion of that. */
  readonly health: string;
  /** False when one of its kinds could not be listed: then its health cannot be told. */
  readonly isWhole: boolean;
  /** Objects that carry its label, and that no application owns. */
  readonly orphans: readonly DriftRow[];
}

export interface Tracking {
  readonly kinds: readonly GroupVersionKind[];
  /** Compares each page as it comes and keeps nothing of it but what is suspect. */
  readonly visitorOf: (kind: GroupVersionKind) => ListVisitor;
  /** Once everything was listed; `unreadable` are kinds that could not be. */
  readonly sightings: (unreadable: ReadonlySet<string>) => readonly Sighting[];
  /** Names in our label that no application has. */
  readonly unknownOwners: () => readonly string[];
}

interface Tracked {
  readonly owner: Owner;
  readonly entry: InventoryEntry;
  /** "" while it was not seen. */
  resourceVersion: string;
  /** Kept of suspects alone. */
  suspect?: PartialObject;
  /** The same object in the inventory of another application. */
  readonly next?: Tracked;
}

interface TrackedKind {
  readonly type: GroupVersionKind;
  readonly objects: Map<string, Tracked>;
  orphans: readonly DriftRow[];
}

/** What is known of a whole cluster where only some of its applications are followed. */
export interface KnownOwners {
  readonly isApplication: (name: string) => boolean;
  /** True for an object, by `resourceKey`, that an application owns. */
  readonly isOwned: (key: string) => boolean;
}

export interface TrackOptions {
  readonly cluster: string;
  /** RFC 3339. */
  readonly now: string;
  /** By what health is judged, beside what is built in: with other rules it is judged anew. */
  readonly rules?: string;
  /** Of the applications that are not followed here; none when absent. */
  readonly known?: KnownOwners;
}

/** Follows what the applications of a cluster own through the lists of it. */
export function trackOwners(owners: readonly Owner[], { cluster, now, rules = "", known: others }: TrackOptions): Tracking {
  const kinds = new Map<string, TrackedKind>();
  const byOwner = new Map<Owner, Tracked[]>();
  for (const owner of owners) {
    const own: Tracked[] = [];
    byOwner.set(owner, own);
    for (const entry of owner.entries) own.push(track(kinds, owner, entry));
  }
  const clearedOf = new Map(owners.map((owner) => [owner, usableCleared(owner.state)]));

  function look(key: string, tracked: Tracked, object: PartialObject): void {
    const { metadata } = object;
    tracked.resourceVersion = metadata.resourceVersion ?? "";
    if (!isWatched(tracked.entry)) return;
    const cleared = clearedOf.get(tracked.owner)?.[key];
    if (!isAsKnown(tracked.entry, metadata, cleared)) tracked.suspect = object;
  }

  return {
    kinds: [...kinds.values()].map(({ type }) => type),
    visitorOf(kind) {
      const here = kinds.get(kindKey(kind)) as TrackedKind;
      return {
        begin() {
          here.orphans = [];
          for (const first of here.objects.values()) for (const tracked of chain(first)) forget(tracked);
        },
        page(objects) {
          const strangers = new Map<string, PartialObject>();
          for (const object of objects) {
            const key = keyOf(object);
            const first = here.objects.get(key);
            if (first !== undefined) for (const tracked of chain(first)) look(key, tracked, object);
            else if (others?.isOwned(key) !== true) strangers.set(key, object);
          }
          if (strangers.size > 0) here.orphans = [...here.orphans, ...orphansIn(strangers, { cluster, now })];
        },
      };
    },
    sightings(unreadable) {
      const orphans = Map.groupBy(
        [...kinds.values()].flatMap((kind) => kind.orphans),
        ({ application }) => application,
      );
      return owners.map((owner) => sightingOf(owner, byOwner.get(owner) ?? [], { unreadable, orphans, rules }));
    },
    unknownOwners() {
      const known = new Set(owners.map(({ state }) => state.application));
      const labelled = new Set([...kinds.values()].flatMap((kind) => kind.orphans.map(({ application }) => application)));
      return [...labelled].filter((name) => !known.has(name) && others?.isApplication(name) !== true);
    },
  };
}

function track(kinds: Map<string, TrackedKind>, owner: Owner, entry: InventoryEntry): Tracked {
  const { group, version, kind } = entry.ref;
  const known = kinds.get(kindKey(entry.ref));
  const here = known ?? { type: { group, version, kind }, objects: new Map<string, Tracked>(), orphans: [] };
  if (known === undefined) kinds.set(kindKey(entry.ref), here);
  const key = resourceKey(entry.ref);
  const next = here.objects.get(key);
  const tracked: Tracked = { owner, entry, resourceVersion: "", ...(next === undefined ? {} : { next }) };
  here.objects.set(key, tracked);
  return tracked;
}

function* chain(first: Tracked): Iterable<Tracked> {
  for (let tracked: Tracked | undefined = first; tracked !== undefined; tracked = tracked.next) yield tracked;
}

function forget(tracked: Tracked): void {
  tracked.resourceVersion = "";
  delete tracked.suspect;
}

/** Of what is leaving, of hooks and of what was never applied no drift is looked for. */
function isWatched({ uid, leaving, hook }: InventoryEntry): boolean {
  return uid !== "" && leaving !== true && hook !== true;
}

interface SightingOptions {
  readonly unreadable: ReadonlySet<string>;
  readonly orphans: ReadonlyMap<string, readonly DriftRow[]>;
  readonly rules: string;
}

function sightingOf(owner: Owner, all: readonly Tracked[], { unreadable, orphans, rules }: SightingOptions): Sighting {
  const readable = unreadable.size === 0 ? all : all.filter(({ entry }) => !unreadable.has(kindKey(entry.ref)));
  const watched = readable.filter(({ entry }) => isWatched(entry));
  const suspects = watched.filter(({ resourceVersion, suspect }) => resourceVersion === "" || suspect !== undefined);
  return {
    ...owner,
    suspects: suspects.map(({ entry }) => entry),
    live: new Map(suspects.flatMap(({ entry, suspect }) => (suspect ? [[resourceKey(entry.ref), suspect] as const] : []))),
    hasGone: readable.some(({ resourceVersion }) => resourceVersion === ""),
    counted: watched.map(({ entry }) => entry.ref),
    health: versionsDigest(watched, rules),
    isWhole: readable.length === all.length,
    orphans: orphans.get(owner.state.application) ?? [],
  };
}

/** One hash an application, over what the lists had told anyway. */
function versionsDigest(watched: readonly Tracked[], rules: string): string {
  const hash = createHash("sha256").update(rules);
  for (const { entry, resourceVersion } of watched) hash.update(`${entry.uid} ${resourceVersion}\n`);
  return hash.digest("hex").slice(0, 16);
}
