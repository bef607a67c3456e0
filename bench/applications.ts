/** One application of the benchmark: a small web service that asks for no pods, so that what is timed is the delivery alone. */
export interface ApplicationFiles {
  /** Name of the application, of its namespace and of each of its objects. */
  readonly name: string;
  /** Value of the one variable that a change changes. */
  readonly mark: string;
  /** Asks for one pod of an image that nobody has, so that the Deployment never gets ready. */
  readonly broken?: boolean;
}

/** `app-000`, `app-001` and so on for prefix `app`. */
export function applicationNames({ prefix, count }: { readonly prefix: string; readonly count: number }): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, "0")}`);
}

/** Path to text: a ServiceAccount, a Service with two ports, a Deployment of no replicas, an Ingress. */
export function applicationFiles({ name, ...rest }: ApplicationFiles): Record<string, string> {
  const folder = `apps/${name}`;
  return {
    [`${folder}/serviceaccount.yaml`]: `apiVersion: v1\nkind: ServiceAccount\n${metadata(name)}`,
    [`${folder}/service.yaml`]: service(name),
    [`${folder}/ingress.yaml`]: ingress(name),
    ...deploymentFile({ name, ...rest }),
  };
}

/** The one file that a new mark changes. */
export function deploymentFile({ name, mark, broken = false }: ApplicationFiles): Record<string, string> {
  return { [`apps/${name}/deployment.yaml`]: deployment(name, { mark, broken }) };
}

/** All files of all of these applications. */
export function filesOf(names: readonly string[], all: Omit<ApplicationFiles, "name">): Record<string, string> {
  return Object.assign({}, ...names.map((name) => applicationFiles({ name, ...all }))) as Record<string, string>;
}

/** The files of these applications that a new mark changes. */
export function changedFiles(names: readonly string[], all: Omit<ApplicationFiles, "name">): Record<string, string> {
  return Object.assign({}, ...names.map((name) => deploymentFile({ name, ...all }))) as Record<string, string>;
}

/** `driftless.yaml` for these applications, all on one cluster; `createNamespace` has each bring its namespace. */
export function configurationText(names: readonly string[], { createNamespace = false } = {}): string {
  const sync = createNamespace ? ", sync: { createNamespace: true }" : "";
  const entries = names.map((name) => `  - { name: ${name}, path: apps/${name}, cluster: bench, namespace: ${name}${sync} }\n`);
  return `clusters:\n  - { name: bench, context: admin }\napplications:${entries.length === 0 ? " []\n" : `\n${entries.join("")}`}`;
}

function metadata(name: string): string {
  return `metadata:
  name: ${name}
  namespace: ${name}
  labels:
    app.kubernetes.io/name: ${name}
    app.kubernetes.io/version: "6.5.3"
    app.kubernetes.io/part-of: benchmark
`;
}

function service(name: string): string {
  return `apiVersion: v1
kind: Service
${metadata(name)}spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - { name: http, port: 9898, targetPort: http, protocol: TCP }
    - { name: grpc, port: 9999, targetPort: grpc, protocol: TCP }
`;
}

function ingress(name: string): string {
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
${metadata(name)}spec:
  ingressClassName: nginx
  rules:
    - host: ${name}.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: ${name}
                port: { number: 9898 }
`;
}

function deployment(name: string, { mark, broken }: { readonly mark: string; readonly broken: boolean }): string {
  return `apiVersion: apps/v1
kind: Deployment
${metadata(name)}spec:
  replicas: ${broken ? 1 : 0}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 1 }
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${name}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9797"
    spec:
      serviceAccountName: ${name}
      terminationGracePeriodSeconds: 30
      containers:
        - name: web
          image: ghcr.io/stefanprodan/podinfo:${broken ? "broken" : "6.5.3"}
          imagePullPolicy: IfNotPresent
          command: [./podinfo]
          args:
            - --port=9898
            - --port-metrics=9797
            - --grpc-port=9999
            - --grpc-service-name=podinfo
            - --cert-path=/data/cert
            - --level=info
            - --random-delay=false
            - --random-error=false
          env:
            - name: ${markVariable}
              value: ${JSON.stringify(mark)}
          ports:
            - { name: http, containerPort: 9898, protocol: TCP }
            - { name: http-metrics, containerPort: 9797, protocol: TCP }
            - { name: grpc, containerPort: 9999, protocol: TCP }
          livenessProbe:
            exec:
              command: [podcli, check, http, "localhost:9898/healthz"]
            initialDelaySeconds: 1
            periodSeconds: 10
            timeoutSeconds: 5
            successThreshold: 1
            failureThreshold: 3
          readinessProbe:
            exec:
              command: [podcli, check, http, "localhost:9898/readyz"]
            initialDelaySeconds: 1
            periodSeconds: 10
            timeoutSeconds: 5
            successThreshold: 1
            failureThreshold: 3
          volumeMounts:
            - { name: scratch, mountPath: /data }
          resources:
            requests: { cpu: 1m, memory: 16Mi }
      volumes:
        - name: scratch
          emptyDir: {}
`;
}

export const containerName = "web";
export const markVariable = "BENCH_MARK";
