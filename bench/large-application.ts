import { parse } from "yaml";
import type { JsonObject } from "../lib/model/json.ts";
import { deploymentFile } from "./applications.ts";
import type { RawObject } from "./raw-apply.ts";

/** Sets of four objects (a ServiceAccount, a Service, a ConfigMap, a Deployment of no replicas) that are one application. */
export interface LargeApplication {
  readonly sets: number;
  readonly namespace: string;
  /** Deployments are named by it and counted from 0000, so it is used by nobody else. */
  readonly prefix: string;
  /** In an annotation of each object, and in the variable of each Deployment. */
  readonly mark: string;
}

export function deploymentNames({ sets, prefix }: Pick<LargeApplication, "sets" | "prefix">): readonly string[] {
  return Array.from({ length: sets }, (_, index) => `${prefix}-${String(index).padStart(4, "0")}`);
}

/** Path to text, a file a set, below this folder. */
export function largeApplicationFiles(application: LargeApplication, folder: string): Record<string, string> {
  const files = deploymentNames(application).map((name) => {
    const documents = setOf(name, application).map(({ object }) => JSON.stringify(object));
    return [`${folder}/${name}.yaml`, `${documents.join("\n---\n")}\n`];
  });
  return Object.fromEntries(files) as Record<string, string>;
}

/** The same objects as a bare client sends them, in the stages in which a sync applies these kinds. */
export function largeApplicationStages(application: LargeApplication): readonly (readonly RawObject[])[] {
  const all = deploymentNames(application).flatMap((name) => setOf(name, application));
  const stage = (...resources: readonly string[]) =>
    all
      .filter(({ resource }) => resources.includes(resource))
      .map(({ path, object }) => ({ path, body: JSON.stringify(object) }));
  return [stage("serviceaccounts"), stage("services", "configmaps"), stage("deployments")];
}

interface Stated {
  readonly resource: string;
  readonly path: string;
  readonly object: JsonObject;
}

function setOf(name: string, { namespace, mark }: LargeApplication): readonly Stated[] {
  const labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "benchmark" };
  const metadata = { name, namespace, labels, annotations: { "benchmark/mark": mark } };
  const selector = { "app.kubernetes.io/name": name };
  const [text = ""] = Object.values(deploymentFile({ name, mark }));
  const { spec } = parse(text) as { readonly spec: JsonObject };
  const stated = (group: string, resource: string, object: JsonObject): Stated => ({
    resource,
    path: `${group}/namespaces/${namespace}/${resource}/${name}`,
    object: { ...object, metadata },
  });
  return [
    stated("/api/v1", "serviceaccounts", { apiVersion: "v1", kind: "ServiceAccount" }),
    stated("/api/v1", "services", {
      apiVersion: "v1",
      kind: "Service",
      spec: { selector, ports: [{ name: "http", port: 9898 }] },
    }),
    stated("/api/v1", "configmaps", { apiVersion: "v1", kind: "ConfigMap", data: { mark, name, level: "info" } }),
    stated("/apis/apps/v1", "deployments", { apiVersion: "apps/v1", kind: "Deployment", spec }),
  ];
}
