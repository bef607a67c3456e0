import { kindKey } from "../../apply/live.ts";
import type { ClusterReader } from "../../cluster/cluster.ts";
import { mapConcurrently } from "../../cluster/concurrency.ts";
import { isDriftlessError, messageOf } from "../../errors.ts";
import type { CallOptions } from "../../model/call.ts";
import { type ResourceRef, resourceKey } from "../../model/resource.ts";
import type { Owner, Tracking } from "./sweep-tracking.ts";

export interface VisitObjectsRequest extends Pick<Tracking, "visitorOf"> {
  readonly reader: Pick<ClusterReader, "get">;
  /** With the entries that are to be looked at, and no others. */
  readonly owners: readonly Owner[];
}

/** Shows each of these objects as a list would, by one GET; returns kinds that may not be read, by `GROUP/KIND`, with the reason. */
export async function visitObjects(
  { reader, owners, visitorOf }: VisitObjectsRequest,
  options: CallOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const refs = new Map(owners.flatMap(({ entries }) => entries.map(({ ref }) => [resourceKey(ref), ref] as const)));
  const refused = new Map<string, string>();
  const visit = async (ref: ResourceRef): Promise<void> => {
    try {
      const object = await reader.get(ref, options);
      if (object !== undefined) visitorOf(ref).page([object]);
    } catch (error) {
      if (!isDriftlessError(error, "apply", "cluster") || error.facts["status"] !== 403) throw error;
      refused.set(kindKey(ref), messageOf(error));
    }
  };
  await mapConcurrently([...refs.values()], { limit: 16, work: visit });
  return refused;
}
