import type { DriftPolicy } from "../../lib/model/application.ts";

/** Files of a repository with one application per environment: Kustomize overlays over one base, and driftless.yaml. */
export interface GuestbookOptions {
  /** Before every application and namespace, so that journeys on one cluster never meet. */
  readonly prefix: string;
  readonly environments?: readonly string[];
  readonly drift?: DriftPolicy;
  /** Of the wait for health, such as "20s". */
  readonly timeout?: string;
}

export function guestbook({
  prefix,
  environments = ["qa", "e2e"],
  drift = "heal",
  timeout = "60s",
}: GuestbookOptions): Record<string, string> {
  const files: Record<string, string> = {
    "driftless.yaml": configuration({ prefix, environments, drift, timeout }),
    "base/kustomization.yaml": "resources: [deployment.yaml, service.yaml]\n",
    "base/deployment.yaml": deployment("registry.example/guestbook:1.0"),
    "base/service.yaml": service("guestbook"),
    "README.md": "A guestbook.\n",
  };
  for (const environment of environments) files[`overlays/${environment}/kustomization.yaml`] = overlay({ prefix, environment });
  return files;
}

export function configuration({ prefix, environments, drift, timeout }: Required<GuestbookOptions>): string {
  const applications = environments.map(
    (environment) => `  - name: ${prefix}-${environment}
    path: overlays/${environment}
    cluster: local
    namespace: ${prefix}-${environment}
    sync: { createNamespace: true, timeout: ${timeout} }
    drift: ${drift}
`,
  );
  return `clusters:
  - { name: local, context: admin }
applications:${applications.length === 0 ? " []" : `\n${applications.join("")}`}
`;
}

export function overlay(options: {
  readonly prefix: string;
  readonly environment: string;
  readonly tag?: string;
  readonly replicas?: number;
  readonly resources?: readonly string[];
}): string {
  const { prefix, environment, tag = "1.0", replicas = 1, resources = [] } = options;
  return `namespace: ${prefix}-${environment}
resources: [${["../../base", ...resources].join(", ")}]
images: [{ name: registry.example/guestbook, newTag: "${tag}" }]
replicas: [{ name: guestbook, count: ${replicas} }]
`;
}

export function deployment(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: guestbook
  labels: { app: guestbook, tier: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: guestbook } }
  template:
    metadata: { labels: { app: guestbook } }
    spec:
      containers:
        - name: web
          image: ${image}
          env: [{ name: LEVEL, value: info }]
`;
}

export function service(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: guestbook }
  ports: [{ port: 80 }]
`;
}

export function configMap(name: string, data: Readonly<Record<string, string>> = { key: "value" }): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata:\n${lines.join("\n")}\n`;
}
