import type { CallOptions } from "../model/call.ts";
import type { Attribution, DriftRow, SweepReport } from "../model/drift.ts";
import type { Prevention } from "../model/prevention.ts";
import type { ResourceRef } from "../model/resource.ts";
import type { Page, PageRequest } from "./page.ts";

/** What rows are asked for; everything given has to hold. Nothing given: all drift. */
export interface DriftQuery extends PageRequest {
  readonly application?: string;
  readonly cluster?: string;
  /** Of the object; objects without a namespace are in none. */
  readonly namespace?: string;
  /** Of the object: `Deployment`, or `apps/Deployment` (`/Service` for the core group); case does not matter. */
  readonly kind?: string;
  /** The field manager that made the change. */
  readonly manager?: string;
  /** RFC 3339: rows healed before it are left out; open rows always stand. */
  readonly since?: string;
  /** Only open rows. */
  readonly open?: boolean;
}

/** Drift, open and healed. A row is the same row while application, object, field and kind are the same and it is open. */
export interface DriftStore {
  /**
   * The open rows, by when they were first seen, then healed ones by when they were healed; newest first. The pages of one listing
   * tell of the moment of the first: a row that is healed in between comes once, where it stood. A page may have fewer rows than
   * asked for, and still a next one, when many others had to be passed over.
   */
  list(query?: DriftQuery): Promise<Page<DriftRow>>;
  /** All open rows of one application. */
  open(application: string, options?: CallOptions): Promise<readonly DriftRow[]>;
  /** Rows of one application that one of our syncs healed at that time (RFC 3339) or later, newest first. */
  healedSince(application: string, since: string, options?: CallOptions): Promise<readonly DriftRow[]>;
  /**
   * Writes an open row. A row already open keeps its `firstSeen`, and its `by` as long as the manager is the same and the new one has none.
   * A row of kind `prevented` is written closed.
   */
  record(row: DriftRow, options?: CallOptions): Promise<void>;
  /** Closes open rows: sets `healedAt` and `healedBy`; they expire after 90 days. */
  heal(rows: readonly DriftRow[], healed: { readonly at: string; readonly by: string }, options?: CallOptions): Promise<void>;
  /** Says who made a change, in the matching rows of the object that are open, or were until 15 minutes ago, and do not say it; returns how many. */
  attribute(
    application: string,
    ref: ResourceRef,
    by: Attribution,
    matches: (row: DriftRow) => boolean,
    options?: CallOptions,
  ): Promise<number>;
}

export interface SweepStore {
  put(report: SweepReport, options?: CallOptions): Promise<void>;
  list(cluster: string, request?: PageRequest): Promise<Page<SweepReport>>;
}

/** What prevention has put into clusters; none for a cluster that never had any. */
export interface PreventionStore {
  load(cluster: string, options?: CallOptions): Promise<Prevention | undefined>;
  list(options?: CallOptions): Promise<readonly Prevention[]>;
  /** Two that save at once are sweeps of one cluster, which write the same. */
  save(prevention: Prevention, options?: CallOptions): Promise<void>;
  remove(cluster: string, options?: CallOptions): Promise<void>;
}
