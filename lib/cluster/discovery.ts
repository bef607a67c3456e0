import { DriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import { apiVersionOf, type GroupVersionKind } from "../model/resource.ts";
import { abortable } from "./abortable.ts";
import type { ResourceName, ResourceType } from "./cluster.ts";

/** Both versions have one shape; servers before 1.30 know only the second. */
export const discoveryAccept = ["v2", "v2beta1"]
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(",");

/** Everything that one API server serves, at one moment. */
export interface Discovery {
  /** The type of exactly this version. */
  exact(gvk: GroupVersionKind): ResourceType | undefined;
  /** This version, or else another of the same kind, the preferred one first: the object is the same in all. */
  anyVersion(gvk: GroupVersionKind): ResourceType | undefined;
  /** The type of this plural name, in this version or else another. */
  named(name: ResourceName): ResourceType | undefined;
  /** True for a group whose own server did not answer: that a kind is not listed then means nothing. */
  unreachable(group: string): boolean;
  /** `apps/v1` and `apps/v1/Deployment`, sorted; of a group whose server does not answer only the former. */
  readonly apiVersions: readonly string[];
}

/** Reads the aggregated discovery documents of `/api` and `/apis`; throws `cluster` for anything else. */
export function parseDiscovery(documents: readonly JsonObject[]): Discovery {
  const types = new Map<string, ResourceType>();
  const kinds = new Map<string, ResourceType>();
  const names = new Map<string, ResourceType>();
  const unreachable = new Set<string>();
  const versions = new Set<string>();
  for (const document of documents) {
    if (document["kind"] !== "APIGroupDiscoveryList") {
      throw new DriftlessError("cluster", "The API server has no aggregated discovery; Driftless needs Kubernetes 1.27 or later");
    }
    for (const item of objects(document["items"])) {
      const group = isJsonObject(item["metadata"]) ? text(item["metadata"]["name"]) : "";
      for (const served of objects(item["versions"])) {
        if (served["freshness"] === "Stale") unreachable.add(group);
        versions.add(apiVersionOf({ group, version: text(served["version"]), kind: "" }));
        for (const resource of objects(served["resources"])) {
          const type = readType({ group, version: text(served["version"]) }, resource);
          if (type === undefined) continue;
          keepRicher(types, `${group}/${type.version}/${type.kind}`, type);
          if (!kinds.has(`${group}/${type.kind}`)) kinds.set(`${group}/${type.kind}`, type);
          for (const name of [`${group}/${type.version}/${type.resource}`, `${group}/${type.resource}`])
            if (!names.has(name)) names.set(name, type);
        }
      }
    }
  }
  const exact = ({ group, version, kind }: GroupVersionKind) => types.get(`${group}/${version}/${kind}`);
  return {
    exact,
    anyVersion: (gvk) => exact(gvk) ?? kinds.get(`${gvk.group}/${gvk.kind}`),
    named: ({ group, version, resource }) => names.get(`${group}/${version}/${resource}`) ?? names.get(`${group}/${resource}`),
    unreachable: (group) => unreachable.has(group),
    apiVersions: [...versions, ...[...types.values()].map((type) => `${apiVersionOf(type)}/${type.kind}`)].sort(),
  };
}

/**
 * The last discovery of one API server, which every identity that may discover is given alike; or the one under way, which those
 * who ask meanwhile as the same identity share: what another was refused says nothing of them.
 */
export interface DiscoveryCache {
  /** `cached` tells that the answer is older than the call. */
  load(options: LoadOptions): Promise<{ readonly discovery: Discovery; readonly cached: boolean }>;
}

export interface LoadOptions extends CallOptions {
  readonly fresh: boolean;
  /** Key of the identity that asks; "" for the connection's own. */
  readonly by?: string;
  /** Asks the server; not bound to the signal of the one who happens to be first. */
  readonly read: () => Promise<Discovery>;
}

export function createDiscoveryCache(): DiscoveryCache {
  let known: Discovery | undefined;
  const readings = new Map<string, Promise<Discovery>>();

  function begin({ read, by = "" }: LoadOptions): Promise<Discovery> {
    const reading = read()
      .then((discovery) => {
        known = discovery;
        return discovery;
      })
      .finally(() => readings.delete(by));
    readings.set(by, reading);
    return reading;
  }

  return {
    async load(options) {
      if (known !== undefined && !options.fresh) return { discovery: known, cached: true };
      const reading = readings.get(options.by ?? "") ?? begin(options);
      return { discovery: await abortable(reading, options.signal), cached: false };
    },
  };
}

function readType(at: { readonly group: string; readonly version: string }, resource: JsonObject): ResourceType | undefined {
  const kind = isJsonObject(resource["responseKind"]) ? text(resource["responseKind"]["kind"]) : "";
  const name = text(resource["resource"]);
  if (kind === "" || name === "") return undefined;
  const verbs = Array.isArray(resource["verbs"]) ? resource["verbs"].map(text) : [];
  const type = { ...at, kind, resource: name, namespaced: resource["scope"] === "Namespaced", verbs };
  return objects(resource["subresources"]).some(({ subresource }) => subresource === "scale")
    ? { ...type, scalable: true }
    : type;
}

/** Two resources can answer with one kind; the one that can do more is the kind's own. */
function keepRicher(types: Map<string, ResourceType>, key: string, type: ResourceType): void {
  const known = types.get(key);
  if (known === undefined || known.verbs.length < type.verbs.length) types.set(key, type);
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
