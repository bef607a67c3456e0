import path from "node:path";
import type { Binaries } from "./binaries.ts";
import { type Child, startChild } from "./child.ts";

/** The files of one control plane, all in one folder of its own. */
export interface Layout {
  readonly folder: string;
  readonly tokens: string;
  readonly serviceAccountKey: string;
  readonly webhookConfig: string;
  readonly auditConfig: string;
  readonly auditPolicy: string;
  readonly stages: string;
  readonly kubeconfig: string;
  readonly installationKubeconfig: string;
  /** Written by the API server itself: its certificate, and that of the authority that signed it. */
  readonly caFile: string;
  readonly etcdSocket: string;
  kubeconfigOf(user: string): string;
  logOf(component: string): string;
}

export function layoutOf(folder: string): Layout {
  const file = (name: string) => path.join(folder, name);
  return {
    folder,
    tokens: file("tokens.csv"),
    serviceAccountKey: file("service-account.key"),
    webhookConfig: file("webhook.yaml"),
    auditConfig: file("audit.yaml"),
    auditPolicy: file("audit-policy.yaml"),
    stages: file("stages.yaml"),
    kubeconfig: file("kubeconfig"),
    installationKubeconfig: file("installation.kubeconfig"),
    caFile: file("certificates/apiserver.crt"),
    etcdSocket: file("etcd.sock"),
    kubeconfigOf: (user) => file(`${user}.kubeconfig`),
    logOf: (component) => file(`${component}.log`),
  };
}

/** Users of the control plane's own parts; `admin` and `limited` are those of tests, `driftless` is an installation's own. */
export const componentUsers = {
  manager: "system:kube-controller-manager",
  scheduler: "system:kube-scheduler",
  kwok: "kwok",
} as const;

/** Sockets instead of ports: nobody else can take them, and only the owner of the folder can open them. */
export function startEtcd(binaries: Binaries, layout: Layout): Child {
  // A single member never dials its own peer address; it only has to look like one.
  const peer = "http://127.0.0.1:1";
  return start("etcd", binaries.etcd, layout, [
    `--data-dir=${path.join(layout.folder, "etcd")}`,
    "--unsafe-no-fsync",
    "--log-level=warn",
    `--listen-client-urls=unix://${layout.etcdSocket}`,
    `--advertise-client-urls=${peer}`,
    `--listen-peer-urls=unix://${path.join(layout.folder, "peer.sock")}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ]);
}

export interface ApiServerOptions {
  readonly port: number;
  readonly webhook: boolean;
  readonly audit: boolean;
}

export function startApiServerProcess(binaries: Binaries, layout: Layout, { port, webhook, audit }: ApiServerOptions): Child {
  return start("kube-apiserver", binaries.apiServer, layout, [
    `--etcd-servers=unix://${layout.etcdSocket}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${path.dirname(layout.caFile)}`,
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--allow-privileged=true",
    "--authorization-mode=RBAC",
    `--token-auth-file=${layout.tokens}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${layout.serviceAccountKey}`,
    `--service-account-signing-key-file=${layout.serviceAccountKey}`,
    // Without controllers no namespace gets the service account that this plugin asks of every pod.
    ...(binaries.controllers === undefined ? ["--disable-admission-plugins=ServiceAccount"] : []),
    ...(webhook
      ? [
          `--authentication-token-webhook-config-file=${layout.webhookConfig}`,
          "--authentication-token-webhook-version=v1",
          "--authentication-token-webhook-cache-ttl=10s",
        ]
      : []),
    // Whoever listens comes later, or not at all: what cannot be told is tried again for a second, and dropped.
    ...(audit
      ? [
          `--audit-policy-file=${layout.auditPolicy}`,
          `--audit-webhook-config-file=${layout.auditConfig}`,
          "--audit-webhook-mode=batch",
          "--audit-webhook-batch-max-wait=50ms",
          "--audit-webhook-batch-throttle-enable=false",
          "--audit-webhook-initial-backoff=100ms",
        ]
      : []),
  ]);
}

/** Controllers, scheduler and the simulated nodes: what makes a Deployment roll out. */
export function startControllers(binaries: Binaries, layout: Layout): Child[] {
  if (binaries.controllers === undefined) return [];
  const { manager, scheduler, kwok } = binaries.controllers;
  const shared = ["--leader-elect=false", "--secure-port=0", "--kube-api-qps=1000", "--kube-api-burst=2000"];
  return [
    start("kube-controller-manager", manager, layout, [
      `--kubeconfig=${layout.kubeconfigOf(componentUsers.manager)}`,
      ...shared,
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${layout.serviceAccountKey}`,
      `--root-ca-file=${layout.caFile}`,
      // The simulated nodes send no heartbeats: without them an idle control plane writes nothing.
      "--node-monitor-grace-period=8760h",
    ]),
    start("kube-scheduler", scheduler, layout, [`--kubeconfig=${layout.kubeconfigOf(componentUsers.scheduler)}`, ...shared]),
    start("kwok", kwok, layout, [
      `--kubeconfig=${layout.kubeconfigOf(componentUsers.kwok)}`,
      `--config=${layout.stages}`,
      "--manage-all-nodes=true",
      "--cidr=10.244.0.0/16",
      "--node-ip=127.0.0.1",
    ]),
  ];
}

function start(name: string, command: string, layout: Layout, args: readonly string[]): Child {
  return startChild({ name, command, args, home: layout.folder, logFile: layout.logOf(name) });
}
