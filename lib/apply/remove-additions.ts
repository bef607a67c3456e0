import type { ClusterWriter } from "../cluster/cluster.ts";
import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { displayRef, type Manifest, type ResourceRef } from "../model/resource.ts";
import { type TakenAdditions, takeAdditions } from "../ownership/take-additions.ts";
import { type IgnoredFields, isIgnoredIn } from "../paths/ignored-fields.ts";

export interface RemovalRequest {
  readonly writer: Pick<ClusterWriter, "apply" | "patchOwnership">;
  readonly ref: ResourceRef;
  /** What is to be applied to a live object. */
  readonly manifestFor: (live: Manifest) => Manifest;
  readonly force: boolean;
  readonly ignored: IgnoredFields | undefined;
}

export interface Removed {
  readonly live: Manifest;
  /** What to tell of it; undefined when nobody had added anything. */
  readonly note?: string;
}

/** How often, while others write the object at the same time or have shares of several versions. */
const mostTries = 5;
const mostShown = 3;
const nobody: ReadonlySet<string> = new Set();

/**
 * Removes what others added to an object that we have just applied: takes it over, and applies again, which drops what the manifest
 * does not state. Where the API server refuses that, it is theirs again. Costs no request where nobody added anything.
 */
export async function removeAdditions(applied: Manifest, request: RemovalRequest, options: CallOptions = {}): Promise<Removed> {
  const { writer, ref, manifestFor, force, ignored } = request;
  const [paths, from] = [new Set<string>(), new Set<string>()];
  let live = applied;
  for (let tries = 1; tries <= mostTries; tries++) {
    const taken = additionsIn(live, ignored);
    if (taken === undefined) break;
    try {
      live = await remove(live, { ...request, taken }, options);
    } catch (error) {
      if (!isDriftlessError(error, "apply") || error.facts["refusal"] !== "conflict") throw error;
      live = await writer.apply(manifestFor(live), { ...options, force });
      continue;
    }
    for (const path of taken.paths) paths.add(path);
    for (const manager of taken.from) from.add(manager);
  }
  return paths.size === 0 ? { live } : { live, note: noteOf(ref, { paths: [...paths], from: [...from] }) };
}

async function remove(
  live: Manifest,
  { writer, ref, manifestFor, force, taken }: RemovalRequest & { readonly taken: TakenAdditions },
  options: CallOptions,
): Promise<Manifest> {
  const { resourceVersion = "", managedFields = [] } = live.metadata;
  const ours = await writer.patchOwnership(ref, { ...options, resourceVersion, managedFields: taken.managedFields });
  try {
    return await writer.apply(manifestFor(ours), { ...options, force });
  } catch (error) {
    if (isDriftlessError(error, "apply") && !error.retryable) {
      // Else no later apply would get through either.
      const version = ours.metadata.resourceVersion ?? "";
      await writer.patchOwnership(ref, { ...options, resourceVersion: version, managedFields });
    }
    throw error;
  }
}

function additionsIn(live: Manifest, ignored: IgnoredFields | undefined): TakenAdditions | undefined {
  if (live.metadata.deletionTimestamp !== undefined) return undefined;
  return takeAdditions(live.metadata, { keeps: isIgnoredIn(ignored, live), managers: ignored?.managers ?? nobody });
}

function noteOf(
  ref: ResourceRef,
  { paths, from }: { readonly paths: readonly string[]; readonly from: readonly string[] },
): string {
  const more = paths.length > mostShown ? ` and ${paths.length - mostShown} more` : "";
  return `${displayRef(ref)}: removed ${paths.slice(0, mostShown).join(", ")}${more}, added by ${from.join(" and ")}`;
}
