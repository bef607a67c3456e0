import type { Application, Suspension } from "./application.ts";
import type { RenderInputs } from "./application-source.ts";
import type { Health } from "./health.ts";
import type { InventoryEntry } from "./inventory.ts";
import type { ResourceRef } from "./resource.ts";

/** Why a sync was started. */
export type SyncTrigger = "push" | "sweep" | "heal" | "removed" | "manual" | "approved" | "rollback" | "rebuild";

/** Where a sync stands. Only the last four are final. */
export type SyncPhase = "Running" | "Waiting" | "Succeeded" | "Failed" | "Superseded" | "Blocked";

/** What happened to one object; one object's failure is data, so that the others still apply. */
export type Change =
  | { readonly action: "created" | "configured" | "unchanged" | "pruned"; readonly ref: ResourceRef }
  | { readonly action: "skipped"; readonly ref: ResourceRef; readonly reason: string }
  | { readonly action: "failed"; readonly ref: ResourceRef; readonly error: string };

/** A desired state of one application, by which a newer one supersedes an older. */
export interface Desired {
  /** Counts up by one with every plan that changes the desired state. */
  readonly generation: number;
  /** Commit id that was rendered; the version of the chart where nothing comes from Git. */
  readonly revision: string;
  /** Id of the stored manifests; "" when the application was removed (nothing is desired). */
  readonly snapshot: string;
  readonly plannedAt: string;
}

/** A rendered state that waits for leave to become the desired one; only the newest waits. */
export interface Pending {
  readonly revision: string;
  readonly snapshot: string;
  readonly plannedAt: string;
  /** Why it waits, for people: a sync window, a suspension, an approval. */
  readonly reason: string;
  /** The definition that it was rendered by, which comes into force with it; absent where that one is in force already. */
  readonly definition?: Application;
}

/** A state that was rolled back: it is not synced again by itself. */
export interface Rejected {
  readonly revision: string;
  readonly snapshot: string;
  readonly reason: string;
  /** Who rolled back; "driftless" when it did so by itself. */
  readonly by: string;
  readonly at: string;
}

/** Leave to sync exactly what a plan showed. */
export interface Approval {
  readonly revision: string;
  /** Hash of the plan. */
  readonly hash: string;
  /** Digest of the objects that the plan deletes, by key and uid. */
  readonly prune: string;
  readonly by: string;
  readonly at: string;
}

/** One run, as history keeps it. */
export interface SyncRecord {
  readonly id: string;
  readonly application: string;
  readonly cluster: string;
  readonly revision: string;
  readonly generation: number;
  readonly snapshot: string;
  readonly trigger: SyncTrigger;
  /** The project that the application was in; absent for `default`. Another one does not go back to this state. */
  readonly project?: string;
  /** From the delivery (or sweep) that started it through every log line to this row. */
  readonly correlationId: string;
  readonly phase: SyncPhase;
  /** RFC 3339 with milliseconds. */
  readonly startedAt: string;
  /** RFC 3339 with milliseconds; "" while running. */
  readonly finishedAt: string;
  readonly health: Health;
  /** How many objects met each fate. */
  readonly counts: {
    readonly created: number;
    readonly configured: number;
    readonly unchanged: number;
    readonly pruned: number;
    readonly failed: number;
  };
  /** What went wrong and where, one line each, secrets masked; at most 20, and 2,000 characters. */
  readonly errors: readonly string[];
  /** What people should know though it is no failure, one line each: fields taken over, objects kept or recreated. */
  readonly notes: readonly string[];
  /** 1 for the first try of a desired state, counting up with each retry. */
  readonly attempt: number;
  /** True when a failure may pass by itself (API server away, namespace terminating): the sweep starts it again. */
  readonly retryable: boolean;
  /** True when the cluster could not be reached: such a failure is retried without a limit. */
  readonly unreachable?: true;
  /** Applications for which objects that left were kept, at most 20; the sweep starts another run once none of them may want them. */
  readonly keptFor?: readonly string[];
}

/** What sweeps keep of one application, so that the next one need not look again. */
export interface Swept {
  /** Digest of the desired state and the policies that it was found under; with another one `cleared` counts for nothing. */
  readonly basis: string;
  /** Digest over uid and resourceVersion of its live objects as they were when their health was last assessed. */
  readonly health: string;
  /** Objects that metadata alone could not clear, and a close look did, by `resourceKey`. */
  readonly cleared: { readonly [key: string]: Cleared };
}

/** Metadata of a live object that is known to be as desired, as its inventory entry would have it from an apply. */
export interface Cleared
  extends Pick<InventoryEntry, "uid" | "resourceVersion" | "fingerprint" | "appliedAt" | "generation" | "foreign"> {
  /** `resourceVersion` of the inventory's entry at that time: the next apply makes a new one. */
  readonly applied: string;
}

/** What is known of one application: the row behind `driftless status`. */
export interface ApplicationState {
  readonly application: string;
  /** As the configuration last stated it: a removed application is still pruned by its own policy. */
  readonly definition: Application;
  /** True once the application left the configuration; its row goes when nothing is left to prune. */
  readonly removed: boolean;
  /** Digest of the application's definition at the last plan. */
  readonly definitionDigest: string;
  /** What the last render read. */
  readonly inputs: RenderInputs;
  /** Undefined until the first render succeeds. */
  readonly desired?: Desired;
  /** Rendered, and not yet allowed to be synced. */
  readonly pending?: Pending;
  /** The last state that a sync brought to health: what a rollback goes back to. */
  readonly lastHealthy?: Pick<SyncRecord, "revision" | "snapshot" | "project">;
  /** What the desired state was rolled back from. */
  readonly rejected?: Rejected;
  /** Set by `driftless suspend`. */
  readonly suspended?: Suspension;
  readonly approval?: Approval;
  /** Why the last plan failed; "" when it did not. Of a removed application it says that it is back, and could not be rendered. */
  readonly planError: string;
  /** True while the last plan failed since its project does not allow it: what was applied stays, and nothing is synced or healed. */
  readonly refused?: true;
  /** Digest of the project's limits that the last plan held it against; absent where no projects are stated. */
  readonly projectDigest?: string;
  /** Revision at which the last plan looked, rendered or not. */
  readonly plannedRevision: string;
  /** The newest finished or running sync. */
  readonly lastSync?: SyncRecord;
  readonly health: Health;
  /** Open rows of drift as the last sweep or sync left them. */
  readonly drifted: number;
  /** Open rows of additions, which are no drift, likewise. */
  readonly additions: number;
  /** Absent until a sweep had something to keep. */
  readonly swept?: Swept;
  /** Counts up with every write; each write states the one it read. */
  readonly version: number;
}

/** The applications of one cluster and project that one plan changed: they share a run, its connections and its discovery. */
export interface SyncBatch {
  readonly cluster: string;
  /** Whose identity opens the cluster, and whose limits hold for each write. */
  readonly project: string;
  /** Commit id for the log and the session name; each application's own desired state decides what is applied. */
  readonly revision: string;
  readonly trigger: SyncTrigger;
  readonly correlationId: string;
  /** What to sync, and the generation of the desired state that was current when the run was started. */
  readonly applications: readonly { readonly name: string; readonly generation: number }[];
}
