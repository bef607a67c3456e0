import type { GroupVersionKind, Manifest } from "../../lib/model/resource.ts";
import { aConfigMap, aCrd, aDeployment, aNamespace } from "../support/objects.ts";

/** Two desired states of one application: 55 objects that differ between them, and 5 that only the one of them has. */
export type State = "a" | "b";

/** Plural names of the kinds, as the API server has them. */
export function kindsOf(group: string): readonly (GroupVersionKind & { readonly resource: string })[] {
  return [
    { group: "", version: "v1", kind: "Namespace", resource: "namespaces" },
    { group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition", resource: "customresourcedefinitions" },
    { group: "", version: "v1", kind: "ServiceAccount", resource: "serviceaccounts" },
    { group: "", version: "v1", kind: "Secret", resource: "secrets" },
    { group: "", version: "v1", kind: "ConfigMap", resource: "configmaps" },
    { group: "", version: "v1", kind: "Service", resource: "services" },
    { group: "apps", version: "v1", kind: "Deployment", resource: "deployments" },
    { group: "batch", version: "v1", kind: "Job", resource: "jobs" },
    { group, version: "v1", kind: "Note", resource: "notes" },
  ];
}

/** Sixty objects of nine kinds in four steps: a PreSync hook, two waves, a PostSync hook. */
export function sixtyObjects(namespace: string, group: string, state: State): readonly Manifest[] {
  const content = { state };
  const only = [
    aConfigMap(namespace, `only-${state}-1`, content),
    aConfigMap(namespace, `only-${state}-2`, content),
    aSecret(namespace, `only-${state}`, state),
    aService(namespace, `only-${state}`, state),
    aServiceAccount(namespace, `only-${state}`, state),
  ];
  const both = [
    labelled(aNamespace(namespace), state),
    labelled(aCrd({ group, kind: "Note", scope: "Namespaced" }), state),
    aJob(namespace, "migrate", { state, hook: "PreSync" }),
    aJob(namespace, "check", { state, hook: "PostSync", policy: "BeforeHookCreation,HookSucceeded" }),
    ...["web", "worker"].map((name) => aDeployment(namespace, name, { image: `registry.example/${name}:${state}` })),
    ...[1, 2].map((number) => aNote(namespace, group, { number, state })),
    ...[1, 2, 3].map((number) => aService(namespace, `service-${number}`, state)),
    ...[1, 2].map((number) => aServiceAccount(namespace, `account-${number}`, state)),
    ...[1, 2, 3, 4].map((number) => aSecret(namespace, `secret-${number}`, state)),
  ];
  const early = Array.from({ length: 28 }, (_, at) => aConfigMap(namespace, `early-${at}`, content));
  const late = Array.from({ length: 10 }, (_, at) => inWave(aConfigMap(namespace, `late-${at}`, content), "1"));
  return [...both, ...early, ...late, ...only];
}

function labelled(object: Manifest, state: State): Manifest {
  return { ...object, metadata: { ...object.metadata, labels: { state } } };
}

function inWave(object: Manifest, wave: string): Manifest {
  const annotations = { ...object.metadata.annotations, "argocd.argoproj.io/sync-wave": wave };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function aSecret(namespace: string, name: string, state: State): Manifest {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    data: { state: Buffer.from(state).toString("base64") },
  };
}

function aServiceAccount(namespace: string, name: string, state: State): Manifest {
  return labelled({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } }, state);
}

function aService(namespace: string, name: string, state: State): Manifest {
  const ports = [{ port: 80 }];
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { selector: { state }, ports } };
}

function aNote(
  namespace: string,
  group: string,
  { number, state }: { readonly number: number; readonly state: State },
): Manifest {
  const metadata = { name: `note-${number}`, namespace };
  return { apiVersion: `${group}/v1`, kind: "Note", metadata, spec: { id: state === "a" ? number : -number } };
}

interface JobOptions {
  readonly state: State;
  readonly hook: string;
  readonly policy?: string;
}

function aJob(namespace: string, name: string, { state, hook, policy }: JobOptions): Manifest {
  const annotations = {
    "argocd.argoproj.io/hook": hook,
    ...(policy === undefined ? {} : { "argocd.argoproj.io/hook-delete-policy": policy }),
  };
  const containers = [{ name: "task", image: `registry.example/task:${state}` }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, annotations },
    spec: { template: { spec: { restartPolicy: "Never", containers } } },
  };
}
