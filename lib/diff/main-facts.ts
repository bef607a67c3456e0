import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";
import type { Manifest } from "../model/resource.ts";

/** What people ask first of a new object, in one line: images, replicas, hosts, how many keys; "" for kinds that have none. Never a value of a Secret. */
export function mainFacts(object: Manifest): string {
  const spec = objectAt(object, "spec");
  const facts = [
    ...imagesOf(spec),
    ...countOf(spec["replicas"], "replica"),
    ...textsOf(spec, "schedule", "type", "storageClassName"),
    ...textsOf(objectAt(objectAt(spec, "resources"), "requests"), "storage"),
    ...listAt(spec, "rules").flatMap((rule) => textsOf(rule, "host")),
    ...keysOf(object),
  ];
  return [...new Set(facts)].join(", ");
}

function imagesOf(spec: JsonObject): readonly string[] {
  const template = objectAt(objectAt(objectAt(spec, "jobTemplate"), "spec"), "template");
  const pods = [spec, objectAt(objectAt(spec, "template"), "spec"), objectAt(template, "spec")];
  return pods.flatMap((pod) => listAt(pod, "containers").flatMap((container) => textsOf(container, "image")));
}

function keysOf({ kind, apiVersion, ...object }: Manifest): readonly string[] {
  if (apiVersion !== "v1" || (kind !== "ConfigMap" && kind !== "Secret")) return [];
  const keys = ["data", "binaryData", "stringData"].flatMap((name) => Object.keys(objectAt(object, name)));
  return countOf(new Set(keys).size, "key");
}

function countOf(value: JsonValue | undefined, what: string): readonly string[] {
  return typeof value === "number" ? [`${value} ${what}${value === 1 ? "" : "s"}`] : [];
}

function textsOf(object: JsonObject, ...names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const value = object[name];
    return typeof value === "string" && value !== "" ? [value] : [];
  });
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function listAt(object: JsonObject, name: string): readonly JsonObject[] {
  const value: JsonValue | undefined = object[name];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
