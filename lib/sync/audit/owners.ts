import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { applicationLabel, type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import { ourEntry } from "../../ownership/entries.ts";
import type { Stores } from "../../store/store.ts";
import type { Target } from "./targets.ts";

/** An object of an application, and the edits of it. */
export interface OwnedTarget {
  readonly application: string;
  readonly ref: ResourceRef;
  readonly target: Target;
}

/** What a batch told of the applications of one cluster. */
export interface Edited {
  /** Of this batch, also when it comes again. */
  readonly id: string;
  readonly cluster: string;
  readonly owned: readonly OwnedTarget[];
}

export interface OwnersDeps {
  readonly stores: Pick<Stores, "applications" | "inventories">;
}

export interface OwnersLook {
  readonly reader: ClusterReader;
  readonly cluster: string;
  /** True where projects have identities of their own: what our own may not read can be theirs all the same. */
  readonly isShut?: boolean;
}

interface Looked {
  readonly target: Target;
  readonly ref: ResourceRef;
  /** What its label says; "" without one. */
  readonly label: string;
}

/** An inventory as it was when its application's state had this version: only runs change it, and each writes the state. */
interface Known {
  readonly version: number;
  readonly entries: ReadonlyMap<string, InventoryEntry>;
}

/** Objects of a collection that was deleted, at most. */
const mostOfCollection = 100;

/**
 * Finds the applications that own objects. Each costs one GET; an object that says by its label whose it is costs two reads of
 * the table more, and one that nobody of us ever applied costs no more. For those that are gone, or lost their label, the
 * inventories of the cluster are asked: one query of all applications, and one read for each that had a run since the last time.
 */
export function createFindOwners({ stores }: OwnersDeps) {
  const cache = new Map<string, Known>();

  return async (
    targets: readonly Target[],
    { reader, cluster, isShut = false }: OwnersLook,
    options: CallOptions = {},
  ): Promise<readonly OwnedTarget[]> => {
    const looked = await mapConcurrently(targets, { limit: 8, work: (target) => look(target, { reader, isShut }, options) });
    const seen = looked.flat();
    const byLabel = await ownersByLabel(seen, { cluster }, options);
    const rest = seen.filter((object) => !byLabel.some(({ target }) => target === object.target));
    return rest.length === 0 ? byLabel : [...byLabel, ...(await ownersByInventory(rest, { cluster }, options))];
  };

  async function ownersByLabel(
    seen: readonly Looked[],
    { cluster }: { readonly cluster: string },
    options: CallOptions,
  ): Promise<readonly OwnedTarget[]> {
    const names = [...new Set(seen.map(({ label }) => label))].filter((name) => name !== "");
    const states = await mapConcurrently(names, { limit: 32, work: (name) => stores.applications.get(name, options) });
    const inventories = await inventoriesOf(
      states.filter((state) => state?.definition.cluster === cluster).filter((state) => state !== undefined),
      options,
    );
    return seen.flatMap(({ target, ref, label }) =>
      isWatched(inventories.get(label)?.get(resourceKey(ref))) ? [{ application: label, ref, target }] : [],
    );
  }

  async function ownersByInventory(
    seen: readonly Looked[],
    { cluster }: { readonly cluster: string },
    options: CallOptions,
  ): Promise<readonly OwnedTarget[]> {
    const states = (await stores.applications.list(options)).filter(({ definition }) => definition.cluster === cluster);
    const inventories = await inventoriesOf(states, options);
    return seen.flatMap(({ target, ref }) =>
      [...inventories].flatMap(([application, entries]): readonly OwnedTarget[] => {
        const owned = target.name === "" ? collectionOf(entries, ref) : [entries.get(resourceKey(ref))];
        return owned.flatMap((entry) => (isWatched(entry) ? [{ application, ref: entry.ref, target }] : []));
      }),
    );
  }

  async function inventoriesOf(
    states: readonly ApplicationState[],
    options: CallOptions,
  ): Promise<ReadonlyMap<string, Known["entries"]>> {
    const loaded = await mapConcurrently(states, {
      limit: 100,
      work: async ({ application, version }): Promise<readonly [string, Known["entries"]]> => {
        const known = cache.get(application);
        if (known?.version === version) return [application, known.entries];
        const inventory = await stores.inventories.load(application, options);
        const entries = new Map((inventory?.entries ?? []).map((entry) => [resourceKey(entry.ref), entry]));
        cache.set(application, { version, entries });
        return [application, entries];
      },
    });
    return new Map(loaded);
  }
}

/** Nothing for a type that the server does not serve, or that we may not read: then no application has it either, unless `isShut`. */
async function look(
  target: Target,
  { reader, isShut }: Required<Pick<OwnersLook, "reader" | "isShut">>,
  options: CallOptions,
): Promise<readonly Looked[]> {
  const type = await reader.resourceNamed(target, options);
  if (type === undefined) return [];
  const { group, version, kind, namespaced } = type;
  const ref = { group, version, kind, namespace: namespaced ? target.namespace : "", name: target.name };
  if (target.name === "") return [{ target, ref, label: "" }];
  try {
    const live = await reader.get(ref, options);
    const label = live?.metadata.labels?.[applicationLabel] ?? "";
    if (live !== undefined && label === "" && ourEntry(live.metadata) === undefined) return [];
    return [{ target, ref, label }];
  } catch (error) {
    if (!isDriftlessError(error, "apply", "cluster") || error.facts["status"] !== 403) throw error;
    return isShut ? [{ target, ref, label: "" }] : [];
  }
}

function isWatched(entry: InventoryEntry | undefined): entry is InventoryEntry {
  return entry !== undefined && entry.uid !== "" && entry.leaving !== true && entry.hook !== true;
}

function collectionOf(entries: Known["entries"], type: ResourceRef): readonly InventoryEntry[] {
  return [...entries.values()]
    .filter(({ ref }) => ref.group === type.group && ref.kind === type.kind)
    .filter(({ ref }) => type.namespace === "" || ref.namespace === type.namespace)
    .slice(0, mostOfCollection);
}
