import type { CallOptions } from "../model/call.ts";
import type { DriftRow } from "../model/drift.ts";

/** Where others are told what happened. */
export interface EventBus {
  /** Never rejects: what could not be published is logged, since no sweep and no sync is to suffer for it. */
  publish(events: readonly DriftlessEvent[], options?: CallOptions): Promise<void>;
}

/** What the details of events say, by detail type; docs/events.md is held against it. */
export interface EventDetails {
  /** Drift that no sweep had seen before. */
  readonly DriftDetected: DriftDetail;
  /** Drift that a sync put right. */
  readonly DriftHealed: DriftDetail & {
    /** Id of the sync. */
    readonly sync: string;
  };
  /** Edits that the cluster refused. */
  readonly DriftPrevented: DriftDetail;
  /** Healing stopped, since somebody reverts it; once a fight and hour. */
  readonly DriftFight: DriftDetail;
  readonly SweepLate: SweepLateDetail;
}

/** Names of fields are never reused for something else; a new version comes where one has to go. */
export const detailVersion = 1;

export interface DriftDetail {
  readonly version: typeof detailVersion;
  readonly application: string;
  readonly cluster: string;
  /** Of the log lines and rows that tell the rest: id of the sweep, or what started the sync. */
  readonly correlationId: string;
  /** RFC 3339. */
  readonly at: string;
  /** How many rows there are; `rows` has the first twenty. */
  readonly count: number;
  readonly rows: readonly EventRow[];
}

/** A drift row, as the API tells it; of long values only the part that differs. */
export type EventRow = Omit<DriftRow, "application" | "cluster" | "healedAt" | "healedBy">;

/** A sweep that began more than two intervals after the one before it. */
export interface SweepLateDetail {
  readonly version: typeof detailVersion;
  /** Id of the sweep that was late. */
  readonly correlationId: string;
  /** When it began, RFC 3339. */
  readonly at: string;
  /** When the one before it began, RFC 3339. */
  readonly lastSweepAt: string;
  /** Seconds between the two. */
  readonly ageSeconds: number;
  /** Seconds that should have been. */
  readonly intervalSeconds: number;
  /** Names of the clusters that nobody looked at meanwhile. */
  readonly clusters: readonly string[];
}

export type DetailType = keyof EventDetails;

export type DriftlessEvent = {
  readonly [Type in DetailType]: { readonly detailType: Type; readonly detail: EventDetails[Type] };
}[DetailType];

/** The source of every event of Driftless. */
export const eventSource = "driftless";

/** A bus that nobody listens to. */
export const silentEvents: EventBus = { publish: () => Promise.resolve() };
