import type { LiveObjects } from "../../apply/live.ts";
import { prepareObjects } from "../../apply/prepare.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { type Detected, detectDrift, orphanRows } from "../../drift/detect.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftRow } from "../../model/drift.ts";
import type { InventoryEntry } from "../../model/inventory.ts";
import { applicationLabel, gvkOf, type Manifest, type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";

/** What one look at a cluster has to go by. */
export interface Look {
  readonly reader: ClusterReader;
  readonly live: LiveObjects;
  /** RFC 3339. */
  readonly now: string;
  /** By the application that their label names. */
  readonly orphans: ReadonlyMap<string, readonly DriftRow[]>;
}

export interface DetectDeps {
  readonly stores: Pick<Stores, "snapshots" | "digest">;
}

export const nothingDetected: Detected = { rows: [], suspects: 0, takeBack: [], errors: [] };

/** Finds the drift of one application, the objects that carry its label and are not its own included. */
export function createDetect({ stores }: DetectDeps) {
  return async (
    { state, entries }: { readonly state: ApplicationState; readonly entries: readonly InventoryEntry[] },
    look: Look,
    options: CallOptions,
  ): Promise<Detected> => {
    const { application, definition } = state;
    const desired = desiredOf(state, look, options);
    const detected = await detectDrift({ ...look, application, cluster: definition.cluster, entries, desired }, options);
    return { ...detected, rows: [...detected.rows, ...(look.orphans.get(application) ?? [])] };
  };

  /** The objects of an application as a sync would apply them, loaded when the first suspect asks. */
  function desiredOf(
    { application, definition, desired }: ApplicationState,
    { reader }: Look,
    options: CallOptions,
  ): (ref: ResourceRef) => Promise<Manifest | undefined> {
    let prepared: Promise<ReadonlyMap<string, Manifest>> | undefined;
    const load = async (): Promise<ReadonlyMap<string, Manifest>> => {
      if (desired === undefined || desired.snapshot === "") return new Map();
      const objects = await stores.snapshots.load(desired.snapshot, options);
      const request = { application, namespace: definition.namespace, objects, reader, digest: stores.digest };
      return new Map((await prepareObjects(request, options)).desired.map(({ ref, manifest }) => [resourceKey(ref), manifest]));
    };
    return async (ref) => {
      prepared ??= load();
      return (await prepared).get(resourceKey(ref));
    };
  }
}

/** Live objects with our label that none of these inventories has, by the application that the label names. */
export function orphansOf(
  entries: readonly InventoryEntry[],
  { live, cluster, now }: { readonly live: LiveObjects; readonly cluster: string; readonly now: string },
): ReadonlyMap<string, readonly DriftRow[]> {
  const rows = orphanRows({
    live,
    owned: new Set(entries.map(({ ref }) => resourceKey(ref))),
    cluster,
    now,
    applicationOf: ({ metadata }) => metadata.labels?.[applicationLabel] ?? "",
    refOf: (object) => ({ ...gvkOf(object), namespace: object.metadata.namespace ?? "", name: object.metadata.name }),
  });
  return Map.groupBy(rows, ({ application }) => application);
}
