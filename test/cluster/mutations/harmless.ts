import type { Mutation } from "./mutation.ts";
import { anIngress, aSecret, aService, aSettings, aWeb, aWidget, defaulted, inWeb, liveBase64, otherBase64 } from "./objects.ts";

type Spec = { readonly spec: { readonly [key: string]: unknown } };
const specOf = (object: object) => (object as Spec).spec;

/** What is done to objects of Git, and is no drift: what Git states is as it was. Rows that there are tell of additions. */
export const harmlessMutations: readonly Mutation[] = [
  {
    title: "status, by whoever writes it",
    object: aWidget,
    edit: ({ merge }) =>
      merge({ status: { phase: "Ready", observed: 3 } }, { subresource: "status", manager: "widget-operator" }),
    rows: [],
  },
  {
    title: "the address that a controller gives an Ingress",
    object: anIngress,
    edit: ({ merge }) =>
      merge(
        { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } },
        { subresource: "status", manager: "our-load-balancer" },
      ),
    rows: [],
  },
  {
    title: "a field that has a default, set to it",
    object: aWidget,
    edit: ({ apply }) => apply({ spec: { color: "grey" } }, { manager: "our-tool" }),
    rows: [["addition", "spec.color", undefined, "grey", "our-tool"]],
  },
  {
    title: "replicas that Git does not state, by an autoscaler of the cluster",
    object: (place) => {
      const { replicas: _, ...spec } = specOf(aWeb(place));
      return { ...aWeb(place), spec: spec as { [key: string]: string } };
    },
    edit: ({ merge }) =>
      merge({ spec: { replicas: 4 } }, { subresource: "scale", userAgent: "kube-controller-manager/v1.35.0 (linux/amd64)" }),
    rows: [],
  },
  {
    title: "a quantity in another spelling",
    object: aWeb,
    edit: ({ strategic }) =>
      strategic(
        { spec: { template: { spec: { containers: [{ name: "web", resources: { limits: { cpu: "1000m" } } }] } } } },
        { manager: "our-tool" },
      ),
    rows: [],
  },
  {
    title: "an apply by another manager that states the same",
    object: aSettings,
    edit: ({ apply }) => apply({ data: { mode: "live" } }, { manager: "argocd-controller" }),
    rows: [],
  },
  {
    title: "an apply by another manager that is refused, since the field is ours",
    object: aSettings,
    edit: async ({ apply }) => {
      const status = await apply({ data: { mode: "test" } }, { manager: "argocd-controller" });
      if (status !== 409) throw new Error(`it was answered with ${status}`);
    },
    rows: [],
  },
  {
    title: "an apply by another manager of a key of its own",
    object: aSettings,
    edit: ({ apply }) => apply({ data: { theirs: "1" } }, { manager: "argocd-controller" }),
    rows: [["addition", "data.theirs", undefined, "1", "argocd-controller"]],
  },
  {
    title: "a label that Git does not state",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("label", target, "seen=yes"),
    rows: [["addition", "metadata.labels.seen", undefined, "yes", "kubectl-label"]],
  },
  {
    title: "an annotation that Git does not state",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("annotate", target, "example.com/seen=yes"),
    rows: [["addition", 'metadata.annotations["example.com/seen"]', undefined, "yes", "kubectl-annotate"]],
  },
  {
    title: "a key of a Secret that Git does not state",
    object: aSecret,
    edit: ({ merge }) => merge({ data: { token: otherBase64 } }, { manager: "kubectl-edit" }),
    rows: [["addition", "data.token", undefined, "[secret]", "kubectl-edit"]],
  },
  {
    title: "the same value of a Secret, as text",
    object: aSecret,
    edit: ({ merge }) =>
      merge({ stringData: { password: Buffer.from(liveBase64, "base64").toString() } }, { manager: "our-tool" }),
    rows: [],
  },
  {
    title: "a finalizer",
    object: aSettings,
    edit: ({ merge }) => merge({ metadata: { finalizers: ["driftless.example/theirs"] } }, { manager: "our-operator" }),
    stays: true,
    rows: [
      ["addition", 'metadata.finalizers[="driftless.example/theirs"]', undefined, "driftless.example/theirs", "our-operator"],
    ],
  },
  {
    title: "a container that somebody injects",
    object: aWeb,
    edit: ({ strategic }) =>
      strategic(
        { spec: { template: { spec: { containers: [{ name: "mesh", image: "registry.example/mesh:1.0" }] } } } },
        { manager: "our-mesh" },
      ),
    rows: [
      [
        "addition",
        'spec.template.spec.containers[name="mesh"]',
        undefined,
        { ...defaulted, name: "mesh", image: "registry.example/mesh:1.0" },
        "our-mesh",
      ],
    ],
  },
  {
    title: "kubectl set env of a variable that Git does not set",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("set", "env", target, "--containers=web", "DEBUG=1"),
    rows: [["addition", inWeb('env[name="DEBUG"]'), undefined, { name: "DEBUG", value: "1" }, "kubectl-set"]],
  },
  {
    title: "a Service port that Git does not state",
    object: aService,
    edit: ({ json }) =>
      json([{ op: "add", path: "/spec/ports/-", value: { name: "admin", port: 9000 } }], { manager: "our-tool" }),
    rows: [
      [
        "addition",
        'spec.ports[port=9000,protocol="TCP"]',
        undefined,
        { name: "admin", port: 9000, protocol: "TCP", targetPort: 9000 },
        "our-tool",
      ],
    ],
  },
  {
    title: "kubectl rollout restart",
    object: aWeb,
    edit: ({ strategic }) =>
      strategic(
        { spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "2026-03-01T12:00:00Z" } } } } },
        { manager: "kubectl-rollout" },
      ),
    rows: [
      [
        "addition",
        'spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]',
        undefined,
        "2026-03-01T12:00:00Z",
        "kubectl-rollout",
      ],
    ],
  },
  {
    title: "kubectl rollout pause",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("rollout", "pause", target),
    rows: [["addition", "spec.paused", undefined, true, "kubectl-rollout"]],
  },
  {
    title: "a field that Git leaves to the server",
    object: aWeb,
    edit: ({ merge }) => merge({ spec: { minReadySeconds: 7 } }, { manager: "our-tool" }),
    rows: [["addition", "spec.minReadySeconds", undefined, 7, "our-tool"]],
  },
  {
    title: "another type of a Service",
    object: aService,
    edit: ({ merge }) => merge({ spec: { type: "NodePort" } }, { manager: "kubectl-edit" }),
    rows: [
      ["addition", "spec.externalTrafficPolicy", undefined, "Cluster", "kubectl-edit"],
      ["addition", "spec.type", undefined, "NodePort", "kubectl-edit"],
    ],
  },
];
