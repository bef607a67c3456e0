import { isJsonObject, type JsonObject } from "./json.ts";

/** A kind as the API names it: `group` is "" for the core group. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Names one object of a cluster; `namespace` is "" for a cluster-scoped object. */
export interface ResourceRef extends GroupVersionKind {
  readonly namespace: string;
  readonly name: string;
}

/** A desired or live object as JSON: `apiVersion`, `kind`, `metadata.name` are there. */
export interface Manifest extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface ObjectMeta extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly JsonObject[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

/** One manager's share of an object, as the API server keeps it in `metadata.managedFields`. */
export interface ManagedFieldsEntry extends JsonObject {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  /** RFC 3339, whole seconds. */
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: JsonObject;
  readonly subresource?: string;
}

/** The label that ties a live object to its application. */
export const applicationLabel = "driftless.dev/application";

/** The field manager under which Driftless applies. */
export const fieldManager = "driftless";

/** Tells whether a value has the three things that every object has. */
export function isManifest(value: unknown): value is Manifest {
  return (
    isJsonObject(value) &&
    typeof value["apiVersion"] === "string" &&
    value["apiVersion"] !== "" &&
    typeof value["kind"] === "string" &&
    value["kind"] !== "" &&
    isJsonObject(value["metadata"]) &&
    typeof value["metadata"]["name"] === "string" &&
    value["metadata"]["name"] !== ""
  );
}

export function gvkOf(manifest: { readonly apiVersion: string; readonly kind: string }): GroupVersionKind {
  const slash = manifest.apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: manifest.apiVersion, kind: manifest.kind }
    : { group: manifest.apiVersion.slice(0, slash), version: manifest.apiVersion.slice(slash + 1), kind: manifest.kind };
}

export function apiVersionOf({ group, version }: GroupVersionKind): string {
  return group === "" ? version : `${group}/${version}`;
}

export function refOf(manifest: Manifest): ResourceRef {
  return { ...gvkOf(manifest), namespace: manifest.metadata.namespace ?? "", name: manifest.metadata.name };
}

/** Identity without the version, since one object can be read under several: `apps/Deployment/shop/web`. */
export function resourceKey(ref: ResourceRef): string {
  return `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** As people write it: `Deployment shop/web`. */
export function displayRef(ref: ResourceRef): string {
  return ref.namespace === "" ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}
