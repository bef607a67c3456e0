import type { ApplicationSource } from "./application-source.ts";
import type { HealthCheckExpr } from "./health.ts";
import type { PreventionSettings } from "./prevention.ts";
import type { Project } from "./project.ts";

/** When a new desired state is synced: at once, once its plan is approved, or when somebody asks for it. */
export type SyncMode = "auto" | "approve" | "manual";

/** How often a sync that failed for a passing reason is started again, and after how long; times in seconds. */
export interface RetryPolicy {
  /** Starts after the first failure; 0 for none. Default 5. A cluster that cannot be reached is tried for ever. */
  readonly limit: number;
  readonly backoff: {
    /** Before the first retry. Default 5. */
    readonly duration: number;
    /** What each further pause is multiplied by. Default 2. */
    readonly factor: number;
    /** The longest pause. Default 180. */
    readonly maxDuration: number;
  };
}

/** A time in which syncs may start (`allow`), or may not (`deny`). */
export interface SyncWindow {
  readonly kind: "allow" | "deny";
  /** Cron expression of five fields: when it opens. */
  readonly schedule: string;
  /** Seconds that it stays open. */
  readonly duration: number;
  /** IANA name; default UTC. */
  readonly timeZone: string;
}

/** Stops all syncs of an application, healing included. */
export interface Suspension {
  readonly owner: string;
  readonly reason: string;
  /** RFC 3339; "" for no end. */
  readonly until: string;
}

/** What a sync may do by itself. */
export interface SyncPolicy {
  readonly mode: SyncMode;
  /** Delete objects that left the desired state. Default true. */
  readonly prune: boolean;
  /** Accept a render of no objects at all, which is an error otherwise. Default false. */
  readonly allowEmpty: boolean;
  /** Field conflicts with other managers: take the fields over, or stop. Default "force". */
  readonly conflicts: "force" | "fail";
  /** Create the application's namespace when it is missing. Default false. */
  readonly createNamespace: boolean;
  /** Seconds that each wave may take to be healthy before the sync fails. Default 300. */
  readonly timeout: number;
  /** Seconds that the hooks of one wave may take. Default 3600. */
  readonly hookTimeout: number;
  readonly retry: RetryPolicy;
}

/**
 * What is done about drift: `heal` starts a sync, `report` only writes rows, `ignore` does neither; `prevent` heals, and has the
 * API server refuse edits by anyone but Driftless and the cluster's own controllers.
 */
export type DriftPolicy = "heal" | "report" | "prevent" | "ignore";

/** What is done about fields that others add: nothing, rows that are no drift, or rows that are, so that healing removes them. */
export type AdditionsPolicy = "ignore" | "report" | "drift";

/** Fields that others may set, in the words of Argo CD: no drift, and no sync sets them back. */
export interface IgnoreDifference {
  /** API group, "" for the core group; `*` stands for any text. */
  readonly group: string;
  /** `*` stands for any text. */
  readonly kind: string;
  /** "" for any. */
  readonly name: string;
  /** "" for any. */
  readonly namespace: string;
  /** RFC 6901: `/spec/replicas`. */
  readonly jsonPointers: readonly string[];
  /** Path expressions of jq: `.spec.template.spec.containers[] | select(.name == "web") | .image`. */
  readonly jqPathExpressions: readonly string[];
  /** Names in managedFields: whatever they own is theirs. */
  readonly managedFieldsManagers: readonly string[];
}

/** Sources, a destination and policies, as `driftless.yaml` states them. */
export interface Application {
  /** Unique within an installation; a DNS label of at most 63 characters. */
  readonly name: string;
  /** Name of the project whose limits hold for it: `default` where it names none. */
  readonly project: string;
  /** At least one; their objects are put together. The first of Git gives the application its revision. */
  readonly sources: readonly ApplicationSource[];
  /** Name of an entry of `clusters`. */
  readonly cluster: string;
  /** Namespace for objects that name none; "" when the application gives none. */
  readonly namespace: string;
  readonly sync: SyncPolicy;
  readonly drift: DriftPolicy;
  readonly additions: AdditionsPolicy;
  readonly ignoreDifferences: readonly IgnoreDifference[];
  /** Names of applications that have to be synced and healthy first. */
  readonly dependsOn: readonly string[];
  /** `auto` brings the last healthy state back when a new one misses its deadline or is Degraded. Default "manual". */
  readonly rollback: "auto" | "manual";
  readonly syncWindows: readonly SyncWindow[];
  /** Absent unless suspended in the configuration. */
  readonly suspend?: Suspension;
}

/** A destination; nothing in it opens the cluster. */
export type Cluster = (
  | { readonly name: string; readonly kind: "kubeconfig"; readonly context: string }
  | {
      readonly name: string;
      readonly kind: "eks";
      readonly clusterName: string;
      readonly region: string;
      /** ARN of the IAM role that opens it; "" for the function's own. */
      readonly role: string;
      /** Given when the role is assumed; "" for none. */
      readonly externalId: string;
    }
) & {
  /** By which generators choose clusters. */
  readonly labels: Readonly<Record<string, string>>;
  /** Absent where the configuration says nothing of it. */
  readonly prevent?: PreventionSettings;
};

/** `driftless.yaml`, complete: every default filled in. */
export interface Configuration {
  /** Beginnings of the URLs from which Kustomize may take remote bases, pinned to a commit. */
  readonly remoteBases: readonly string[];
  /** Numeric ids of repositories of GitHub, where the configuration states them. */
  readonly repositories: readonly { readonly url: string; readonly id: number }[];
  readonly clusters: readonly Cluster[];
  /** None: every application is in `default`, which allows everything. */
  readonly projects: readonly Project[];
  /** The user's own rules of health, which win over the built-in ones. */
  readonly healthCheckExprs: readonly HealthCheckExpr[];
  readonly applications: readonly Application[];
}
