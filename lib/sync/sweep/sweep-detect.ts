import { prepareObjects } from "../../apply/prepare.ts";
import type { ClusterReader, PartialObject } from "../../cluster/cluster.ts";
import { type Detected, detectDrift, orphanRows } from "../../drift/detect.ts";
import type { CallOptions } from "../../model/call.ts";
import type { DriftRow } from "../../model/drift.ts";
import { applicationLabel, gvkOf, type Manifest, type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { ApplicationState } from "../../model/sync.ts";
import type { Stores } from "../../store/store.ts";
import { ownNamespace } from "../batch/desired-steps.ts";
import type { Sighting } from "./sweep-tracking.ts";

/** What one look at a cluster has to go by. */
export interface Look {
  readonly reader: ClusterReader;
  /** RFC 3339. */
  readonly now: string;
}

export interface DetectDeps {
  readonly stores: Pick<Stores, "snapshots" | "digest">;
}

export const nothingDetected: Detected = {
  rows: [],
  suspects: 0,
  heals: [],
  takeBack: [],
  strict: [],
  cleared: [],
  clearedAsSeen: [],
  errors: [],
};

/** An application with what metadata could not clear of it. */
export type Doubts = Pick<Sighting, "state" | "suspects" | "live" | "orphans">;

/** Finds the drift of one application, the objects that carry its label and are not its own included. */
export function createDetect({ stores }: DetectDeps) {
  return async ({ state, suspects, live, orphans }: Doubts, look: Look, options: CallOptions): Promise<Detected> => {
    if (suspects.length === 0) return { ...nothingDetected, rows: orphans };
    const { application, definition } = state;
    const desired = desiredOf(state, look, options);
    const about = { application, cluster: definition.cluster, policies: definition };
    const detected = await detectDrift({ ...look, ...about, entries: suspects, live, desired }, options);
    return { ...detected, rows: [...detected.rows, ...orphans] };
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
      const stored = await stores.snapshots.load(desired.snapshot, options);
      const objects = [...ownNamespace({ target: definition, removed: false }, stored), ...stored];
      const request = { application, namespace: definition.namespace, objects, reader, digest: stores.digest };
      return new Map((await prepareObjects(request, options)).desired.map(({ ref, manifest }) => [resourceKey(ref), manifest]));
    };
    return async (ref) => {
      prepared ??= load();
      return (await prepared).get(resourceKey(ref));
    };
  }
}

/** Rows for those of these live objects, which no inventory knows, that are orphans of the application in their label. */
export function orphansIn(
  strangers: ReadonlyMap<string, PartialObject>,
  { cluster, now }: { readonly cluster: string; readonly now: string },
): readonly DriftRow[] {
  return orphanRows({
    live: strangers,
    owned: new Set(),
    cluster,
    now,
    applicationOf: ({ metadata }) => metadata.labels?.[applicationLabel] ?? "",
    refOf: (object) => ({ ...gvkOf(object), namespace: object.metadata.namespace ?? "", name: object.metadata.name }),
  });
}
