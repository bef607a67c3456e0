import type { SyncWindow } from "./application.ts";

/** The project of applications that name none. Where the configuration states no projects at all, it allows everything. */
export const defaultProject = "default";

/** Objects by group and kind; in all three `*` stands for any text. */
export interface AllowedKind {
  /** API group, "" for the core group. */
  readonly group: string;
  readonly kind: string;
  /** Names of the objects; `*` for all. */
  readonly name: string;
}

/** Where applications of a project may put objects; in both `*` stands for any text. */
export interface ProjectDestination {
  /** Names of clusters of the configuration. */
  readonly cluster: string;
  readonly namespace: string;
}

/**
 * As whom the project's applications come to a cluster: `impersonate` the user `driftless:PROJECT`, of which Driftless' own
 * identity there needs nothing but the right to impersonate; `role`, an IAM role; or `installation`, Driftless' own identity.
 */
export type ProjectIdentity = "impersonate" | "role" | "installation";

/** The IAM role that opens some clusters for a project. */
export interface ProjectRole {
  /** Names of clusters; `*` stands for any text. */
  readonly cluster: string;
  readonly arn: string;
  /** "" for none. */
  readonly externalId: string;
}

/** A file in which a team states its own applications, and nothing else. */
export interface ApplicationFile {
  /** Clone URL. */
  readonly repository: string;
  /** Branch. */
  readonly targetRevision: string;
  readonly path: string;
}

/** What a team's applications may use; stated in the platform repository alone. An empty list allows nothing. */
export interface Project {
  /** Unique; a DNS label of at most 63 characters. */
  readonly name: string;
  readonly description: string;
  /** Clone URLs, and URLs of chart repositories; `*` stands for any text. */
  readonly sourceRepos: readonly string[];
  /** Paths inside repositories, as globs: `deploy/**`. Default all. */
  readonly paths: readonly string[];
  readonly destinations: readonly ProjectDestination[];
  /** Kinds without a namespace; default none. A Namespace must be one of the destinations, too. */
  readonly clusterResourceWhitelist: readonly AllowedKind[];
  /** Kinds in namespaces; default all. */
  readonly namespaceResourceWhitelist: readonly AllowedKind[];
  /** Kinds in namespaces that are left out of those; default none. */
  readonly namespaceResourceBlacklist: readonly AllowedKind[];
  readonly identity: ProjectIdentity;
  /** For identity `role`. */
  readonly roles: readonly ProjectRole[];
  /** Those that count for all applications included. */
  readonly syncWindows: readonly SyncWindow[];
  readonly applicationFiles: readonly ApplicationFile[];
}
