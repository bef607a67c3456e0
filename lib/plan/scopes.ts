import { isJsonObject } from "../model/json.ts";
import type { GroupVersionKind, Manifest } from "../model/resource.ts";
import { isCrd } from "./foundation.ts";

/** Kinds of Kubernetes itself that have no namespace, by group; `*` for all of a group. */
const clusterKinds: Readonly<Record<string, readonly string[]>> = {
  "": ["ComponentStatus", "Namespace", "Node", "PersistentVolume"],
  "admissionregistration.k8s.io": ["*"],
  "apiextensions.k8s.io": ["*"],
  "apiregistration.k8s.io": ["*"],
  "authentication.k8s.io": ["*"],
  "authorization.k8s.io": ["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"],
  "certificates.k8s.io": ["CertificateSigningRequest", "ClusterTrustBundle"],
  "flowcontrol.apiserver.k8s.io": ["*"],
  "internal.apiserver.k8s.io": ["*"],
  "networking.k8s.io": ["IPAddress", "IngressClass", "ServiceCIDR"],
  "node.k8s.io": ["*"],
  policy: ["PodSecurityPolicy"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
  "resource.k8s.io": ["DeviceClass", "DeviceTaintRule", "ResourceSlice"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
  "storagemigration.k8s.io": ["*"],
};

const namespacedGroups: ReadonlySet<string> = new Set(["apps", "autoscaling", "batch", "discovery.k8s.io", "events.k8s.io"]);

/** Whether objects of a kind of Kubernetes itself live in namespaces; undefined for any other kind, whose scope the cluster knows. */
export function scopeOf({ group, kind }: Pick<GroupVersionKind, "group" | "kind">): boolean | undefined {
  const kinds = Object.hasOwn(clusterKinds, group) ? clusterKinds[group] : undefined;
  if (kinds !== undefined) return !(kinds.includes("*") || kinds.includes(kind));
  return namespacedGroups.has(group) ? true : undefined;
}

/** The same of kinds whose definitions are among these objects, by `GROUP/KIND`. */
export function scopesOfDefinitions(objects: readonly Manifest[]): ReadonlyMap<string, boolean> {
  return new Map(
    objects.filter(isCrd).flatMap(({ spec }) => {
      if (!isJsonObject(spec) || !isJsonObject(spec["names"])) return [];
      const { group, scope } = spec;
      const { kind } = spec["names"];
      if (typeof group !== "string" || typeof kind !== "string") return [];
      return [[`${group}/${kind}`, scope === "Namespaced"] as const];
    }),
  );
}
