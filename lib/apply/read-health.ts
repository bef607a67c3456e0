import type { ClusterReader } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { assessHealth, needsPods, podSelectorOf } from "../health/health.ts";
import type { CallOptions } from "../model/call.ts";
import { type Health, worstHealth } from "../model/health.ts";
import {
  applicationLabel,
  displayRef,
  type GroupVersionKind,
  type Manifest,
  type ResourceRef,
  refOf,
  resourceKey,
} from "../model/resource.ts";
import { distinctKinds } from "./live.ts";

export interface Owned {
  readonly application: string;
  readonly refs: readonly ResourceRef[];
}

/** Kinds that are as they should be as soon as they are there. */
const stateless = new Set(
  [
    ["", "ConfigMap", "Secret", "ServiceAccount", "LimitRange", "Endpoints", "PodTemplate"],
    ["rbac.authorization.k8s.io", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
    ["networking.k8s.io", "NetworkPolicy", "IngressClass"],
    ["scheduling.k8s.io", "PriorityClass"],
    ["storage.k8s.io", "StorageClass", "CSIDriver"],
    [
      "admissionregistration.k8s.io",
      "MutatingWebhookConfiguration",
      "ValidatingWebhookConfiguration",
      "ValidatingAdmissionPolicyBinding",
    ],
  ].flatMap(([group, ...kinds]) => kinds.map((kind) => `${group}/${kind}`)),
);

const hasHealth = ({ group, kind }: GroupVersionKind): boolean => !stateless.has(`${group}/${kind}`);

/**
 * The health of applications, each the worst of its objects; one LIST a kind that has a health, and one of pods for each
 * workload that is not healthy, so that the message can name the pod's reason.
 */
export async function readHealth(
  { reader, owned }: { readonly reader: ClusterReader; readonly owned: readonly Owned[] },
  options: CallOptions = {},
): Promise<ReadonlyMap<string, Health>> {
  const assessed = owned.map(({ application, refs }) => ({ application, refs: refs.filter(hasHealth) }));
  const live = await listBodies(reader, assessed, options);
  const health = new Map<string, Health>();
  for (const { application, refs } of assessed) {
    const each = await mapConcurrently(refs, { limit: 8, work: (ref) => healthOf(ref, { reader, live }, options) });
    health.set(application, worstHealth(each));
  }
  return health;
}

async function listBodies(
  reader: ClusterReader,
  owned: readonly Owned[],
  options: CallOptions,
): Promise<ReadonlyMap<string, Manifest>> {
  const names = owned.filter(({ refs }) => refs.length > 0).map(({ application }) => application);
  const labelSelector = names.length <= 20 ? `${applicationLabel} in (${names.join(",")})` : applicationLabel;
  const live = new Map<string, Manifest>();
  await Promise.all(
    distinctKinds(owned.flatMap(({ refs }) => refs)).map(async (type) => {
      for (const object of await reader.list({ type, namespace: "", labelSelector }, options))
        live.set(resourceKey(refOf(object)), object);
    }),
  );
  return live;
}

async function healthOf(
  ref: ResourceRef,
  { reader, live }: { readonly reader: ClusterReader; readonly live: ReadonlyMap<string, Manifest> },
  options: CallOptions,
): Promise<Health> {
  const object = live.get(resourceKey(ref)) ?? (await reader.get(ref, options));
  if (object === undefined) return { status: "Missing", message: `${displayRef(ref)} is gone` };
  const alone = assessHealth(object);
  const selector = needsPods(object, alone) ? podSelectorOf(object) : undefined;
  const health =
    selector === undefined ? alone : assessHealth(object, { pods: await listPods(reader, { ref, selector }, options) });
  return health.status === "Healthy" ? health : { ...health, message: `${displayRef(ref)}: ${health.message || health.status}` };
}

function listPods(
  reader: ClusterReader,
  { ref, selector }: { readonly ref: ResourceRef; readonly selector: string },
  options: CallOptions,
) {
  return reader.list(
    { type: { group: "", version: "v1", kind: "Pod" }, namespace: ref.namespace, labelSelector: selector },
    options,
  );
}
