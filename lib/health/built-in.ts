import type { Health } from "../model/health.ts";
import type { Manifest } from "../model/resource.ts";
import { assessApiService } from "./api-service.ts";
import { assessCertificateSigningRequest } from "./certificate-signing-request.ts";
import { assessCronJob } from "./cron-job.ts";
import { assessCustomResourceDefinition } from "./custom-resource-definition.ts";
import { assessDaemonSet } from "./daemon-set.ts";
import { assessDeployment } from "./deployment.ts";
import { assessHorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { assessIngress } from "./ingress.ts";
import { assessJob } from "./job.ts";
import { assessNamespace } from "./namespace.ts";
import { assessPersistentVolume } from "./persistent-volume.ts";
import { assessPersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { assessPod } from "./pod.ts";
import { assessPodDisruptionBudget } from "./pod-disruption-budget.ts";
import { assessReplicaSet } from "./replica-set.ts";
import { assessService } from "./service.ts";
import { assessStatefulSet } from "./stateful-set.ts";

/** The kinds of Kubernetes that have a rule of their own, by group and kind. */
export const builtIn: ReadonlyMap<string, (live: Manifest) => Health> = new Map([
  ["/Namespace", assessNamespace],
  ["/PersistentVolume", assessPersistentVolume],
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
  ["certificates.k8s.io/CertificateSigningRequest", assessCertificateSigningRequest],
  ["extensions/Ingress", assessIngress],
  ["networking.k8s.io/Ingress", assessIngress],
  ["policy/PodDisruptionBudget", assessPodDisruptionBudget],
]);
