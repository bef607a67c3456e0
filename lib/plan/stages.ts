import type { GroupVersionKind, ResourceRef } from "../model/resource.ts";

const admission = "admissionregistration.k8s.io";
const rbac = "rbac.authorization.k8s.io";

/** Stands for every kind that has no line of its own: custom resources above all. */
const customKinds = "*";

/**
 * Kinds in the order in which they are applied; a line is a stage, whose objects go at once because none needs another of it.
 * ServiceAccounts come before Secrets (the token controller deletes a token Secret whose account is not there), volumes and
 * storage classes before claims, roles before bindings, Services before pods (which get the Services' variables at start).
 */
const stages: readonly (readonly string[])[] = [
  ["apiextensions.k8s.io/CustomResourceDefinition", "/Namespace"],
  [
    "/ResourceQuota",
    "/LimitRange",
    "networking.k8s.io/NetworkPolicy",
    "policy/PodSecurityPolicy",
    "scheduling.k8s.io/PriorityClass",
    "node.k8s.io/RuntimeClass",
    "/ServiceAccount",
    "storage.k8s.io/CSIDriver",
    "storage.k8s.io/StorageClass",
    "/PersistentVolume",
    "networking.k8s.io/IngressClass",
    `${rbac}/Role`,
    `${rbac}/ClusterRole`,
  ],
  [
    "/Secret",
    "/ConfigMap",
    "/PersistentVolumeClaim",
    `${rbac}/RoleBinding`,
    `${rbac}/ClusterRoleBinding`,
    "/Endpoints",
    "discovery.k8s.io/EndpointSlice",
    "/Service",
  ],
  [
    "apps/DaemonSet",
    "apps/Deployment",
    "apps/StatefulSet",
    "apps/ReplicaSet",
    "/ReplicationController",
    "/Pod",
    "batch/Job",
    "batch/CronJob",
  ],
  ["autoscaling/HorizontalPodAutoscaler", "policy/PodDisruptionBudget", "networking.k8s.io/Ingress", "extensions/Ingress"],
  [customKinds],
  // What intercepts requests goes last, so that it does not refuse the rest before its own pods run.
  [
    `${admission}/MutatingWebhookConfiguration`,
    `${admission}/ValidatingWebhookConfiguration`,
    `${admission}/MutatingAdmissionPolicy`,
    `${admission}/MutatingAdmissionPolicyBinding`,
    `${admission}/ValidatingAdmissionPolicy`,
    `${admission}/ValidatingAdmissionPolicyBinding`,
  ],
  ["apiregistration.k8s.io/APIService"],
];

interface Place {
  readonly stage: number;
  readonly rank: number;
}

const places: ReadonlyMap<string, Place> = new Map(
  stages
    .flatMap((kinds, stage) => kinds.map((kind) => ({ kind, stage })))
    .map(({ kind, stage }, rank): [string, Place] => [kind, { stage, rank }]),
);

function placeOf({ group, kind }: Pick<GroupVersionKind, "group" | "kind">): Place {
  return places.get(`${group}/${kind}`) ?? places.get(customKinds)!;
}

/** Rank of a kind in the apply order; lower is applied earlier, and pruned later. */
export function kindOrder(ref: Pick<GroupVersionKind, "group" | "kind">): number {
  return placeOf(ref).rank;
}

/** Total order of objects for applying: by kind as `kindOrder` says, then by group, kind, namespace and name. */
export function compareRefs(a: ResourceRef, b: ResourceRef): number {
  return (
    kindOrder(a) - kindOrder(b) ||
    compareText(a.group, b.group) ||
    compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

/** Objects in stages: a stage starts when the one before it is done, objects of one stage go at once. No stage is empty. */
export function applyStages<T extends { readonly ref: ResourceRef }>(objects: readonly T[]): readonly (readonly T[])[] {
  const ordered = [...objects].sort((a, b) => compareRefs(a.ref, b.ref));
  return [...Map.groupBy(ordered, ({ ref }) => placeOf(ref).stage).values()];
}

/** The same stages backwards: what was applied last is deleted first. */
export function pruneStages<T extends { readonly ref: ResourceRef }>(objects: readonly T[]): readonly (readonly T[])[] {
  return applyStages(objects)
    .map((stage) => stage.toReversed())
    .toReversed();
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
