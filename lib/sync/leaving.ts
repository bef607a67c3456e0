import { type LiveObjects, listLive } from "../apply/live.ts";
import type { ClusterReader } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import type { CallOptions } from "../model/call.ts";
import type { InventoryEntry } from "../model/inventory.ts";
import { applicationLabel, resourceKey } from "../model/resource.ts";
import type { Claims } from "./claims.ts";

/** What is live of the leaving entries. One that lost our label is not in the list, and must not be taken for gone. */
export async function liveLeaving(
  leaving: readonly InventoryEntry[],
  { reader, application }: { readonly reader: ClusterReader; readonly application: string },
  options: CallOptions = {},
): Promise<LiveObjects> {
  const request = { reader, kinds: leaving.map(({ ref }) => ref), applications: [application] };
  const { live: listed } = await listLive(request, options);
  const unlisted = leaving.filter(({ ref }) => !listed.has(resourceKey(ref)));
  const found = await mapConcurrently(unlisted, {
    limit: 8,
    work: async ({ ref }) => [resourceKey(ref), await reader.get(ref, options)] as const,
  });
  return new Map([...listed, ...found.flatMap(([key, object]) => (object === undefined ? [] : [[key, object] as const]))]);
}

/** An object that left the desired state and is not deleted, since others want it, or may. */
export interface Kept {
  readonly entry: InventoryEntry;
  /** Names of applications; of branches where these are not planned to their end. */
  readonly by: readonly string[];
  /**
   * `unsynced`: they want it, and have not applied it yet; `unplanned`: they are being planned; a run can wait for both.
   * `unrendered`: nobody knows what they want; `pending`: what they want waits for leave.
   */
  readonly why: "unsynced" | "unplanned" | "unrendered" | "pending";
}

/** What others claim and still carries our label; once it carries another's, the guard lets it go. */
export function keptForOthers(
  leaving: readonly InventoryEntry[],
  { claims, live, application }: { readonly claims: Claims; readonly live: LiveObjects; readonly application: string },
): readonly Kept[] {
  const unplanned = claims.unplanned(application);
  return leaving.flatMap((entry): Kept[] => {
    const { ref } = entry;
    const leaves = { application, ref };
    if (live.get(resourceKey(ref))?.metadata.labels?.[applicationLabel] !== application) return [];
    const reasons = [
      { why: "unsynced", by: claims.wanting(leaves) },
      { why: "unplanned", by: unplanned },
      { why: "unrendered", by: claims.unrendered(leaves) },
      { why: "pending", by: claims.pending(leaves) },
    ] as const;
    const reason = reasons.find(({ by }) => by.length > 0);
    return reason === undefined ? [] : [{ entry, why: reason.why, by: [...new Set(reason.by)] }];
  });
}

/** As many names as a line has room for. */
function namesOf(names: readonly string[]): string {
  const more = names.length - mostNamed;
  return more > 0 ? `${names.slice(0, mostNamed).join(", ")} and ${more} more` : names.join(" and ");
}

const mostNamed = 3;

/** Why it stays, for people. */
export function keptText({ why, by }: Pick<Kept, "why" | "by">): string {
  const names = namesOf(by);
  switch (why) {
    case "unsynced":
      return `it is kept for ${names}, which has not applied it yet`;
    case "unplanned":
      return `the newest commit of ${names} is not planned to its end, and may have it in another application`;
    case "unrendered":
      return `${names} could not be rendered at its newest commit, and may want it`;
    case "pending":
      return `${names} states it, and waits for leave`;
    default:
      return why satisfies never;
  }
}
