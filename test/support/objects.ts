import type { Manifest } from "../../lib/model/resource.ts";

/** Objects of tests: each as small as its kind allows. */
export function aNamespace(name: string): Manifest {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

export function aConfigMap(namespace: string, name: string, content: Readonly<Record<string, string>> = { key: "1" }): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: placed(namespace, name), data: content };
}

export function aPod(namespace: string, name: string): Manifest {
  const containers = [{ name: "web", image: "registry.example/web:1.0" }];
  return { apiVersion: "v1", kind: "Pod", metadata: placed(namespace, name), spec: { containers } };
}

export interface DeploymentOptions {
  readonly image?: string;
  readonly replicas?: number;
  /** Value of the label `app` that selects the pods; cannot be changed later. */
  readonly app?: string;
}

export function aDeployment(namespace: string, name: string, options: DeploymentOptions = {}): Manifest {
  const { image = "registry.example/web:1.0", replicas = 1, app = name } = options;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: placed(namespace, name),
    spec: {
      replicas,
      selector: { matchLabels: { app } },
      template: { metadata: { labels: { app } }, spec: { containers: [{ name: "web", image }] } },
    },
  };
}

export interface CrdOptions {
  /** Such as `shop.example`. */
  readonly group: string;
  readonly kind: string;
  readonly scope: "Namespaced" | "Cluster";
}

/** A definition whose objects have `spec.id` (int64). */
export function aCrd({ group, kind, scope }: CrdOptions): Manifest {
  const singular = kind.toLowerCase();
  const spec = { type: "object", properties: { id: { type: "integer", format: "int64" } } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${singular}s.${group}` },
    spec: {
      group,
      scope,
      names: { kind, plural: `${singular}s`, singular },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec } } } },
      ],
    },
  };
}

export interface PolicyOptions {
  readonly namespace: string;
  readonly operation: "CREATE" | "DELETE";
  /** Plural name of a kind of the core group. */
  readonly resource: string;
  /** What is allowed, in CEL. */
  readonly unless?: string;
}

/** A policy that refuses something in one namespace, and its binding. */
export function aPolicy({ namespace, operation, resource, unless = "false" }: PolicyOptions): readonly [Manifest, Manifest] {
  const metadata = { name: `refuse-${operation.toLowerCase()}-${namespace}` };
  const rule = { apiGroups: [""], apiVersions: ["v1"], operations: [operation], resources: [resource] };
  const inNamespace = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
  return [
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec: {
        failurePolicy: "Fail",
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: unless, message: "not here" }],
      },
    },
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: { policyName: metadata.name, validationActions: ["Deny"], matchResources: { namespaceSelector: inNamespace } },
    },
  ];
}

function placed(namespace: string, name: string): Manifest["metadata"] {
  return namespace === "" ? { name } : { name, namespace };
}
