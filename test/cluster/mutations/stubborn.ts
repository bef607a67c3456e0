import type { Manifest } from "../../../lib/model/resource.ts";
import { label } from "./metadata.ts";
import type { Mutation, Place } from "./mutation.ts";
import { anImmutable, aService, aSettings, aWeb, inWeb } from "./objects.ts";

const made = { mode: "test", level: "info" };

/** That may be deleted and made again. */
function aRecreated(place: Place): Manifest {
  const { metadata, ...rest } = anImmutable(place);
  const annotations = { ...metadata.annotations, "driftless.dev/recreate": "allowed" };
  return { ...rest, metadata: { ...metadata, annotations } };
}

/** Deleted and made again by hand with other content, and what the sweep says of it. */
const madeAgain = (application: string): Pick<Mutation, "edit" | "rows"> => ({
  edit: async ({ remove, pipe, object }) => {
    await remove();
    await pipe({ ...object, data: made }, "create", "--filename=-");
  },
  rows: [
    ["changed", "data.mode", "live", "test", "kubectl-create"],
    ["changed", label, application, undefined, "kubectl-create"],
  ],
});

/** What no apply undoes, since the API server refuses even to try it, and a heal that may make the object anew does. */
export const recreatedMutations = (application: string): readonly Mutation[] => [
  {
    title: "an immutable object that is deleted and made again by hand with other content",
    object: aRecreated,
    ...madeAgain(application),
  },
];

/** What no heal undoes. */
export const stubbornMutations = (application: string): readonly Mutation[] => [
  {
    title: "an immutable object that is made again by hand with other content, and may not be made anew",
    object: anImmutable,
    ...madeAgain(application),
  },
  {
    title: "a Service on another port of the same name",
    object: aService,
    edit: ({ json }) => json([{ op: "replace", path: "/spec/ports/0/port", value: 81 }], { manager: "kubectl-edit" }),
    rows: [["changed", 'spec.ports[name="http"].port', 80, 81, "kubectl-edit"]],
  },
  {
    title: "a variable that takes its value from elsewhere",
    object: aWeb,
    edit: ({ json }) => {
      const value = { name: "MODE", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };
      return json([{ op: "replace", path: "/spec/template/spec/containers/0/env/0", value }], { manager: "our-tool" });
    },
    rows: [["changed", inWeb('env[name="MODE"].value'), "live", undefined, "our-tool"]],
  },
  {
    title: "an object that is being deleted, and that a finalizer holds",
    object: aSettings,
    edit: async ({ merge, kubectl, target }) => {
      await merge({ metadata: { finalizers: ["driftless.example/held"] } }, { manager: "our-operator" });
      await kubectl("delete", target, "--wait=false");
    },
    rows: [["missing", "", undefined, undefined, ""]],
  },
];
