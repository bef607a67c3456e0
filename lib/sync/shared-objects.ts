import type { LiveObjects } from "../apply/live.ts";
import type { DesiredObject } from "../apply/prepare.ts";
import type { ClusterReader } from "../cluster/cluster.ts";
import { applicationLabel, displayRef, resourceKey } from "../model/resource.ts";
import type { Stores } from "../store/store.ts";
import { wantedKeys } from "./wanted-keys.ts";

export interface SharedLook {
  readonly application: string;
  readonly objects: readonly DesiredObject[];
  /** Metadata of what is live, whoever's it is. */
  readonly live: LiveObjects;
}

/**
 * Tells which objects cannot be applied since another application has them and states them too; one that the other states no
 * more is free to be taken. Asks about each other application once.
 */
export function createSharedObjects({
  stores,
  reader,
}: {
  readonly stores: Pick<Stores, "applications" | "snapshots">;
  readonly reader: ClusterReader;
}): (look: SharedLook) => Promise<ReadonlyMap<string, string>> {
  const wanted = new Map<string, Promise<ReadonlySet<string>>>();

  return async ({ application, objects, live }) => {
    const refused = new Map<string, string>();
    for (const { ref } of objects) {
      const key = resourceKey(ref);
      const owner = live.get(key)?.metadata.labels?.[applicationLabel];
      if (owner === undefined || owner === application) continue;
      const keys = wanted.get(owner) ?? wantedBy(owner);
      wanted.set(owner, keys);
      if ((await keys).has(key)) refused.set(key, refusal(owner, displayRef(ref)));
    }
    return refused;
  };

  async function wantedBy(owner: string): Promise<ReadonlySet<string>> {
    const state = await stores.applications.get(owner);
    if (state?.desired === undefined) return new Set();
    const { namespace } = state.definition;
    const wanted = { application: owner, namespace, snapshot: state.desired.snapshot };
    return new Set(await wantedKeys(wanted, { snapshots: stores.snapshots, reader }));
  }
}

function refusal(owner: string, object: string): string {
  return `${object} belongs to application ${owner}, which states it too: keep it in one of the two, or give it another name`;
}
