import type { Mutation } from "./mutation.ts";
import { aCronJob, aJob, aWeb, defaulted, inWeb } from "./objects.ts";

type Containers = { readonly spec: { readonly template: { readonly spec: { readonly containers: readonly object[] } } } };
const containersOf = (live: object) => (live as Containers).spec.template.spec.containers;
const withContainers = (live: object, containers: readonly object[]) => {
  const { spec } = live as Containers;
  return { ...live, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } };
};
const proxy = { image: "registry.example/proxy:1.0", name: "proxy" };

/** What people and programs do to what runs. */
export const workloadMutations: readonly Mutation[] = [
  {
    title: "kubectl scale",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("scale", target, "--replicas=3"),
    rows: [["changed", "spec.replicas", 0, 3, "kubectl"]],
  },
  {
    title: "a patch of the subresource scale by an autoscaler of somebody's own",
    object: aWeb,
    edit: ({ merge }) => merge({ spec: { replicas: 2 } }, { subresource: "scale", manager: "our-autoscaler" }),
    rows: [["changed", "spec.replicas", 0, 2, "our-autoscaler"]],
  },
  {
    title: "the subresource scale, replaced",
    object: aWeb,
    edit: ({ put }) =>
      put((live) => ({ ...live, spec: { replicas: 1 } }), { subresource: "scale", userAgent: "our-scaler/1.2 (linux)" }),
    rows: [["changed", "spec.replicas", 0, 1, "our-scaler"]],
  },
  {
    title: "kubectl patch of spec.replicas",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("patch", target, "--type=merge", '--patch={"spec":{"replicas":2}}'),
    rows: [["changed", "spec.replicas", 0, 2, "kubectl-patch"]],
  },
  {
    title: "kubectl set image",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("set", "image", target, "web=registry.example/web:2.0"),
    rows: [["changed", inWeb("image"), "registry.example/web:1.0", "registry.example/web:2.0", "kubectl-set"]],
  },
  {
    title: "kubectl set env of a variable that Git sets",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("set", "env", target, "--containers=web", "MODE=test"),
    rows: [["changed", inWeb('env[name="MODE"].value'), "live", "test", "kubectl-set"]],
  },
  {
    title: "kubectl set env that removes a variable",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("set", "env", target, "--containers=web", "MODE-"),
    rows: [["changed", inWeb('env[name="MODE"]'), { name: "MODE", value: "live" }, undefined, ""]],
  },
  {
    title: "kubectl set resources",
    object: aWeb,
    edit: ({ kubectl, target }) => kubectl("set", "resources", target, "--containers=web", "--limits=cpu=2,memory=128Mi"),
    rows: [["changed", inWeb("resources.limits.cpu"), "1", "2", "kubectl-set"]],
  },
  {
    title: "a container that a strategic merge patch removes",
    object: aWeb,
    edit: ({ strategic }) =>
      strategic(
        { spec: { template: { spec: { containers: [{ name: "proxy", $patch: "delete" }] } } } },
        { manager: "kubectl-patch" },
      ),
    rows: [["changed", 'spec.template.spec.containers[name="proxy"]', proxy, undefined, ""]],
  },
  {
    title: "a container under another name",
    object: aWeb,
    edit: ({ json }) =>
      json([{ op: "replace", path: "/spec/template/spec/containers/1/name", value: "sidecar" }], { manager: "our-tool" }),
    rows: [
      [
        "addition",
        'spec.template.spec.containers[name="sidecar"]',
        undefined,
        { ...defaulted, ...proxy, name: "sidecar" },
        "our-tool",
      ],
      ["changed", 'spec.template.spec.containers[name="proxy"]', proxy, undefined, "our-tool"],
    ],
  },
  {
    title: "the order of a keyed list",
    object: aWeb,
    edit: ({ json }) =>
      json([{ op: "move", from: "/spec/template/spec/containers/0", path: "/spec/template/spec/containers/1" }], {
        manager: "our-tool",
      }),
    rows: [],
  },
  {
    title: "one container of a reordered list",
    object: aWeb,
    edit: ({ put }) =>
      put(
        (live) => {
          const [web, other] = containersOf(live);
          return withContainers(live, [{ ...other, image: "registry.example/proxy:2.0" }, web ?? {}]);
        },
        { manager: "our-tool" },
      ),
    rows: [
      [
        "changed",
        'spec.template.spec.containers[name="proxy"].image',
        "registry.example/proxy:1.0",
        "registry.example/proxy:2.0",
        "our-tool",
      ],
    ],
  },
  {
    title: "a port of a container, which is keyed by number and protocol",
    object: aWeb,
    edit: ({ json }) =>
      json([{ op: "replace", path: "/spec/template/spec/containers/0/ports/0/containerPort", value: 9090 }], {
        manager: "our-tool",
      }),
    rows: [
      [
        "addition",
        inWeb('ports[containerPort=9090,protocol="TCP"]'),
        undefined,
        { containerPort: 9090, protocol: "TCP" },
        "our-tool",
      ],
      ["changed", inWeb('ports[containerPort=8080,protocol="TCP"]'), { containerPort: 8080 }, undefined, "our-tool"],
    ],
  },
  {
    title: "a command, which is one value",
    object: aWeb,
    edit: ({ json }) =>
      json([{ op: "add", path: "/spec/template/spec/containers/0/command/-", value: "--debug" }], { manager: "our-tool" }),
    rows: [["changed", inWeb("command"), ["/web", "--port=8080"], ["/web", "--port=8080", "--debug"], "our-tool"]],
  },
  {
    title: "arguments that a JSON patch removes",
    object: aWeb,
    edit: ({ json }) => json([{ op: "remove", path: "/spec/template/spec/containers/0/args" }], { manager: "our-tool" }),
    rows: [["changed", inWeb("args"), ["--verbose"], undefined, ""]],
  },
  {
    title: "another toleration, in a list that is one value",
    object: aWeb,
    edit: ({ json }) =>
      json([{ op: "add", path: "/spec/template/spec/tolerations/-", value: { operator: "Exists" } }], { manager: "our-tool" }),
    rows: [
      [
        "changed",
        "spec.template.spec.tolerations",
        [{ key: "spot", operator: "Exists" }],
        [{ key: "spot", operator: "Exists" }, { operator: "Exists" }],
        "our-tool",
      ],
    ],
  },
  {
    title: "another key in a node selector, which is one value",
    object: aWeb,
    edit: ({ merge }) => merge({ spec: { template: { spec: { nodeSelector: { zone: "a" } } } } }, { manager: "our-tool" }),
    rows: [
      [
        "changed",
        "spec.template.spec.nodeSelector",
        { "kubernetes.io/os": "linux" },
        { "kubernetes.io/os": "linux", zone: "a" },
        "our-tool",
      ],
    ],
  },
  {
    title: "another strategy, by kubectl patch of type json",
    object: aWeb,
    edit: ({ kubectl, target }) =>
      kubectl("patch", target, "--type=json", '--patch=[{"op":"replace","path":"/spec/strategy","value":{"type":"Recreate"}}]'),
    rows: [
      ["changed", "spec.strategy.rollingUpdate.maxSurge", 1, undefined, "kubectl-patch"],
      ["changed", "spec.strategy.rollingUpdate.maxUnavailable", "25%", undefined, "kubectl-patch"],
      ["changed", "spec.strategy.type", "RollingUpdate", "Recreate", "kubectl-patch"],
    ],
  },
  {
    title: "several fields by kubectl edit",
    object: aWeb,
    edit: ({ editor }) => editor("s/:1.0/:3.0/"),
    rows: [
      [
        "changed",
        'spec.template.spec.containers[name="proxy"].image',
        "registry.example/proxy:1.0",
        "registry.example/proxy:3.0",
        "kubectl-edit",
      ],
      ["changed", inWeb("image"), "registry.example/web:1.0", "registry.example/web:3.0", "kubectl-edit"],
    ],
  },
  {
    title: "a Job that somebody lets run",
    object: aJob,
    edit: ({ merge }) => merge({ spec: { suspend: false } }, { manager: "kubectl-patch" }),
    rows: [["changed", "spec.suspend", true, false, "kubectl-patch"]],
  },
  {
    title: "a CronJob under another schedule",
    object: aCronJob,
    edit: ({ kubectl, target }) => kubectl("patch", target, '--patch={"spec":{"schedule":"*/5 * * * *"}}'),
    rows: [["changed", "spec.schedule", "0 3 * * *", "*/5 * * * *", "kubectl-patch"]],
  },
];
