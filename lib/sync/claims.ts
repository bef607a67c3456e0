import type { ClusterReader } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import type { Application } from "../model/application.ts";
import type { ApplicationState } from "../model/sync.ts";
import { sharesSource } from "../plan/affected.ts";
import type { Stores } from "../store/store.ts";
import { wantedKeys } from "./wanted-keys.ts";

/** Who else wants an object, or may want it. */
export interface Claims {
  /** Names of applications that want the object with this `resourceKey` and may not have applied it yet. */
  readonly wanting: (key: string) => readonly string[];
  /** The same of those whose newest state waits for leave: that may be long. */
  readonly pending: (key: string) => readonly string[];
  /** Names of applications that may be a removed one under another name: same folder, and nothing rendered of it so far. */
  readonly heirs: (removed: string) => readonly string[];
}

/**
 * What the applications of a cluster want whose newest desired state has not been synced yet. An object that moves from one
 * application to another keeps the old one's label until the new one applied it, and a prune by that label would delete what
 * was only moved:
 *
 *     plan        shop wants no settings       billing wants settings        (saved before any run begins)
 *     run of shop        ... reads claims: billing is not synced, wants settings -> waits
 *     run of billing     ... applies settings: the label says billing, the uid stays; its row says Succeeded
 *     run of shop        ... reads claims: none; reads live: the label says billing -> lets it go without a delete
 *
 * So claims are read before the live objects: who is synced by then has set its label, and the live objects show it. The
 * snapshots are what is asked, and not inventories, since a run that has not begun has saved none. The application itself is
 * among those asked: its next desired state may have an object again that this one has not.
 */
export async function readClaims(
  { stores }: { readonly stores: Pick<Stores, "applications" | "snapshots"> },
  { cluster, reader }: { readonly cluster: string; readonly reader: ClusterReader },
): Promise<Claims> {
  const states = (await stores.applications.list()).filter(({ definition }) => definition.cluster === cluster);
  const unsynced = states.filter(isUnsynced).map((state) => ({ state, snapshot: state.desired?.snapshot ?? "" }));
  const held = states.flatMap((state) => (state.pending ? [{ state, snapshot: state.pending.snapshot }] : []));
  const [wanting, pending] = await Promise.all([namesByKey(unsynced), namesByKey(held)]);
  return {
    wanting: (key) => wanting.get(key) ?? [],
    pending: (key) => pending.get(key) ?? [],
    heirs: (name) => {
      const removed = states.find(({ application }) => application === name);
      return removed ? states.filter((state) => isHeir(state, removed.definition)).map(({ application }) => application) : [];
    },
  };

  async function namesByKey(claimants: readonly Claimant[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = new Map<string, string[]>();
    for (const { application, keys } of await mapConcurrently(claimants, { limit: 8, work: wantedBy })) {
      for (const key of keys) names.set(key, [...(names.get(key) ?? []), application]);
    }
    return names;
  }

  async function wantedBy({ state, snapshot }: Claimant) {
    const keys = await wantedKeys(state, snapshot, { snapshots: stores.snapshots, reader });
    return { application: state.application, keys };
  }
}

/** An application and a state of it that it wants. */
interface Claimant {
  readonly state: ApplicationState;
  readonly snapshot: string;
}

function isUnsynced({ desired, lastSync }: ApplicationState): boolean {
  if (desired === undefined || desired.snapshot === "") return false;
  return lastSync?.generation !== desired.generation || lastSync.phase !== "Succeeded";
}

/** A rename whose first render fails says nothing about what the new name wants: then the old one's objects have to stay. */
function isHeir({ definition, desired, planError }: ApplicationState, removed: Application): boolean {
  return desired === undefined && planError !== "" && definition.name !== removed.name && sharesSource(definition, removed);
}
