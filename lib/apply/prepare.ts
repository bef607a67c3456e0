import type { ClusterReader } from "../cluster/cluster.ts";
import type { CallOptions } from "../model/call.ts";
import { canonicalJson, isJsonObject, type JsonValue } from "../model/json.ts";
import {
  applicationLabel,
  displayRef,
  type GroupVersionKind,
  gvkOf,
  type Manifest,
  type ObjectMeta,
  type ResourceRef,
  refOf,
  resourceKey,
} from "../model/resource.ts";
import { isCrd } from "../plan/foundation.ts";
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
  readonly failed: readonly Unplaced[];
}

/** A rendered object that has no place in the cluster. */
export interface Unplaced {
  readonly manifest: Manifest;
  readonly ref: ResourceRef;
  readonly error: string;
  /** True when its kind is not served: the definition may come with another application, or an earlier wave. */
  readonly retryable: boolean;
}

/** Gives every rendered object its namespace and our label, as the cluster's own discovery says which kinds have one. */
export async function prepareObjects(request: PrepareRequest, options: CallOptions = {}): Promise<Prepared> {
  const declared = scopesOfCrds(request.objects);
  const desired = new Map<string, DesiredObject>();
  const failed: Unplaced[] = [];
  for (const object of request.objects) {
    const namespaced = declared.get(kindKey(gvkOf(object))) ?? (await namespacedKind(request.reader, gvkOf(object), options));
    const placed = place(object, { namespaced, namespace: request.namespace, application: request.application });
    if (typeof placed === "string") {
      failed.push({ manifest: object, ref: refOf(object), error: placed, retryable: namespaced === undefined });
      continue;
    }
    const ref = refOf(placed);
    if (desired.has(resourceKey(ref))) {
      failed.push({ manifest: object, ref, error: `${displayRef(ref)} is there twice; keep one`, retryable: false });
      continue;
    }
    desired.set(resourceKey(ref), { manifest: placed, ref, digest: request.digest(canonicalJson(placed)) });
  }
  return { desired: [...desired.values()], failed };
}

interface Placement {
  readonly namespaced: boolean | undefined;
  readonly namespace: string;
  readonly application: string;
}

/** The object in its place, or why it has none. */
function place(object: Manifest, { namespaced, namespace, application }: Placement): Manifest | string {
  const { namespace: _own, ...metadata } = withoutServerFields(object.metadata);
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

/**
 * What only the server sets, and an export of a live object (`kubectl get -o yaml`) brings along: an apply with an old
 * resourceVersion, with another uid or with managedFields would be refused for ever.
 */
const serverFields = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
];

function withoutServerFields(metadata: ObjectMeta): ObjectMeta {
  if (!serverFields.some((name) => name in metadata)) return metadata;
  return {
    ...Object.fromEntries(Object.entries(metadata).filter(([name]) => !serverFields.includes(name))),
    name: metadata.name,
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

const kindKey = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}/${kind}`;
