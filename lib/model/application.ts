import type { ApplicationSource } from "./application-source.ts";

/** What a sync may do by itself. */
export interface SyncPolicy {
  /** Delete objects that left the desired state. Default true. */
  readonly prune: boolean;
  /** Accept a render of no objects at all, which is an error otherwise. Default false. */
  readonly allowEmpty: boolean;
  /** Field conflicts with other managers: take the fields over, or stop. Default "force". */
  readonly conflicts: "force" | "fail";
  /** Create the application's namespace when it is missing. Default false. */
  readonly createNamespace: boolean;
  /** Seconds to wait for health before the sync fails. Default 300. */
  readonly timeout: number;
}

/** What the sweep does about drift: `heal` starts a sync, `report` only writes rows, `ignore` does neither. */
export type DriftPolicy = "heal" | "report" | "ignore";

/** Sources, a destination and policies, as `driftless.yaml` states them. */
export interface Application {
  /** Unique within an installation; a DNS label of at most 63 characters. */
  readonly name: string;
  /** At least one; their objects are put together. The first of Git gives the application its revision. */
  readonly sources: readonly ApplicationSource[];
  /** Name of an entry of `clusters`. */
  readonly cluster: string;
  /** Namespace for objects that name none; "" when the application gives none. */
  readonly namespace: string;
  readonly sync: SyncPolicy;
  readonly drift: DriftPolicy;
}

/** A destination; nothing in it opens the cluster. */
export type Cluster =
  | { readonly name: string; readonly kind: "kubeconfig"; readonly context: string }
  | { readonly name: string; readonly kind: "eks"; readonly clusterName: string; readonly region: string };

/** `driftless.yaml`, complete: every default filled in. */
export interface Configuration {
  /** Beginnings of the URLs from which Kustomize may take remote bases, pinned to a commit. */
  readonly remoteBases: readonly string[];
  /** Numeric ids of repositories of GitHub, where the configuration states them. */
  readonly repositories: readonly { readonly url: string; readonly id: number }[];
  readonly clusters: readonly Cluster[];
  readonly applications: readonly Application[];
}
