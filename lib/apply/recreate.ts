import { setTimeout as delay } from "node:timers/promises";
import type { ClusterWriter } from "../cluster/cluster.ts";
import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { displayRef, type Manifest, type ResourceRef } from "../model/resource.ts";
import { recreateAnnotation, recreateRule } from "../plan/options.ts";

export interface Recreation {
  readonly writer: Pick<ClusterWriter, "get" | "delete">;
  readonly ref: ResourceRef;
  /** Asked before the delete: false when another run took the application over. */
  readonly stillMine: () => Promise<boolean>;
}

/** How often, and at what pause in milliseconds, it is looked whether the object is gone before this try gives up. */
const looks = { most: 50, pause: 200 };

/**
 * Deletes the live object in the foreground and waits until it is gone, so that it can be made again. Throws a retryable `apply`
 * error when something still holds it, and `lease` when the application was lost.
 */
export async function deleteForRecreation({ writer, ref, stillMine }: Recreation, options: CallOptions = {}): Promise<void> {
  const live = await writer.get(ref, options);
  const { uid = "", deletionTimestamp } = live?.metadata ?? {};
  if (live === undefined) return;
  if (deletionTimestamp === undefined) {
    if (!(await stillMine())) throw new DriftlessError("lease", "another run took the application over");
    if ((await writer.delete(ref, { ...options, uid })) === "absent") return;
  }
  for (let look = 1; ; look++) {
    const left = await writer.get(ref, options);
    if (left === undefined || left.metadata.uid !== uid) return;
    if (look === looks.most) throw held(ref, left);
    await delay(looks.pause, undefined, options);
  }
}

/** Why an object is not made again, and what would allow it. */
export function immutableError(
  manifest: Manifest,
  { ref, cause }: { readonly ref: ResourceRef; readonly cause: DriftlessError },
) {
  const { immutable, immutableWords } = cause.facts;
  const advice =
    recreateRule(manifest) === "never"
      ? `a ${ref.kind} is never deleted to be made again: revert the change, or give it another name`
      : `revert the change, or let the object be deleted and made again by its annotation ${recreateAnnotation}: allowed`;
  const text = `${displayRef(ref)} cannot be changed in ${immutable}: ${immutableWords}; ${advice}`;
  return new DriftlessError("apply", text, { cause, facts: cause.facts });
}

function held(ref: ResourceRef, { metadata }: Manifest): DriftlessError {
  const finalizers = metadata.finalizers?.join(", ") ?? "none";
  const text = `${displayRef(ref)} is being deleted to be made again (finalizers: ${finalizers}); it is created once it is gone`;
  return new DriftlessError("apply", text, { retryable: true });
}
