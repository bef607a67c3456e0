import type { GroupVersionKind } from "../model/resource.ts";

/** Built-in kinds that are as they should be as soon as they are there. */
const stateless: ReadonlySet<string> = new Set(
  [
    ["", "ConfigMap", "Endpoints", "Event", "LimitRange", "PodTemplate", "ResourceQuota", "Secret", "ServiceAccount"],
    [
      "admissionregistration.k8s.io",
      "MutatingAdmissionPolicy",
      "MutatingAdmissionPolicyBinding",
      "MutatingWebhookConfiguration",
      "ValidatingAdmissionPolicy",
      "ValidatingAdmissionPolicyBinding",
      "ValidatingWebhookConfiguration",
    ],
    ["apps", "ControllerRevision"],
    ["coordination.k8s.io", "Lease"],
    ["discovery.k8s.io", "EndpointSlice"],
    ["events.k8s.io", "Event"],
    ["flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"],
    ["networking.k8s.io", "IPAddress", "Ingress", "IngressClass", "NetworkPolicy"],
    ["node.k8s.io", "RuntimeClass"],
    ["rbac.authorization.k8s.io", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ["resource.k8s.io", "DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"],
    ["scheduling.k8s.io", "PriorityClass"],
    ["storage.k8s.io", "CSIDriver", "CSINode", "CSIStorageCapacity", "StorageClass", "VolumeAttributesClass"],
  ].flatMap(([group, ...kinds]) => kinds.map((kind) => `${group}/${kind}`)),
);

/** True for kinds that are Healthy whatever their status says, so that nobody has to look. */
export function isStateless({ group, kind }: Pick<GroupVersionKind, "group" | "kind">): boolean {
  return stateless.has(`${group}/${kind}`);
}
