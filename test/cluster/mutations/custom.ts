import type { Mutation } from "./mutation.ts";
import { aWidget } from "./objects.ts";

/** What is done to objects of a kind of somebody's own. */
export const customMutations: readonly Mutation[] = [
  {
    title: "a whole number beyond 2^53",
    object: aWidget,
    edit: ({ kubectl, target }) => kubectl("patch", target, "--type=merge", '--patch={"spec":{"size":9007199254740995}}'),
    rows: [["changed", "spec.size", 9007199254740993n, 9007199254740995n, "kubectl-patch"]],
  },
  {
    title: "a field of an item of a keyed list",
    object: aWidget,
    edit: ({ kubectl, target }) =>
      kubectl("patch", target, "--type=json", '--patch=[{"op":"replace","path":"/spec/rules/0/weight","value":5}]'),
    rows: [["changed", 'spec.rules[name="first"].weight', 1, 5, "kubectl-patch"]],
  },
  {
    title: "an item of a keyed list, removed",
    object: aWidget,
    edit: ({ json }) => json([{ op: "remove", path: "/spec/rules/0" }], { manager: "our-tool" }),
    rows: [["changed", 'spec.rules[name="first"]', { name: "first", weight: 1 }, undefined, ""]],
  },
  {
    title: "an item of a set, replaced",
    object: aWidget,
    edit: ({ merge }) => merge({ spec: { tags: ["blue", "red"] } }, { manager: "our-tool" }),
    rows: [
      ["addition", 'spec.tags[="red"]', undefined, "red", "our-tool"],
      ["changed", 'spec.tags[="green"]', "green", undefined, "our-tool"],
    ],
  },
  {
    title: "the order of an atomic list",
    object: aWidget,
    edit: ({ merge }) => merge({ spec: { steps: ["two", "one"] } }, { manager: "our-tool" }),
    rows: [["changed", "spec.steps", ["one", "two"], ["two", "one"], "our-tool"]],
  },
  {
    title: "a list in a part without a schema",
    object: aWidget,
    edit: ({ merge }) => merge({ spec: { free: { depth: { list: ["a"] } } } }, { manager: "our-tool" }),
    rows: [["changed", "spec.free.depth.list", ["a", "b"], ["a"], "our-tool"]],
  },
  {
    title: "a field of a part without a schema, removed",
    object: aWidget,
    edit: ({ merge }) => merge({ spec: { free: { depth: { flag: null } } } }, { manager: "our-tool" }),
    rows: [["changed", "spec.free.depth.flag", true, undefined, ""]],
  },
  {
    title: "the whole spec, removed",
    object: aWidget,
    edit: ({ merge }) => merge({ spec: null }, { manager: "our-tool" }),
    rows: [
      ["changed", "spec.free.depth", { flag: true, list: ["a", "b"] }, undefined, ""],
      ["changed", "spec.replicas", 2, undefined, ""],
      ["changed", 'spec.rules[name="first"]', { name: "first", weight: 1 }, undefined, ""],
      ["changed", 'spec.rules[name="second"]', { name: "second", weight: 2 }, undefined, ""],
      ["changed", "spec.size", 9007199254740993n, undefined, ""],
      ["changed", "spec.steps", ["one", "two"], undefined, ""],
      ["changed", 'spec.tags[="blue"]', "blue", undefined, ""],
      ["changed", 'spec.tags[="green"]', "green", undefined, ""],
    ],
  },
  {
    title: "the subresource scale of a kind of somebody's own",
    object: aWidget,
    edit: ({ merge }) => merge({ spec: { replicas: 7 } }, { subresource: "scale", manager: "our-autoscaler" }),
    rows: [["changed", "spec.replicas", 2, 7, "our-autoscaler"]],
  },
];
