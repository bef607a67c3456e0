import { isJsonObject, type JsonObject, type JsonValue } from "../model/json.ts";

/**
 * Managers that are part of the cluster itself. What they add beside our fields is the cluster doing its work, not
 * somebody's addition. `k3s` and `kubelite` are k3s and MicroK8s, whose control plane is one process.
 */
const clusterManagers: ReadonlySet<string> = new Set([
  "aws-cloud-controller-manager",
  "cloud-controller-manager",
  "k3s",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-proxy",
  "kube-scheduler",
  "kubelet",
  "kubelite",
  "kwok",
  "kwok-controller",
]);

/** Annotations that controllers keep their notes in, whichever name they write under. */
const clusterAnnotations: readonly string[] = [
  "autoscaling.alpha.kubernetes.io/",
  "batch.kubernetes.io/",
  "control-plane.alpha.kubernetes.io/",
  "deployment.kubernetes.io/",
  "deprecated.daemonset.template.generation",
  "endpoints.kubernetes.io/",
  "pv.kubernetes.io/",
  "volume.beta.kubernetes.io/",
  "volume.kubernetes.io/",
];

export function isClusterManager(manager: string): boolean {
  return clusterManagers.has(manager);
}

/** FieldsV1 without `status` and without the annotations in which controllers keep their notes; undefined when nothing is left. */
export function withoutClusterFields(fieldsV1: JsonObject): JsonObject | undefined {
  return without(fieldsV1, [], (path) => {
    if (path.length === 1) return path[0] === "f:status";
    return (
      path.length === 3 &&
      path[0] === "f:metadata" &&
      path[1] === "f:annotations" &&
      clusterAnnotations.some((prefix) => path[2]!.startsWith(`f:${prefix}`))
    );
  });
}

function without(
  fields: JsonObject,
  path: readonly string[],
  drops: (path: readonly string[]) => boolean,
): JsonObject | undefined {
  const kept: [string, JsonValue | undefined][] = [];
  for (const [text, inner] of Object.entries(fields)) {
    const here = [...path, text];
    if (drops(here)) continue;
    const isBranch = here.length < 3 && isJsonObject(inner) && Object.keys(inner).length > 0;
    const rest = isBranch ? without(inner, here, drops) : inner;
    if (rest !== undefined) kept.push([text, rest]);
  }
  // A map that only held the cluster's own fields is the cluster's own too.
  const empty = kept.every(([text]) => text === ".") && kept.length < Object.keys(fields).length;
  return empty ? undefined : Object.fromEntries(kept);
}
