import type { Health } from "../model/health.ts";
import { gvkOf, type Manifest } from "../model/resource.ts";
import { assessApiService } from "./api-service.ts";
import { assessByConditions } from "./conditions.ts";
import { assessCronJob } from "./cron-job.ts";
import { assessCustomResourceDefinition } from "./custom-resource-definition.ts";
import { assessDaemonSet } from "./daemon-set.ts";
import { assessDeployment } from "./deployment.ts";
import { assessHorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { assessIngress } from "./ingress.ts";
import { assessJob } from "./job.ts";
import { assessNamespace } from "./namespace.ts";
import { assessPersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { assessPod } from "./pod.ts";
import { assessByPods, needsPods } from "./pods.ts";
import { health, numberAt } from "./read.ts";
import { assessReplicaSet } from "./replica-set.ts";
import { assessService } from "./service.ts";
import { assessStatefulSet } from "./stateful-set.ts";

export { needsPods, podSelectorOf } from "./pods.ts";

/** By group and kind; whatever is not in it is judged by its conditions. */
const assessors: ReadonlyMap<string, (live: Manifest) => Health> = new Map([
  ["/Namespace", assessNamespace],
  ["/PersistentVolumeClaim", assessPersistentVolumeClaim],
  ["/Pod", assessPod],
  ["/ReplicationController", assessReplicaSet],
  ["/Service", assessService],
  ["apiextensions.k8s.io/CustomResourceDefinition", assessCustomResourceDefinition],
  ["apiregistration.k8s.io/APIService", assessApiService],
  ["apps/DaemonSet", assessDaemonSet],
  ["apps/Deployment", assessDeployment],
  ["apps/ReplicaSet", assessReplicaSet],
  ["apps/StatefulSet", assessStatefulSet],
  ["autoscaling/HorizontalPodAutoscaler", assessHorizontalPodAutoscaler],
  ["batch/CronJob", assessCronJob],
  ["batch/Job", assessJob],
  ["extensions/Ingress", assessIngress],
  ["networking.k8s.io/Ingress", assessIngress],
]);

/** The health of a live object. A workload that `needsPods` is told apart better when its pods are given too. */
export function assessHealth(live: Manifest, context: { readonly pods?: readonly Manifest[] } = {}): Health {
  if (live.metadata.deletionTimestamp !== undefined) return health("Progressing", beingDeleted(live));
  const unseen = notObserved(live);
  if (unseen !== undefined) return unseen;
  const { group, kind } = gvkOf(live);
  const own = (assessors.get(`${group}/${kind}`) ?? assessByConditions)(live);
  return context.pods !== undefined && needsPods(live, own) ? assessByPods(live, { own, pods: context.pods }) : own;
}

function beingDeleted({ metadata }: Manifest): string {
  const finalizers = metadata.finalizers ?? [];
  return finalizers.length === 0 ? "it is being deleted" : `it is being deleted, held by ${finalizers.join(", ")}`;
}

/** What the status says is about an older spec while its controller has not seen the newest one. */
function notObserved(live: Manifest): Health | undefined {
  const observed = numberAt(live, "status", "observedGeneration");
  const { generation } = live.metadata;
  if (observed === undefined || generation === undefined || observed >= generation) return undefined;
  return health("Progressing", `its controller has not seen generation ${generation} yet`);
}
