import type { ClusterIdentity, ClusterWriter } from "../cluster/cluster.ts";
import { mapConcurrently } from "../cluster/concurrency.ts";
import { isDriftlessError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { ResourceRef } from "../model/resource.ts";

/** What a sync is about to do with an object. */
export interface Right {
  readonly verb: "create" | "patch" | "delete";
  readonly ref: ResourceRef;
}

export interface PreflightRequest {
  readonly writer: Pick<ClusterWriter, "allowed" | "resourceType" | "identity">;
  /** Whose identity the writer has. */
  readonly project: string;
  readonly rights: readonly Right[];
}

/** What is to be done with the objects of one kind in one namespace; "" for kinds without one. */
interface Asked extends Pick<Right, "verb"> {
  readonly ref: ResourceRef;
  readonly names: readonly string[];
}

interface Missing {
  readonly verb: string;
  readonly namespace: string;
  /** As RBAC rules and kubectl name it: `deployments.apps`. */
  readonly resource: string;
}

const atOnce = 8;
/** Objects that are asked about by name, where the right is not given for all of their kind. */
const mostNames = 20;

/**
 * Asks the API server about each right, by kind, namespace and verb, and tells what is missing, a sentence for each namespace with
 * the commands that grant it. Nothing where it cannot be asked: then the writes themselves tell.
 */
export async function missingRights(request: PreflightRequest, options: CallOptions = {}): Promise<readonly string[]> {
  const asked = [...Map.groupBy(request.rights, keyOf).values()].map(askedOf);
  const found = await mapConcurrently(asked, { limit: atOnce, work: (one) => missingOf(one, request, options) });
  const missing = found.filter((one) => one !== undefined);
  if (missing.length === 0) return [];
  const identity = await request.writer.identity(options);
  const byNamespace = Map.groupBy(missing, ({ namespace }) => namespace);
  return [...byNamespace].map(([namespace, rights]) => sentence(rights, { namespace, identity, project: request.project }));
}

function keyOf({ verb, ref: { group, kind, namespace } }: Right): string {
  return [verb, group, kind, namespace].join(" ");
}

function askedOf(rights: readonly Right[]): Asked {
  const { verb, ref } = rights[0] as Right;
  return { verb, ref, names: [...new Set(rights.map((right) => right.ref.name))] };
}

async function missingOf(asked: Asked, { writer }: PreflightRequest, options: CallOptions): Promise<Missing | undefined> {
  if (await isGranted(asked, writer, options)) return undefined;
  const { verb, ref } = asked;
  const type = await writer.resourceType(ref, options);
  const plural = type?.resource ?? ref.kind.toLowerCase();
  return { verb, namespace: ref.namespace, resource: ref.group === "" ? plural : `${plural}.${ref.group}` };
}

async function isGranted(
  { verb, ref: { group, kind, namespace }, names }: Asked,
  writer: PreflightRequest["writer"],
  options: CallOptions,
): Promise<boolean> {
  const may = async (name?: string): Promise<boolean> => {
    const request = { verb, group, kind, namespace, ...(name === undefined ? {} : { name }) };
    return (await writer.allowed(request, options))?.allowed ?? true;
  };
  try {
    if (await may()) return true;
    // A rule may name its objects; to create, no rule can.
    if (verb === "create" || names.length > mostNames) return false;
    const each = await mapConcurrently(names, { limit: atOnce, work: may });
    return each.every(Boolean);
  } catch (error) {
    if (!isDriftlessError(error, "cluster") || error.facts["status"] !== 403) throw error;
    return true;
  }
}

interface Granting {
  readonly namespace: string;
  readonly identity: ClusterIdentity;
  readonly project: string;
}

function sentence(missing: readonly Missing[], granting: Granting): string {
  const { namespace, identity } = granting;
  const where = namespace === "" ? "in the whole cluster" : `in namespace ${namespace}`;
  const byVerb = Map.groupBy(missing, ({ verb }) => verb);
  const rights = [...byVerb].map(([verb, each]) => `${verb} ${each.map(({ resource }) => resource).join(", ")}`);
  return `user ${identity.username} may not ${rights.join("; ")} ${where}. Grant it: ${grant(missing, granting)}`;
}

/** Reading is given with it: a sync lists what it has, and looks at what it wrote. */
function grant(missing: readonly Missing[], { namespace, identity, project }: Granting): string {
  const resources = [...new Set(missing.map(({ resource }) => resource))];
  const verbs = [...new Set(["get", "list", ...missing.map(({ verb }) => verb)])];
  const [kind, scope] = namespace === "" ? (["clusterrole", ""] as const) : (["role", ` -n ${namespace}`] as const);
  const name = ["driftless", project, ...resources.slice(0, 3).map((resource) => resource.split(".")[0])].join("-");
  const role = `kubectl create ${kind} ${name}${scope} --verb=${verbs.join(",")} --resource=${resources.join(",")}`;
  return `${role} && kubectl create ${kind}binding ${name}${scope} --${kind}=${name} ${subjectOf(identity, project)}`;
}

/** The name of a session of a role is another for each sync, so that its rights have to be a group's. */
function subjectOf({ username, groups }: ClusterIdentity, project: string): string {
  if (!username.includes(":assumed-role/")) return `--user=${username}`;
  return `--group=${groups.find((group) => !group.startsWith("system:")) ?? `driftless:project:${project}`}`;
}
