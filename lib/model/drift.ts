import type { JsonValue } from "./json.ts";
import type { ResourceRef } from "./resource.ts";

/**
 * - `changed`  a field that we set has another value, or is gone
 * - `missing`  the object is gone
 * - `orphan`   the object carries our label, and no application owns it
 * - `addition` another manager set a field that we do not set; reported, never healed by default
 * - `prevented` an edit that the cluster refused: it never was drift, and the row is closed from the beginning
 */
export type DriftKind = "changed" | "missing" | "orphan" | "addition" | "prevented";

/** Who made a change, as the API server's audit log tells. */
export interface Attribution {
  readonly user: string;
  /** Address that the request came from; the last one where there are several. */
  readonly sourceIp: string;
  readonly userAgent: string;
  /** When the API server received the request, RFC 3339. */
  readonly at: string;
  /** True when the change was let through to a member of a break-glass group. */
  readonly breakGlass?: true;
}

/** One field of one object that is not as desired: a row of the table. */
export interface DriftRow {
  readonly application: string;
  readonly cluster: string;
  readonly kind: DriftKind;
  readonly ref: ResourceRef;
  /** JSON-path-like: `spec.replicas`, `spec.template.spec.containers[name="web"].image`; "" for a whole object. */
  readonly field: string;
  /** Masked where secret; undefined when absent. */
  readonly desired?: JsonValue;
  /** Masked where secret; undefined when absent. */
  readonly live?: JsonValue;
  /** The manager that changed it, from managedFields; "" when the server no longer knows. */
  readonly manager: string;
  /** "Apply" or "Update"; "" when not known. */
  readonly operation: string;
  /** When that manager last wrote, from managedFields (RFC 3339), or when it was seen where those have no time; "" when the manager is not known. */
  readonly changedAt: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Absent until the audit log told. */
  readonly by?: Attribution;
  /** Set once healing it stopped, since it was reverted too often: the managers that fight over it, and how many reverts in the last hour. */
  readonly fight?: { readonly managers: readonly string[]; readonly reverts: number };
  /** When it was found to be as desired again; "" while open. */
  readonly healedAt: string;
  /** The sync that healed it; "" when someone else did, or while open. */
  readonly healedBy: string;
}

/** The part of a sweep that one invocation does. */
export interface SweepShard {
  /** Id of the sweep; one for all its clusters. */
  readonly sweep: string;
  readonly cluster: string;
}

/** What one sweep of one cluster did: its row in the table. */
export interface SweepReport {
  readonly id: string;
  readonly cluster: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly applications: number;
  readonly objects: number;
  /** Kinds that were listed. */
  readonly kinds: number;
  /** Requests made to the API server, retries included. */
  readonly requests: number;
  /** Of these, pages of lists. */
  readonly pages: number;
  /** Of these, dry runs. */
  readonly dryRuns: number;
  /** Of the answers' bodies. */
  readonly bytes: number;
  /** CPU time of the process meanwhile, other work of it included; absent where nobody measures. */
  readonly cpuMs?: number;
  /** The most memory that the process has held until then; absent where nobody measures. */
  readonly peakMemoryMiB?: number;
  /** Objects that metadata could not clear. */
  readonly suspects: number;
  readonly drifted: number;
  readonly healing: readonly string[];
  /** Applications whose health was not the one in their row. */
  readonly healthChanged: readonly string[];
  /** Names in our label that no application has: another installation, or a table that was lost. At most 20. */
  readonly unknownOwners: readonly string[];
  /** Applications skipped because a sync holds them. */
  readonly skipped: readonly string[];
  readonly errors: readonly string[];
}
