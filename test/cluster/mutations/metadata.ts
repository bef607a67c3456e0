import type { Manifest } from "../../../lib/model/resource.ts";
import type { Mutation, Place } from "./mutation.ts";
import { aSettings } from "./objects.ts";

/** The path of our label. */
export const label = 'metadata.labels["driftless.dev/application"]';
const owner = 'metadata.annotations["example.com/owner"]';
const byTool = { manager: "our-tool" };
const held = ["driftless.example/first", "driftless.example/second"];

/** With finalizers that Git states; whoever ends the test takes them off. */
function aHeld(place: Place): Manifest {
  const { metadata, ...rest } = aSettings(place);
  return { ...rest, metadata: { ...metadata, finalizers: held } };
}

/** What is done to labels, annotations, finalizers and ownership. */
export const metadataMutations = (application: string): readonly Mutation[] => [
  {
    title: "kubectl label with another value",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("label", target, "--overwrite", "tier=api"),
    rows: [["changed", "metadata.labels.tier", "web", "api", "kubectl-label"]],
  },
  {
    title: "kubectl label that removes one",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("label", target, "tier-"),
    rows: [["changed", "metadata.labels.tier", "web", undefined, ""]],
  },
  {
    title: "kubectl annotate with another value",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("annotate", target, "--overwrite", "example.com/owner=someone"),
    rows: [["changed", owner, "shop", "someone", "kubectl-annotate"]],
  },
  {
    title: "kubectl annotate that removes one",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("annotate", target, "example.com/owner-"),
    rows: [["changed", owner, "shop", undefined, ""]],
  },
  {
    title: "the tracking label, removed",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("label", target, "driftless.dev/application-"),
    rows: [["changed", label, application, undefined, ""]],
  },
  {
    title: "the tracking label, changed to another application's",
    object: aSettings,
    edit: ({ kubectl, target }) => kubectl("label", target, "--overwrite", "driftless.dev/application=another"),
    rows: [["changed", label, application, "another", "kubectl-label"]],
  },
  {
    title: "all labels and annotations at once",
    object: aSettings,
    edit: ({ json }) =>
      json(
        [
          { op: "remove", path: "/metadata/labels" },
          { op: "remove", path: "/metadata/annotations" },
        ],
        byTool,
      ),
    rows: [
      ["changed", owner, "shop", undefined, ""],
      ["changed", "metadata.labels.tier", "web", undefined, ""],
      ["changed", label, application, undefined, ""],
    ],
  },
  {
    title: "one of the finalizers of Git, removed",
    object: aHeld,
    edit: ({ merge }) => merge({ metadata: { finalizers: ["driftless.example/second"] } }, { manager: "our-operator" }),
    rows: [["changed", 'metadata.finalizers[="driftless.example/first"]', "driftless.example/first", undefined, ""]],
  },
  {
    title: "a reset of managedFields",
    object: aSettings,
    edit: ({ merge }) => merge({ metadata: { managedFields: [{}] } }, byTool),
    rows: [],
  },
  {
    title: "a reset of managedFields along with a value",
    object: aSettings,
    edit: async ({ merge }) => {
      await merge({ metadata: { managedFields: [{}] } }, byTool);
      await merge({ data: { mode: "test" } }, { manager: "kubectl-patch" });
    },
    rows: [["changed", "data.mode", "live", "test", ""]],
  },
  {
    title: "our share of managedFields under somebody else's name",
    object: aSettings,
    edit: ({ put }) =>
      put(({ metadata, ...live }) => {
        const managedFields = metadata.managedFields?.map((entry) => ({ ...entry, manager: "someone" }));
        return { ...live, metadata: { ...metadata, managedFields } };
      }),
    rows: [],
  },
  {
    title: "our share of managedFields without one of its fields, whose value is another",
    object: aSettings,
    edit: ({ put }) =>
      put(({ metadata, ...live }) => {
        const managedFields = metadata.managedFields?.map((entry) => {
          const { "f:data": _data, ...fieldsV1 } = (entry.fieldsV1 ?? {}) as Record<string, object>;
          return { ...entry, fieldsV1 };
        });
        return { ...live, metadata: { ...metadata, managedFields }, data: { mode: "test", level: "info" } };
      }, byTool),
    rows: [["changed", "data.mode", "live", "test", "our-tool"]],
  },
  {
    title: "an apply of a person under our name, with another value",
    object: aSettings,
    edit: ({ apply, object }) => apply({ ...object, data: { mode: "test", level: "info" } }, { manager: "driftless" }),
    rows: [
      ["changed", "data.mode", "live", "test", "driftless"],
      ["changed", label, application, undefined, ""],
    ],
  },
  {
    title: "an apply of a person under our name, with a key of their own",
    object: aSettings,
    edit: async ({ apply, read }) => {
      const { metadata, data } = (await read()) as Manifest & { readonly data: object };
      const { labels, annotations } = metadata;
      const { name } = metadata;
      await apply({ metadata: { name, labels, annotations }, data: { ...data, theirs: "1" } }, { manager: "driftless" });
    },
    rows: [["changed", "data.theirs", undefined, "1", "driftless"]],
  },
  {
    title: "an update of a person under our name",
    object: aSettings,
    edit: ({ merge }) => merge({ data: { mode: "test" } }, { manager: "driftless" }),
    rows: [["changed", "data.mode", "live", "test", "driftless"]],
  },
  {
    title: "a value set away and back",
    object: aSettings,
    edit: async ({ merge }) => {
      await merge({ data: { mode: "test" } }, { manager: "kubectl-edit" });
      await merge({ data: { mode: "live" } }, { manager: "kubectl-edit" });
    },
    rows: [],
  },
];
