import { DriftlessError } from "../errors.ts";
import type { Cluster } from "../model/application.ts";
import type { Project, ProjectIdentity } from "../model/project.ts";
import { projectUser, roleOf } from "../projects/identity.ts";
import type { Clock } from "../telemetry/clock.ts";
import { kept } from "./kept.ts";
import { createRights, type Rights } from "./rights.ts";
import { sessionName } from "./session.ts";
import type { Authorize, Identity } from "./transport.ts";

/** Who asks, and what for. */
export interface Asking {
  /** Undefined for Driftless itself. */
  readonly project: Project | undefined;
  /** `APP-SHA7`; part of the session's name where a role is assumed. */
  readonly session: string | undefined;
}

/** A role to assume, and the name of its session. */
export interface AskedRole {
  readonly arn: string;
  readonly externalId: string;
  readonly session: string;
}

/** An identity at one API server, and what that has told it of its rights. */
export interface KnownIdentity {
  readonly identity: Identity;
  readonly rights: Rights;
}

/** The identities that have come to one open cluster. */
export interface Identities {
  /** Throws `refused` for a project without an identity in this cluster; asks nobody. */
  of(asking: Asking): KnownIdentity;
}

export interface IdentitiesDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Tokens of a role; undefined for clusters that know no roles of IAM. */
  readonly authorizeAs: ((role: AskedRole) => Authorize) | undefined;
}

export function createIdentities({ cluster, clock, authorizeAs }: IdentitiesDeps): Identities {
  const known = new Map<string, KnownIdentity>();
  /** Of a role by role and session: projects that impersonate share it. */
  const tokens = new Map<string, Authorize>();

  function authorizing(role: AskedRole | undefined): Authorize | undefined {
    if (role === undefined || authorizeAs === undefined) return undefined;
    return kept(tokens, JSON.stringify(role), () => authorizeAs(role));
  }

  return {
    of(asking) {
      const role = roleFor(cluster, asking);
      const impersonate = asking.project?.identity === "impersonate" ? projectUser(asking.project.name) : undefined;
      const ofProject = asking.project !== undefined && asking.project.identity !== "installation";
      const key = JSON.stringify([ofProject ? asking.project?.name : null, role ?? null]);
      return kept(known, key, () => {
        const authorize = authorizing(role);
        const identity = { key, ofProject, ...(authorize ? { authorize } : {}), ...(impersonate ? { impersonate } : {}) };
        return { identity, rights: createRights({ clock }) };
      });
    },
  };
}

const identities: ReadonlySet<string> = new Set<ProjectIdentity>(["impersonate", "role", "installation"]);

/**
 * A project's own role is assumed in place of the cluster's, by Driftless' own identity: through the cluster's role it would have to
 * trust that one, and whoever holds the cluster's role could become every project.
 * All else comes by the cluster's role where one is stated, impersonation too, or as Driftless itself: undefined.
 */
export function roleFor(cluster: Cluster, { project, session }: Asking): AskedRole | undefined {
  if (project !== undefined && !identities.has(project.identity)) {
    throw new DriftlessError("refused", `Project ${project.name} has no identity: set it to impersonate, role or installation`);
  }
  if (project?.identity === "role") {
    const role = roleOf(project, cluster.name);
    if (role === undefined || role.arn === "") {
      throw new DriftlessError(
        "refused",
        `Project ${project.name} has no role for the cluster ${cluster.name}: add one to its roles`,
      );
    }
    if (cluster.kind !== "eks") {
      const text = `Project ${project.name} comes to the cluster ${cluster.name} by a role of IAM, which only clusters of EKS know`;
      throw new DriftlessError("refused", `${text}: give it the identity impersonate`);
    }
    return { arn: role.arn, externalId: role.externalId, session: sessionName(session) };
  }
  // A definition that was stored by an older version has none.
  if (cluster.kind !== "eks" || !cluster.role) return undefined;
  return { arn: cluster.role, externalId: cluster.externalId, session: sessionName(session) };
}
