import { prepareObjects } from "../apply/prepare.ts";
import type { ClusterReader } from "../cluster/cluster.ts";
import { resourceKey } from "../model/resource.ts";
import type { SnapshotStore } from "../store/store.ts";

/** A state of an application. */
export interface WantedState {
  readonly application: string;
  /** Of the definition that the state was rendered by. */
  readonly namespace: string;
  readonly snapshot: string;
}

/** The `resourceKey`s of the objects of a snapshot, placed as a sync of the application places them; none for the snapshot "". */
export async function wantedKeys(
  { application, namespace, snapshot }: WantedState,
  { snapshots, reader }: { readonly snapshots: SnapshotStore; readonly reader: ClusterReader },
): Promise<readonly string[]> {
  if (snapshot === "") return [];
  const objects = await snapshots.load(snapshot);
  const { desired } = await prepareObjects({ application, namespace, objects, reader, digest: () => "" });
  return desired.map(({ ref }) => resourceKey(ref));
}
