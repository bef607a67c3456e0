import { label } from "./metadata.ts";
import type { Mutation } from "./mutation.ts";
import {
  aBinary,
  aBinding,
  aBudget,
  aClusterRole,
  aNamespaceOf,
  aNetworkPolicy,
  anAutoscaler,
  anIngress,
  anIngressRule,
  aQuota,
  aRole,
  aRule,
  aSecret,
  aService,
  aSettings,
  aSubject,
  aTextSecret,
  aWebhook,
  fromWeb,
  liveBase64,
  otherBase64,
  testBase64,
} from "./objects.ts";

const hiddenChange = ["changed", "data.password", "[secret]", "[secret, changed]"] as const;
const lastApplied = 'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]';

/** What is done to settings, secrets, rights, and what lies between them. */
export const configurationMutations = (application: string): readonly Mutation[] => [
  {
    title: "a value by kubectl edit",
    object: aSettings,
    edit: ({ editor }) => editor("s/live/test/"),
    rows: [["changed", "data.mode", "live", "test", "kubectl-edit"]],
  },
  {
    title: "a key that somebody removes",
    object: aSettings,
    edit: ({ json }) => json([{ op: "remove", path: "/data/mode" }], { manager: "our-tool" }),
    rows: [["changed", "data.mode", "live", undefined, ""]],
  },
  {
    title: "a key that somebody renames",
    object: aSettings,
    edit: ({ json }) => json([{ op: "move", from: "/data/mode", path: "/data/kind" }], { manager: "our-tool" }),
    rows: [
      ["addition", "data.kind", undefined, "live", "our-tool"],
      ["changed", "data.mode", "live", undefined, "our-tool"],
    ],
  },
  {
    title: "kubectl replace",
    object: aSettings,
    edit: ({ pipe, object }) => pipe({ ...object, data: { mode: "test" } }, "replace", "--filename=-"),
    rows: [
      ["changed", "data.level", "info", undefined, "kubectl-replace"],
      ["changed", "data.mode", "live", "test", "kubectl-replace"],
      ["changed", label, application, undefined, "kubectl-replace"],
    ],
  },
  {
    title: "kubectl apply",
    object: aSettings,
    edit: ({ pipe, object }) => pipe({ ...object, data: { mode: "test", level: "info" } }, "apply", "--filename=-"),
    rows: [
      ["addition", lastApplied, undefined, "[secret]", "kubectl-client-side-apply"],
      ["changed", "data.mode", "live", "test", "kubectl-client-side-apply"],
    ],
  },
  {
    title: "kubectl apply --server-side --force-conflicts",
    object: aSettings,
    edit: ({ pipe, object }) =>
      pipe({ ...object, data: { mode: "test" } }, "apply", "--server-side", "--force-conflicts", "--filename=-"),
    rows: [["changed", "data.mode", "live", "test", "kubectl"]],
  },
  {
    title: "an apply by another manager, by force",
    object: aSettings,
    edit: ({ apply }) => apply({ data: { mode: "test" } }, { manager: "argocd-controller", force: true }),
    rows: [["changed", "data.mode", "live", "test", "argocd-controller"]],
  },
  {
    title: "a client that names no manager",
    object: aSettings,
    edit: ({ merge }) => merge({ data: { mode: "test" } }, { userAgent: "OpenAPI-Generator/35.0.0/python" }),
    rows: [["changed", "data.mode", "live", "test", "OpenAPI-Generator"]],
  },
  {
    title: "binary content",
    object: aBinary,
    edit: ({ merge }) => merge({ binaryData: { blob: testBase64 } }, { manager: "kubectl-replace" }),
    rows: [["changed", "binaryData.blob", liveBase64, testBase64, "kubectl-replace"]],
  },
  {
    title: "an object that is deleted",
    object: aSettings,
    edit: ({ remove }) => remove(),
    rows: [["missing", "", undefined, undefined, ""]],
  },
  {
    title: "an object that is deleted and made again by hand, as it was",
    object: aSettings,
    edit: async ({ remove, pipe, object }) => {
      await remove();
      await pipe(object, "create", "--filename=-");
    },
    rows: [["changed", label, application, undefined, "kubectl-create"]],
  },
  {
    title: "an object that is deleted and made again by hand, with other content",
    object: aSettings,
    edit: async ({ remove, pipe, object }) => {
      await remove();
      await pipe({ ...object, data: { mode: "test", level: "info" } }, "create", "--filename=-");
    },
    rows: [
      ["changed", "data.mode", "live", "test", "kubectl-create"],
      ["changed", label, application, undefined, "kubectl-create"],
    ],
  },
  {
    title: "a password",
    object: aSecret,
    edit: ({ merge }) => merge({ data: { password: testBase64 } }, { manager: "kubectl-edit" }),
    rows: [[...hiddenChange, "kubectl-edit"]],
  },
  {
    title: "a password as text",
    object: aTextSecret,
    edit: ({ merge }) => merge({ stringData: { password: "test" } }, { manager: "kubectl-patch" }),
    rows: [[...hiddenChange, "kubectl-patch"]],
  },
  {
    title: "a password by kubectl apply, which writes it down once more",
    object: aSecret,
    edit: ({ pipe, object }) => pipe({ ...object, data: { password: otherBase64 } }, "apply", "--filename=-"),
    rows: [
      ["addition", lastApplied, undefined, "[secret]", "kubectl-client-side-apply"],
      [...hiddenChange, "kubectl-client-side-apply"],
    ],
  },
  {
    title: "a port of a Service, which is keyed by number and protocol",
    object: aService,
    edit: ({ strategic }) => strategic({ spec: { ports: [{ port: 80, targetPort: 9090 }] } }, { manager: "kubectl-edit" }),
    rows: [["changed", 'spec.ports[port=80,protocol="TCP"].targetPort', 8080, 9090, "kubectl-edit"]],
  },
  {
    title: "a selector of a Service, which is one value",
    object: aService,
    edit: ({ kubectl, target }) => kubectl("patch", target, '--patch={"spec":{"selector":{"version":"2"}}}'),
    rows: [["changed", "spec.selector", { app: "web" }, { app: "web", version: "2" }, "kubectl-patch"]],
  },
  {
    title: "more rights in a Role, whose rules are one value",
    object: aRole,
    edit: ({ json }) => json([{ op: "add", path: "/rules/0/verbs/-", value: "delete" }], { manager: "kubectl-edit" }),
    rows: [["changed", "rules", [aRule], [{ ...aRule, verbs: ["get", "delete"] }], "kubectl-edit"]],
  },
  {
    title: "another rule in a ClusterRole",
    object: aClusterRole,
    edit: ({ json }) =>
      json([{ op: "add", path: "/rules/-", value: { ...aRule, resources: ["secrets"] } }], { manager: "kubectl-edit" }),
    rows: [["changed", "rules", [aRule], [aRule, { ...aRule, resources: ["secrets"] }], "kubectl-edit"]],
  },
  {
    title: "kubectl set subject",
    object: aBinding,
    edit: ({ kubectl, target }) => kubectl("set", "subject", target, "--serviceaccount=shop:other"),
    rows: [["changed", "subjects", [aSubject], [aSubject, { ...aSubject, name: "other" }], "kubectl-set"]],
  },
  {
    title: "another backend of an Ingress, whose rules are one value",
    object: anIngress,
    edit: ({ merge }) => merge({ spec: { rules: [anIngressRule("other")] } }, { manager: "kubectl-edit" }),
    rows: [["changed", "spec.rules", [anIngressRule("web")], [anIngressRule("other")], "kubectl-edit"]],
  },
  {
    title: "a NetworkPolicy that lets everybody in",
    object: aNetworkPolicy,
    edit: ({ merge }) => merge({ spec: { ingress: [{}] } }, { manager: "kubectl-edit" }),
    rows: [["changed", "spec.ingress", [fromWeb], [{}], "kubectl-edit"]],
  },
  {
    title: "the bounds of an autoscaler",
    object: anAutoscaler,
    edit: ({ kubectl, target }) => kubectl("patch", target, '--patch={"spec":{"minReplicas":1,"maxReplicas":50}}'),
    rows: [
      ["changed", "spec.maxReplicas", 5, 50, "kubectl-patch"],
      ["changed", "spec.minReplicas", 2, 1, "kubectl-patch"],
    ],
  },
  {
    title: "a disruption budget",
    object: aBudget,
    edit: ({ merge }) => merge({ spec: { minAvailable: "0%" } }, { manager: "kubectl-edit" }),
    rows: [["changed", "spec.minAvailable", 1, "0%", "kubectl-edit"]],
  },
  {
    title: "a quota",
    object: aQuota,
    edit: ({ merge }) => merge({ spec: { hard: { "requests.storage": "1Ti" } } }, { manager: "kubectl-edit" }),
    rows: [["changed", 'spec.hard["requests.storage"]', "100Gi", "1Ti", "kubectl-edit"]],
  },
  {
    title: "a label of a Namespace",
    object: aNamespaceOf,
    edit: ({ kubectl, target }) => kubectl("label", target, "--overwrite", "team=other"),
    rows: [["changed", "metadata.labels.team", "shop", "other", "kubectl-label"]],
  },
  {
    title: "a caBundle that Git states, by an injector",
    object: aWebhook,
    edit: ({ json }) =>
      json([{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: testBase64 }], { manager: "cainjector" }),
    rows: [["changed", 'webhooks[name="inject.shop.example"].clientConfig.caBundle', liveBase64, testBase64, "cainjector"]],
  },
];
