import { setTimeout as delay } from "node:timers/promises";
import type { ClusterReader } from "../cluster/cluster.ts";
import { assessHealth } from "../health/health.ts";
import type { CallOptions } from "../model/call.ts";
import { displayRef, gvkOf, type ResourceRef } from "../model/resource.ts";
import { isCrd, isFoundation } from "../plan/foundation.ts";
import { type Clock, systemClock } from "../telemetry/clock.ts";
import type { DesiredObject } from "./prepare.ts";

export interface EstablishRequest {
  readonly reader: ClusterReader;
  /** CustomResourceDefinitions and Namespaces that were just applied. */
  readonly objects: readonly DesiredObject[];
  readonly timeoutSeconds: number;
  readonly clock?: Clock;
}

const pause = 50;

/** Waits until definitions are established and served, and namespaces active; returns what did not get there, in words. */
export async function waitEstablished(
  request: EstablishRequest,
  options: CallOptions = {},
): Promise<readonly { readonly ref: ResourceRef; readonly error: string }[]> {
  const clock = request.clock ?? systemClock;
  const deadline = clock.now().getTime() + request.timeoutSeconds * 1000;
  let open = request.objects.filter(({ manifest }) => isFoundation(manifest));
  while (open.length > 0) {
    const ready = await Promise.all(open.map((object) => isReady(object, request.reader, options)));
    open = open.filter((_, index) => ready[index] !== true);
    if (open.length === 0 || clock.now().getTime() >= deadline) break;
    await delay(pause, undefined, options);
  }
  return open.map(({ ref }) => ({ ref, error: `${displayRef(ref)} was not established within ${request.timeoutSeconds} s` }));
}

async function isReady({ manifest, ref }: DesiredObject, reader: ClusterReader, options: CallOptions): Promise<boolean> {
  const live = await reader.get(ref, options);
  if (live === undefined || assessHealth(live).status !== "Healthy") return false;
  if (!isCrd(manifest)) return true;
  const kinds = servedKinds(live);
  const served = await Promise.all(kinds.map((kind) => reader.resourceType(kind, { ...options, fresh: true })));
  return served.every((type) => type !== undefined);
}

function servedKinds(crd: Awaited<ReturnType<ClusterReader["get"]>> & object): readonly ReturnType<typeof gvkOf>[] {
  const spec = crd["spec"] as { group: string; names: { kind: string }; versions: { name: string; served: boolean }[] };
  return spec.versions
    .filter(({ served }) => served)
    .map(({ name }) => ({ group: spec.group, version: name, kind: spec.names.kind }));
}
