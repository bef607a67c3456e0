import type { ClusterReader } from "../cluster/cluster.ts";
import { type KeptLive, keepLive } from "../diff/keep-live.ts";
import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Manifest } from "../model/resource.ts";
import { sharesOf } from "../ownership/shares.ts";
import type { IgnoredFields } from "../paths/ignored-fields.ts";
import type { DesiredObject } from "./prepare.ts";

export interface Keeping {
  readonly ignored: IgnoredFields | undefined;
  readonly reader: Pick<ClusterReader, "get">;
}

/** How often it is tried while somebody else writes the object at the same time. */
const mostTries = 5;

/**
 * Sends an object without the fields that are left to others, where it is live already; a new one is sent as it is. What only we
 * own is sent with its live value, and only to the version it was read from.
 */
export async function sendKeeping<T>(
  { manifest, ref }: DesiredObject,
  { ignored, reader, send }: Keeping & { readonly send: (manifest: Manifest) => Promise<T> },
  options: CallOptions,
): Promise<T> {
  if (ignored === undefined) return send(manifest);
  for (let tries = 1; ; tries++) {
    const live = await reader.get(ref, options);
    if (live === undefined) return send(manifest);
    const kept = keptIn(manifest, { ignored, live });
    if (!kept.isGuess) return send(kept.manifest);
    try {
      return await send(atVersion(kept.manifest, live));
    } catch (error) {
      if (tries === mostTries || !isDriftlessError(error, "apply") || error.facts["refusal"] !== "conflict") throw error;
    }
  }
}

/** The manifest as it is to be applied to the live object. */
export function keptIn(
  manifest: Manifest,
  { ignored, live }: { readonly ignored: IgnoredFields | undefined; readonly live: Manifest },
): KeptLive {
  if (ignored === undefined) return { manifest, isGuess: false };
  return keepLive({ manifest, live, ignored, shares: sharesOf(live.metadata, ignored.managers) });
}

function atVersion(manifest: Manifest, { metadata: { resourceVersion = "" } }: Manifest): Manifest {
  return { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
}
