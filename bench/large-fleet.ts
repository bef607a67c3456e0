import { applicationNames, configurationText, filesOf } from "./applications.ts";
import { deliverChange } from "./delivery.ts";
import type { Fleet } from "./fleet.ts";

/** A fleet whose applications make their own namespaces, and become more from case to case. */
export interface LargeFleet {
  readonly fleet: Fleet;
  /** Adds and syncs what is missing to so many applications, and returns the names of all. */
  readonly growTo: (count: number) => Promise<readonly string[]>;
}

export function startLargeFleet(fleet: Fleet): LargeFleet {
  let names: readonly string[] = [];
  return {
    fleet,
    async growTo(count) {
      const all = applicationNames({ prefix: "large", count: Math.max(count, names.length) });
      const added = all.slice(names.length);
      if (added.length > 0) await deliverNew(fleet, { all, added });
      names = all;
      return names;
    },
  };
}

/** States all of these applications and adds the files of those that are new; each makes its own namespace. */
export async function deliverNew(
  fleet: Fleet,
  { all, added }: { readonly all: readonly string[]; readonly added: readonly string[] },
): Promise<void> {
  fleet.progress(`first sync of ${added.length} more applications`);
  fleet.cluster.expectNamespaces(added);
  const mark = fleet.newMark();
  const configuration = { "driftless.yaml": configurationText(all, { createNamespace: true }) };
  await deliverChange(fleet, { files: { ...configuration, ...filesOf(added, { mark }) }, names: added, mark });
}
