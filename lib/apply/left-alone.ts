import type { ClusterReader, PartialObject } from "../cluster/cluster.ts";
import type { CallOptions } from "../model/call.ts";
import { resourceKey } from "../model/resource.ts";
import { type ApplyOptions, applyOptionsOf } from "../plan/options.ts";
import type { LiveObjects } from "./live.ts";
import type { DesiredObject } from "./prepare.ts";

export interface LeftAlone {
  /** Why, for people. */
  readonly reason: string;
  /** The live object that counts as applied; absent where a later sync has to look again. */
  readonly accepted?: PartialObject;
}

export interface AloneRequest {
  readonly asked: ApplyOptions;
  readonly live: LiveObjects;
  readonly reader: Pick<ClusterReader, "get">;
}

/**
 * Why an object is not applied: its annotations say so in the repository, or, as people pause one object of Flux, in the cluster.
 * Undefined when it is to be applied. Asks the cluster only where `if-absent` leaves it open.
 */
export async function leftAlone(
  { ref }: DesiredObject,
  { asked, live, reader }: AloneRequest,
  options: CallOptions = {},
): Promise<LeftAlone | undefined> {
  const seen = live.get(resourceKey(ref));
  const accepted = seen === undefined ? {} : { accepted: seen };
  if (asked.apply === "never") return { reason: `its annotation says ${asked.because}`, ...accepted };
  const paused = seen === undefined ? undefined : applyOptionsOf({ ...seen });
  if (paused?.apply === "never") return { reason: `the live object's annotation says ${paused.because}` };
  if (asked.apply === "always") return undefined;
  const isThere = seen !== undefined || (await reader.get(ref, options)) !== undefined;
  return isThere ? { reason: `it is there, and its annotation says ${asked.because}`, ...accepted } : undefined;
}
