import { driftAnnotation } from "./drift-options.ts";
import type { WriterIdentity } from "./prevent-identity.ts";

/**
 * Users that are the cluster itself, on EKS too: none of these names can be given to anyone there, since an access entry may
 * begin with neither `system:` nor `eks:`. Garbage collection, rollouts and autoscaling run as service accounts of kube-system.
 */
const clusterUsers = [
  "system:kube-controller-manager",
  "system:cloud-controller-manager",
  "system:kube-scheduler",
  "system:apiserver",
];
const clusterUserPrefixes = ["eks:"];
const clusterGroups = ["system:nodes", "system:serviceaccounts:kube-system"];

/** True for the requests of everyone but the cluster's own controllers. */
export const notClusterItself = `!(${[
  userIn(clusterUsers),
  ...clusterUserPrefixes.map((prefix) => `request.userInfo.username.startsWith(${text(prefix)})`),
  groupIn(clusterGroups),
].join(" || ")})`;

/** True for the requests of everyone but Driftless. */
export function notDriftless(writers: readonly WriterIdentity[]): string {
  const arns = writers.flatMap((writer) => (writer.by === "canonicalArn" ? [writer.arn] : []));
  const names = writers.flatMap((writer) => (writer.by === "username" ? [writer.username] : []));
  const prefixes = writers.flatMap((writer) => (writer.by === "role" ? [writer.prefix] : []));
  const arn = `request.userInfo.?extra[?"canonicalArn"].orValue([]).exists(arn, arn in ${list(arns)})`;
  const tests = [
    ...(arns.length === 0 ? [] : [arn]),
    ...(names.length === 0 ? [] : [userIn(names)]),
    ...prefixes.map((prefix) => `request.userInfo.username.startsWith(${text(prefix)})`),
  ];
  return `!(${tests.join(" || ")})`;
}

/** True for the requests of these users, and of members of these groups. */
export function isOneOf({ users, groups }: { readonly users: readonly string[]; readonly groups: readonly string[] }): string {
  return `${userIn(users)} || ${groupIn(groups)}`;
}

const isOurs = `m.?manager.orValue("") == "driftless" && m.?operation.orValue("") == "Apply"`;

/**
 * True for an object that Driftless applied and that is not being deleted. Others carry the label as a copy, as EndpointSlices
 * carry the labels of their Service; and who ends what is being deleted has to take its finalizers off.
 */
export const anAppliedObject = [
  `"driftless.dev/application" in oldObject.metadata.?labels.orValue({})`,
  "!has(oldObject.metadata.deletionTimestamp)",
  hasOurShare("oldObject"),
].join(" && ");

function hasOurShare(object: string): string {
  return `${object}.metadata.?managedFields.orValue([]).exists(m, ${isOurs})`;
}

/** The policy that Git states on the object itself; "" for none, and for an annotation that we did not apply. */
export const askedPolicy = [
  `oldObject.metadata.?annotations[?"${driftAnnotation}"].hasValue()`,
  ` && oldObject.metadata.managedFields.exists(m, ${isOurs}`,
  ` && m.?fieldsV1[?"f:metadata"][?"f:annotations"][?"f:${driftAnnotation}"].hasValue())`,
  ` ? string(oldObject.metadata.annotations["${driftAnnotation}"]) : ""`,
].join("");

/** What the server keeps, and what controllers of other namespaces have to set on objects that they work for. */
const openMetadata = list(["finalizers", "generation", "managedFields", "resourceVersion"]);
const openParts = list(["metadata", "status"]);

/** True for a delete, and for an update that changes anything but status and finalizers, or drops our share of the object. */
export const changesDeclaredFields = `request.operation == "DELETE" || !(${[
  hasOurShare("object"),
  same("object", "oldObject", openParts),
  same("object.metadata", "oldObject.metadata", openMetadata),
].join(" && ")})`;

function same(one: string, other: string, but: string): string {
  const kept = `${one}.all(k, k in ${but} || (k in ${other} && ${one}[k] == ${other}[k]))`;
  return `${kept} && ${other}.all(k, k in ${but} || k in ${one})`;
}

function userIn(users: readonly string[]): string {
  return `request.userInfo.username in ${list(users)}`;
}

function groupIn(groups: readonly string[]): string {
  return `request.userInfo.?groups.orValue([]).exists(g, g in ${list(groups)})`;
}

function list(texts: readonly string[]): string {
  return `[${[...texts].map(text).join(", ")}]`;
}

/** JSON's strings are CEL's too. */
function text(value: string): string {
  return JSON.stringify(value);
}
