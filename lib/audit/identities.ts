import { isJsonObject, type JsonObject } from "../model/json.ts";
import { projectUser } from "../projects/identity.ts";

/** Who Driftless is to the API servers: user names, or ARNs of IAM roles. */
export type Identities = readonly string[];

/** The parts of Kubernetes, and what EKS runs as part of a cluster. A service account of another namespace is somebody's tool. */
const clusterUsers: readonly RegExp[] = [
  /^system:(?:apiserver|cloud-controller-manager|kube-controller-manager|kube-scheduler)$/,
  /^system:node:/,
  /^system:serviceaccount:kube-system:/,
  /^eks:/,
  // The simulated nodes of a control plane on one's own machine.
  /^kwok$/,
];

/** True for those whose writes are the cluster doing its work: what they change is found by sweeps, if it ever is drift. */
export function isClusterIdentity(user: string): boolean {
  return clusterUsers.some((pattern) => pattern.test(user));
}

/**
 * True for our own identity. On EKS the caller's own role stands in `extra`, whatever user name its access entry gives it; a name
 * alone (`driftless-sync`) or a user agent proves nothing, since anybody may choose it.
 */
export function isOwnIdentity(user: JsonObject, identities: Identities): boolean {
  const name = user["username"];
  const extra = isJsonObject(user["extra"]) ? user["extra"] : {};
  const arns = ["canonicalArn", "arn"].flatMap((key) => listOf(extra[key]));
  return [name, ...arns].some(
    (candidate) => typeof candidate === "string" && identities.some((identity) => isSame(candidate, identity)),
  );
}

/** True for the users as whom Driftless comes for projects that impersonate: `driftless:PROJECT`. */
export function isProjectUser(user: string): boolean {
  return user.startsWith(projectUser("").username);
}

/** `arn:aws:sts::1:assumed-role/NAME/SESSION` is a session of the role `arn:aws:iam::1:role/PATH/NAME`. */
function isSame(candidate: string, identity: string): boolean {
  if (candidate === identity) return true;
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(candidate);
  const role = /^arn:([^:]+):iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(identity);
  return session !== null && role !== null && session.slice(1).join() === role.slice(1).join();
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
