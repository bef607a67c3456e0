import type { ClusterReader } from "../cluster/cluster.ts";
import type { CallOptions } from "../model/call.ts";
import { canonicalJson, isJsonObject, type JsonValue } from "../model/json.ts";
import {
  applicationLabel,
  displayRef,
  type GroupVersionKind,
  gvkOf,
  type Manifest,
  type ResourceRef,
  refOf,
  resourceKey,
} from "../model/resource.ts";
import type { Change } from "../model/sync.ts";
import { withSecretData } from "./secret-data.ts";

/** An object as it will be sent: namespace filled in, label set; `digest` is keyed, so that it tells nothing about a Secret. */
export interface DesiredObject {
  readonly manifest: Manifest;
  readonly ref: ResourceRef;
  readonly digest: string;
}

export interface PrepareRequest {
  readonly application: string;
  /** For objects that name none; "" when the application gives none. */
  readonly namespace: string;
  readonly objects: readonly Manifest[];
  readonly reader: Pick<ClusterReader, "resourceType">;
  readonly digest: (text: string) => string;
}

export interface Prepared {
  readonly desired: readonly DesiredObject[];
  /** Objects that cannot be applied: kinds that the cluster does not serve, namespaces that nobody names. */
  readonly failed: readonly Change[];
  /** True when a kind is not served: its definition may come with another application. */
  readonly retryable: boolean;
}

/** Gives every rendered object its namespace and our label, as the cluster's own discovery says which kinds have one. */
export async function prepareObjects(request: PrepareRequest, options: CallOptions = {}): Promise<Prepared> {
  const declared = scopesOfCrds(request.objects);
  const desired = new Map<string, DesiredObject>();
  const failed: Change[] = [];
  let retryable = false;
  for (const object of request.objects) {
    const namespaced = declared.get(kindKey(gvkOf(object))) ?? (await namespacedKind(request.reader, gvkOf(object), options));
    const placed = place(object, { namespaced, namespace: request.namespace, application: request.application });
    if (typeof placed === "string") {
      failed.push({ action: "failed", ref: refOf(object), error: placed });
      retryable ||= namespaced === undefined;
      continue;
    }
    const ref = refOf(placed);
    if (desired.has(resourceKey(ref))) {
      failed.push({ action: "failed", ref, error: `${displayRef(ref)} is there twice; keep one` });
      continue;
    }
    desired.set(resourceKey(ref), { manifest: placed, ref, digest: request.digest(canonicalJson(placed)) });
  }
  return { desired: [...desired.values()], failed, retryable };
}

interface Placement {
  readonly namespaced: boolean | undefined;
  readonly namespace: string;
  readonly application: string;
}

/** The object in its place, or why it has none. */
function place(object: Manifest, { namespaced, namespace, application }: Placement): Manifest | string {
  const { namespace: _own, ...metadata } = object.metadata;
  const target = object.metadata.namespace ?? namespace;
  if (namespaced === undefined) {
    return `the cluster serves no kind ${object.kind} in ${object.apiVersion}; install its CustomResourceDefinition or correct the apiVersion`;
  }
  if (namespaced && target === "") {
    return `${object.kind} ${object.metadata.name} names no namespace; give it one, or set \`namespace\` of application ${application}`;
  }
  return {
    ...withSecretData(object),
    metadata: {
      ...metadata,
      name: object.metadata.name,
      ...(namespaced ? { namespace: target } : {}),
      labels: { ...object.metadata.labels, [applicationLabel]: application },
    },
  };
}

async function namespacedKind(
  reader: PrepareRequest["reader"],
  gvk: GroupVersionKind,
  options: CallOptions,
): Promise<boolean | undefined> {
  return (await reader.resourceType(gvk, options))?.namespaced;
}

/** Scope of the kinds that the application brings itself: they are not in discovery before their definition is applied. */
function scopesOfCrds(objects: readonly Manifest[]): ReadonlyMap<string, boolean> {
  const scopes = new Map<string, boolean>();
  for (const object of objects.filter(isCrd)) {
    const spec: JsonValue | undefined = object["spec"];
    if (!isJsonObject(spec) || !isJsonObject(spec["names"]) || !Array.isArray(spec["versions"])) continue;
    const { group } = spec;
    const { kind } = spec["names"];
    if (typeof group !== "string" || typeof kind !== "string") continue;
    for (const { name: version } of spec["versions"].filter(isJsonObject)) {
      if (typeof version === "string") scopes.set(kindKey({ group, version, kind }), spec["scope"] === "Namespaced");
    }
  }
  return scopes;
}

export function isCrd(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return object.kind === "CustomResourceDefinition" && object.apiVersion.startsWith("apiextensions.k8s.io/");
}

const kindKey = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}/${kind}`;
