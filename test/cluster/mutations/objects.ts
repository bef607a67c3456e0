import type { Manifest } from "../../../lib/model/resource.ts";
import type { Place } from "./mutation.ts";

const meta = ({ name, namespace }: Place) => ({
  name,
  namespace,
  labels: { tier: "web" },
  annotations: { "example.com/owner": "shop" },
});

/** Objects of Git that state most of what their kind has. No pod of them runs: what is looked at is what people write. */
export function aWeb(place: Place): Manifest {
  const { name: app } = place;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: meta(place),
    spec: {
      replicas: 0,
      selector: { matchLabels: { app } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: "25%" } },
      template: {
        metadata: { labels: { app } },
        spec: {
          containers: [
            {
              name: "web",
              image: "registry.example/web:1.0",
              command: ["/web", "--port=8080"],
              args: ["--verbose"],
              env: [
                { name: "MODE", value: "live" },
                { name: "LEVEL", value: "info" },
              ],
              ports: [{ containerPort: 8080 }],
              resources: { limits: { cpu: "1000m", memory: "128Mi" } },
            },
            { name: "proxy", image: "registry.example/proxy:1.0" },
          ],
          nodeSelector: { "kubernetes.io/os": "linux" },
          tolerations: [{ key: "spot", operator: "Exists" }],
        },
      },
    },
  };
}

/** The path of something in the container `web`. */
export const inWeb = (path: string): string => `spec.template.spec.containers[name="web"].${path}`;

/** What the server adds to a container that states no more than its image. */
export const defaulted = {
  imagePullPolicy: "IfNotPresent",
  resources: {},
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
};

export function aSettings(place: Place): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: meta(place), data: { mode: "live", level: "info" } };
}

export function anImmutable(place: Place): Manifest {
  return { ...aSettings(place), immutable: true };
}

/** `live` in base64, and in two other words. */
export const [liveBase64, testBase64, otherBase64] = ["live", "test", "other"].map((text) =>
  Buffer.from(text).toString("base64"),
) as [string, string, string];

export function aBinary(place: Place): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: meta(place), binaryData: { blob: liveBase64 } };
}

export function aSecret(place: Place): Manifest {
  return { apiVersion: "v1", kind: "Secret", metadata: meta(place), data: { password: liveBase64 } };
}

export function aTextSecret(place: Place): Manifest {
  return { apiVersion: "v1", kind: "Secret", metadata: meta(place), stringData: { password: "live" } };
}

export function aService(place: Place): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: meta(place),
    spec: {
      selector: { app: "web" },
      ports: [
        { name: "http", port: 80, targetPort: 8080 },
        { name: "dns", port: 53, protocol: "UDP", targetPort: 5353 },
      ],
    },
  };
}

export function aJob(place: Place): Manifest {
  const containers = [{ name: "once", image: "registry.example/once:1.0" }];
  const template = { spec: { restartPolicy: "Never", containers } };
  return { apiVersion: "batch/v1", kind: "Job", metadata: meta(place), spec: { suspend: true, template } };
}

export function aCronJob(place: Place): Manifest {
  const containers = [{ name: "once", image: "registry.example/once:1.0" }];
  const template = { spec: { restartPolicy: "Never", containers } };
  const spec = { schedule: "0 3 * * *", suspend: false, jobTemplate: { spec: { template } } };
  return { apiVersion: "batch/v1", kind: "CronJob", metadata: meta(place), spec };
}

export const aRule = { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] };

export function aRole(place: Place): Manifest {
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: meta(place), rules: [aRule] };
}

export function aClusterRole(place: Place): Manifest {
  const { namespace: _, ...metadata } = meta(place);
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata, rules: [aRule] };
}

export const aSubject = { kind: "ServiceAccount", name: "web", namespace: "shop" };

export function aBinding(place: Place): Manifest {
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" };
  const metadata = meta(place);
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata, roleRef, subjects: [aSubject] };
}

export const anIngressRule = (service: string) => ({
  host: "shop.example",
  http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: service, port: { number: 80 } } } }] },
});

export function anIngress(place: Place): Manifest {
  const spec = { rules: [anIngressRule("web")] };
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: meta(place), spec };
}

export const fromWeb = { from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 8080, protocol: "TCP" }] };

export function aNetworkPolicy(place: Place): Manifest {
  const spec = { podSelector: { matchLabels: { app: "api" } }, policyTypes: ["Ingress"], ingress: [fromWeb] };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: meta(place), spec };
}

/** Of a Deployment without pods, so that it never scales. */
export function anAutoscaler(place: Place): Manifest {
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "idle" };
  const metric = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } };
  const spec = { scaleTargetRef, minReplicas: 2, maxReplicas: 5, metrics: [metric] };
  return { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: meta(place), spec };
}

export function aBudget(place: Place): Manifest {
  const spec = { minAvailable: 1, selector: { matchLabels: { app: "web" } } };
  return { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: meta(place), spec };
}

export function aQuota(place: Place): Manifest {
  const spec = { hard: { "count/widgets.example": "10", "requests.storage": "100Gi" } };
  return { apiVersion: "v1", kind: "ResourceQuota", metadata: meta(place), spec };
}

export function aNamespaceOf({ name }: Place): Manifest {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { team: "shop" } } };
}

/** For a kind that nobody serves, so that it stands in nobody's way. */
export function aWebhook(place: Place): Manifest {
  const { namespace: _, ...metadata } = meta(place);
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata,
    webhooks: [
      {
        name: "inject.shop.example",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Ignore",
        clientConfig: { url: "https://127.0.0.1:9/inject", caBundle: liveBase64 },
        rules: [{ apiGroups: ["nowhere.example"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["nothings"] }],
      },
    ],
  };
}

/** A kind with a structural schema: a keyed list, a set, an atomic list, a free part, status and scale. */
export function theWidgetKind(group: string): Manifest {
  const text = { type: "string" };
  const texts = { type: "array", items: text };
  const rules = { type: "object", required: ["name"], properties: { name: text, weight: { type: "integer" } } };
  const spec = {
    type: "object",
    properties: {
      size: { type: "integer", format: "int64" },
      color: { ...text, default: "grey" },
      replicas: { type: "integer" },
      rules: { type: "array", items: rules, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
      tags: { ...texts, "x-kubernetes-list-type": "set" },
      steps: { ...texts, "x-kubernetes-list-type": "atomic" },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  };
  const status = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec, status } } };
  const scale = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Widget", plural: "widgets", singular: "widget" },
      versions: [{ name: "v1", served: true, storage: true, schema, subresources: { status: {}, scale } }],
    },
  };
}

export function aWidget(place: Place): Manifest {
  return {
    apiVersion: `${place.group}/v1`,
    kind: "Widget",
    metadata: meta(place),
    spec: {
      size: 9007199254740993n as unknown as number,
      replicas: 2,
      rules: [
        { name: "first", weight: 1 },
        { name: "second", weight: 2 },
      ],
      tags: ["blue", "green"],
      steps: ["one", "two"],
      free: { depth: { list: ["a", "b"], flag: true } },
    },
  };
}
