import type { Project } from "../model/project.ts";
import { matchesPattern } from "../projects/glob.ts";
import { projectUser, roleOf } from "../projects/identity.ts";

/** How the API server's user is known to be Driftless. */
export type WriterIdentity =
  | { readonly by: "username"; readonly username: string }
  /** Beginning of the user name, up to and with the slash before the name of the session, which is another for each sync. */
  | { readonly by: "role"; readonly prefix: string }
  /** EKS says the role of a session in the user's `extra`, whatever user name its access entry gives. */
  | { readonly by: "canonicalArn"; readonly arn: string };

export interface WhoRequest {
  /** Who the one who asks is to the API server. */
  readonly self: { readonly username: string; readonly extra: Readonly<Record<string, readonly string[]>> };
  /** ARNs of the IAM roles that write to clusters; none where the one who asks does so itself. */
  readonly roles: readonly string[];
  /** As whom its projects come, beside; nobody when absent. */
  readonly projects?: ProjectIdentities;
}

/** Identities of projects in one cluster. */
export interface ProjectIdentities {
  readonly usernames: readonly string[];
  /** ARNs of IAM roles. */
  readonly roles: readonly string[];
}

/** As whom applications of these projects come to a cluster, where that is not Driftless itself. */
export function projectIdentities(projects: readonly Project[], cluster: string): ProjectIdentities {
  const here = projects.filter(({ destinations }) => destinations.some((one) => matchesPattern(one.cluster, cluster)));
  const impersonating = here.filter(({ identity }) => identity === "impersonate");
  const assuming = here.filter(({ identity }) => identity === "role");
  return {
    usernames: distinct(impersonating.map(({ name }) => projectUser(name).username)),
    roles: distinct(assuming.flatMap((project) => roleOf(project, cluster)?.arn ?? [])),
  };
}

/**
 * Everyone as whom Driftless comes to a cluster; or, as text, why that cannot be told. A policy that leaves one of them out
 * would stop every sync.
 */
export function writerIdentities({ self, roles, projects = noProjects }: WhoRequest): readonly WriterIdentity[] | string {
  const own = ownIdentities({ self, roles });
  if (typeof own === "string") return own;
  const [kind] = own.map(({ by }) => by);
  return [
    ...own,
    // A cluster that knows Driftless by a user name alone is opened by no role.
    ...(kind === undefined || kind === "username" ? [] : roleIdentities(kind, projects.roles)).filter(
      (one) => !isAmong(own, one),
    ),
    ...projects.usernames.map((username) => ({ by: "username", username }) as const),
  ];
}

const noProjects: ProjectIdentities = { usernames: [], roles: [] };

function roleIdentities(by: "canonicalArn" | "role", roles: readonly string[]): readonly WriterIdentity[] {
  if (by === "canonicalArn") return distinct(roles.map(canonicalArn)).map((arn) => ({ by, arn }));
  return distinct(roles.map(sessionArn)).map((prefix) => ({ by, prefix }));
}

function isAmong(identities: readonly WriterIdentity[], one: WriterIdentity): boolean {
  return identities.some((other) => JSON.stringify(other) === JSON.stringify(one));
}

function ownIdentities({ self, roles }: Pick<WhoRequest, "self" | "roles">): readonly WriterIdentity[] | string {
  const { username, extra } = self;
  if (username === "" || username === "system:anonymous") return "the API server does not know Driftless";
  const own = extra["canonicalArn"]?.[0];
  if (own !== undefined) {
    return roles.length === 0 ? [{ by: "canonicalArn", arn: own }] : roleIdentities("canonicalArn", roles);
  }
  const prefix = sessionPrefix(username);
  if (prefix !== undefined) {
    return roles.length === 0 ? [{ by: "role", prefix }] : roleIdentities("role", roles);
  }
  if (roles.length === 0) return [{ by: "username", username }];
  return `the user ${username} says nothing of its IAM role, so the role that syncs cannot be told from strangers`;
}

/** `arn:aws:sts::1:assumed-role/NAME/SESSION` up to the last slash. */
function sessionPrefix(username: string): string | undefined {
  return /^arn:[a-z-]+:sts::\d{12}:assumed-role\/[^/]+\//.exec(username)?.[0];
}

const roleArn = /^arn:([a-z-]+):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;

/** A role without its path, which no session tells. */
function canonicalArn(role: string): string {
  return role.replace(roleArn, "arn:$1:iam::$2:role/$3");
}

function sessionArn(role: string): string {
  return role.replace(roleArn, "arn:$1:sts::$2:assumed-role/$3/");
}

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();
